//! For whom a password is hashed: what shares of the threads go by.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::LazyLock;

use crate::http::Request;
use crate::rate_limit::spelling;

tokio::task_local! {
    /// For whom the task hashes.
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

/// How many shares a client is in, from that of its widest network to that of its username.
pub(super) const LEVELS: usize = 4;

/// Where a client's share is: within each network the next smaller one, and the username at the end.
pub(super) type Path = [u64; LEVELS];

/// Neighbours share. Wider than what the rate limit counts by: a host may have many addresses of its
/// network, and with them many turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Network {
    /// No request, or one whose peer is not known.
    #[default]
    None,
    /// The 24 leading bits. There is no wider network around it: whoever wants many of these has to
    /// pay for each, and those beside them belong to strangers.
    V4(u32),
    /// The 56 leading bits: the least that a provider gives to a customer with networks of his own. A
    /// customer who asks gets 48, which is 256 of these, and a provider 32: so these share too.
    V6(u64),
}

impl Client {
    pub(crate) fn new(address: Option<IpAddr>, username: Option<&str>) -> Self {
        Self {
            network: address.map_or(Network::None, Network::of),
            user: username.map_or(0, |name| NUMBERS.hash_one(spelling::fold(name))),
        }
    }

    /// Runs a login, say: what is hashed meanwhile in this task is the client's.
    pub(crate) async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    pub(super) fn current() -> Self {
        CURRENT.try_with(|client| *client).unwrap_or_default()
    }

    pub(super) fn path(self) -> Path {
        let [widest, wide, network] = self.network.path();
        [widest, wide, network, self.user]
    }
}

/// Does some work, and counts the passwords that are hashed meanwhile as those of the client of a
/// request. [`Auth::authenticate`](crate::Auth::authenticate), and the forms when they are cleaned with a
/// request, do so by themselves. What an application hashes in other ways, accounts that strangers make
/// above all, belongs in here: outside of it all clients have one share together, and one of them can
/// use it up.
///
/// ```
/// use djauth::{Auth, Error, Request, User, hashing};
///
/// # async fn sign_up(auth: &Auth, request: &Request) -> Result<User, Error> {
/// let made = auth.users().create_user("alice", "alice@example.com", Some("correct horse"));
/// hashing::on_behalf_of(request, made).await
/// # }
/// ```
///
/// Work that leaves the task ([`tokio::spawn`]) leaves the client too. A request whose peer is not known
/// ([`Request::client_address`]) changes nothing.
pub async fn on_behalf_of<F: Future>(request: &Request, work: F) -> F::Output {
    match request.client_address() {
        Some(address) => Client::new(Some(address), None).scope(work).await,
        None => work.await,
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

    /// The widest network, the one within it that is less wide, and this one in that.
    fn path(self) -> [u64; 3] {
        const KIND: u32 = 32;
        match self {
            Self::None => [0, 0, 0],
            Self::V4(bits) => [1 << KIND | u64::from(bits), 0, 0],
            Self::V6(bits) => [2 << KIND | bits >> 24, bits >> 8 & 0xffff, bits & 0xff],
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
    fn networks_of_one_owner_share() {
        let path = |address| client(address, "").path();
        let here = path("2001:db8:1:200::1");
        for (neighbour, shared) in [
            ("2001:db8:1:2ff::1", 4),
            ("2001:db8:1:300::1", 2),
            ("2001:db8:2:200::1", 1),
            ("2001:db9:1:200::1", 0),
            // The same bits.
            ("32.1.13.184", 0),
        ] {
            let there = path(neighbour);
            let same = here.iter().zip(there).take_while(|(a, b)| **a == *b);
            assert_eq!(same.count(), shared, "{neighbour}");
        }
        assert_ne!(path("0.0.0.0")[0], Client::default().path()[0]);
        assert_ne!(path("192.0.2.1")[0], path("192.0.3.1")[0]);
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
