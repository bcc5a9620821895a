//! The name of a request: `X-Request-ID`, in the answer and in every line of the log about it.

use std::cell::Cell;
use std::net::IpAddr;

use djauth::settings::IpNetwork;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name that is taken from a proxy, in bytes.
const LONGEST: usize = 128;

tokio::task_local! {
    /// The name of the request that the task answers, for the log.
    pub(crate) static CURRENT: HeaderValue;
}

thread_local! {
    /// Chosen at random: what the thread's names begin with, and where their count starts.
    static NAMES: Cell<(u64, u64)> = Cell::new(Uuid::new_v4().as_u64_pair());
}

/// The name that a trusted proxy has given, or a new one.
pub(crate) fn of(headers: &HeaderMap, peer: Option<IpAddr>, trusted: &[IpNetwork]) -> HeaderValue {
    let believed = peer.is_some_and(|peer| trusted.iter().any(|network| network.contains(peer)));
    if !believed {
        return made();
    }
    let mut given = headers.get_all(X_REQUEST_ID).iter();
    match (given.next(), given.next()) {
        (Some(id), None) if is_well_formed(id.as_bytes()) => id.clone(),
        _ => made(),
    }
}

/// Nothing that could end a line, a field or a quotation of the log.
fn is_well_formed(id: &[u8]) -> bool {
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(good)
}

/// The thread's half, and a half that is another one for each of its requests. Names need not be hard
/// to guess, and asking the system for random bytes takes longer than all the rest of a name.
fn made() -> HeaderValue {
    let (thread, count) = NAMES.get();
    NAMES.set((thread, count.wrapping_add(1)));
    let mut text = [0; 32];
    write_hex(thread, &mut text[..16]);
    write_hex(scattered(count), &mut text[16..]);
    HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// One number for each, and no two alike: the last steps of SplitMix64.
fn scattered(count: u64) -> u64 {
    let mut mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn write_hex(number: u64, text: &mut [u8]) {
    for (at, digit) in text.iter_mut().rev().enumerate() {
        // Without a table, so that the compiler writes several at once.
        let nibble = (number >> (4 * at)) as u8 & 15;
        *digit = nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(given: &[&'static str], peer: &str) -> String {
        let mut headers = HeaderMap::new();
        for value in given {
            headers.append(X_REQUEST_ID, HeaderValue::from_static(value));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let id = of(&headers, Some(peer.parse().unwrap()), &trusted);
        id.to_str().unwrap().to_owned()
    }

    #[test]
    fn only_a_trusted_proxy_names_a_request() {
        assert_eq!(id(&["0f-A_9.b:1"], "10.1.2.3"), "0f-A_9.b:1");
        assert_ne!(id(&["0f-A_9.b:1"], "11.1.2.3"), "0f-A_9.b:1");
        assert_ne!(
            of(&HeaderMap::new(), None, &[]),
            of(&HeaderMap::new(), None, &[])
        );
        assert_eq!(id(&[], "10.1.2.3").len(), 32);
    }

    #[test]
    fn no_two_names_are_alike() {
        let some = || (0..10_000).map(|_| made());
        let other = std::thread::spawn(move || some().collect::<Vec<_>>());
        let mut all: std::collections::HashSet<_> = some().collect();
        all.extend(other.join().unwrap());
        assert_eq!(all.len(), 20_000);
    }

    #[test]
    fn a_malformed_name_is_replaced() {
        for given in ["", "a b", "a\"b", "a=b", "a\tb", "a\\n"] {
            assert_eq!(id(&[given], "10.1.2.3").len(), 32, "{given:?}");
        }
        assert_eq!(id(&["a", "b"], "10.1.2.3").len(), 32);
        let long: &'static str = "a".repeat(LONGEST + 1).leak();
        assert_eq!(id(&[long], "10.1.2.3").len(), 32);
    }
}
