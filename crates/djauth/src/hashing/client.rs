//! For whom a password is hashed: what shares of the threads go by.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::LazyLock;

use crate::rate_limit::spelling;

tokio::task_local! {
    /// The client of the login that the task is at.
    static CURRENT: Client;
}

/// Usernames are only compared, so a number that means nothing elsewhere stands for each.
static NUMBERS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A client of the hashing threads. The default is the program itself: commands, and whatever is
/// hashed outside of a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(super) network: Network,
    /// A number for the username.
    pub(super) user: u64,
}

/// Neighbours share. Wider than what the rate limit counts by: a host may have many addresses of its
/// network, and with them many turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Network {
    /// No request, or one whose peer is not known.
    #[default]
    None,
    /// The 24 leading bits.
    V4(u32),
    /// The 56 leading bits: the least that a provider gives to a customer with networks of his own.
    V6(u64),
}

impl Client {
    pub(crate) fn new(address: Option<IpAddr>, username: Option<&str>) -> Self {
        Self {
            network: address.map_or(Network::None, Network::of),
            user: username.map_or(0, |name| NUMBERS.hash_one(spelling::fold(name))),
        }
    }

    /// Runs a login: what is hashed meanwhile in this task is the client's.
    pub(crate) async fn scope<F: Future>(self, login: F) -> F::Output {
        CURRENT.scope(self, login).await
    }

    pub(super) fn current() -> Self {
        CURRENT.try_with(|client| *client).unwrap_or_default()
    }
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits() >> 8),
            IpAddr::V6(address) => {
                Self::V6(u64::try_from(address.to_bits() >> 72).unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str, username: &str) -> Client {
        Client::new(Some(address.parse().unwrap()), Some(username))
    }

    #[test]
    fn neighbours_share_a_network() {
        let network = |address| client(address, "").network;
        assert_eq!(network("192.0.2.1"), network("192.0.2.255"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.9"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("2001:db8:1:2ff::1"), network("2001:db8:1:200::"));
        assert_ne!(network("2001:db8:1:2ff::1"), network("2001:db8:1:300::1"));
        assert_ne!(network("0.0.0.0"), Network::None);
    }

    #[test]
    fn spellings_of_a_username_share() {
        let user = |name| client("192.0.2.1", name).user;
        assert_eq!(user("Alice"), user("alice "));
        assert_ne!(user("alice"), user("bob"));
    }

    #[tokio::test]
    async fn a_login_is_its_clients() {
        let alice = client("192.0.2.1", "alice");
        assert_eq!(alice.scope(async { Client::current() }).await, alice);
        assert_eq!(Client::current(), Client::default());
    }
}
