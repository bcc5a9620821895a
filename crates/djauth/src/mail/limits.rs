//! How often mail may be asked for.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::forms;
use crate::settings::{Rate, Settings};

/// The most addresses, and the most networks, that are remembered.
const MOST: usize = 65_536;

/// Counts by address and by network.
pub(super) struct Limits {
    addresses: Option<Counts>,
    networks: Option<Counts>,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            addresses: settings.email_rate_limit_per_address.map(Counts::new),
            networks: settings.email_rate_limit_per_network.map(Counts::new),
        }
    }

    /// Counts a request for mail; whether it is within both limits. Both are counted, whatever the
    /// answer of the other.
    pub(super) fn admit(&self, address: &str, client: Option<IpAddr>, now: Instant) -> bool {
        let address = self
            .addresses
            .as_ref()
            .is_none_or(|counts| counts.admit(folded(address), now));
        let network = match (&self.networks, client) {
            (Some(counts), Some(client)) => counts.admit(network(client), now),
            _ => true,
        };
        address && network
    }
}

/// Spellings that reach the same mailbox count as one: those that the look-up takes for the same.
fn folded(address: &str) -> String {
    forms::folded(address.trim())
}

/// A household has an IPv4 address, or an IPv6 network of 64 bits.
fn network(client: IpAddr) -> u128 {
    match client.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

/// How often each key came in the present span of time. Keys are kept as keyed hashes: nothing here can
/// tell an address.
struct Counts {
    rate: Rate,
    hasher: RandomState,
    spans: Mutex<HashMap<u64, Span>>,
}

struct Span {
    start: Instant,
    count: u32,
}

impl Counts {
    fn new(rate: Rate) -> Self {
        Self {
            rate,
            hasher: RandomState::new(),
            spans: Mutex::default(),
        }
    }

    fn admit(&self, key: impl Hash, now: Instant) -> bool {
        let key = self.hasher.hash_one(key);
        let period = Duration::from_secs(self.rate.seconds().into());
        let mut spans = self.spans.lock();
        if spans.len() >= MOST && !spans.contains_key(&key) {
            make_room(&mut spans, period, now);
        }
        let span = spans.entry(key).or_insert(Span {
            start: now,
            count: 0,
        });
        if now.saturating_duration_since(span.start) >= period {
            *span = Span {
                start: now,
                count: 0,
            };
        }
        span.count = span.count.saturating_add(1);
        span.count <= self.rate.count()
    }
}

/// Forgets what is over; if nothing is, the older half.
fn make_room(spans: &mut HashMap<u64, Span>, period: Duration, now: Instant) {
    spans.retain(|_, span| now.saturating_duration_since(span.start) < period);
    if spans.len() < MOST {
        return;
    }
    let mut starts: Vec<_> = spans.values().map(|span| span.start).collect();
    let (_, middle, _) = starts.select_nth_unstable(MOST / 2);
    let middle = *middle;
    spans.retain(|_, span| span.start > middle);
}

#[cfg(test)]
mod tests {
    use djauth_signing::SecretKey;

    use super::*;

    fn limits(address: Option<u32>, network: Option<u32>) -> Limits {
        let mut settings = Settings::new(SecretKey::new("a key for tests of limits").unwrap());
        let hourly = |count| format!("{count}/h").parse().unwrap();
        settings.email_rate_limit_per_address = address.map(hourly);
        settings.email_rate_limit_per_network = network.map(hourly);
        Limits::of(&settings)
    }

    #[test]
    fn spellings_of_an_address_count_as_one() {
        let (limits, now) = (limits(Some(2), None), Instant::now());
        assert!(limits.admit("a@example.com", None, now));
        assert!(limits.admit(" A@EXAMPLE.com ", None, now));
        assert!(!limits.admit("\u{ff41}@example.com", None, now));
        assert!(limits.admit("b@example.com", None, now));
        assert!(limits.admit("a@weissling.de", None, now));
        assert!(limits.admit("a@wei\u{df}ling.de", None, now));
        assert!(!limits.admit("a@WEISSLING.de", None, now));
    }

    #[test]
    fn a_network_is_an_address_or_64_bits() {
        let (limits, now) = (limits(None, Some(1)), Instant::now());
        let admit = |client: &str| limits.admit("a@b.c", Some(client.parse().unwrap()), now);
        assert!(admit("192.0.2.1") && admit("192.0.2.2"));
        assert!(!admit("::ffff:192.0.2.1"));
        assert!(admit("2001:db8::1") && admit("2001:db8:0:1::1"));
        assert!(!admit("2001:db8::ffff:2"));
    }

    #[test]
    fn both_are_counted_whatever_the_other_says() {
        let (limits, now) = (limits(Some(1), Some(2)), Instant::now());
        let client = Some("192.0.2.1".parse().unwrap());
        assert!(limits.admit("a@b.c", client, now));
        assert!(!limits.admit("a@b.c", client, now));
        assert!(!limits.admit("other@b.c", client, now));
    }

    #[test]
    fn time_makes_good_and_no_limit_is_none() {
        let (strict, now) = (limits(Some(1), None), Instant::now());
        assert!(strict.admit("a@b.c", None, now) && !strict.admit("a@b.c", None, now));
        let later = now + Duration::from_secs(3600);
        assert!(strict.admit("a@b.c", None, later));
        let free = limits(None, None);
        assert!((0..100).all(|_| free.admit("a@b.c", None, now)));
    }

    #[test]
    fn memory_is_bounded() {
        let (limits, now) = (limits(Some(1), None), Instant::now());
        for number in 0..MOST as u64 + 10 {
            let later = now + Duration::from_millis(number / 100);
            assert!(limits.admit(&number.to_string(), None, later));
        }
        let counts = limits.addresses.as_ref().unwrap();
        assert!(counts.spans.lock().len() <= MOST);
        let last = (MOST as u64 + 9).to_string();
        assert!(!limits.admit(&last, None, now), "the newest are remembered");
    }
}
