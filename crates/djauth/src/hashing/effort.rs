//! Equal effort for every attempt that fails, whatever value is stored for whoever it is.
//!
//! Django equalises what an unknown name costs with what the *preferred* hasher costs, and no more:
//! values of another algorithm, dearer or cheaper, tell that the account exists. Here each failing
//! attempt is topped up with PBKDF2 rounds to what the dearest one has cost so far. Rounds are counted.
//! What cannot be counted in rounds is worth the shortest time that it has ever taken here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use djauth_hashers::Digest;
use parking_lot::Mutex;

/// No attempt is topped up beyond so many times what a new hash costs: whoever can write one stored
/// value shall not make all logins arbitrarily dear.
const MOST: f64 = 4.0;

/// So many combinations of algorithm and costs are told apart.
const LARGEST: usize = 64;

/// What a job has been given so far.
#[derive(Debug, Default)]
pub(super) struct Spent(Mutex<Sum>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Sum {
    sha256: u64,
    sha1: u64,
    works: Vec<String>,
}

impl Spent {
    pub(super) fn rounds(&self, digest: Digest, rounds: u64) {
        let mut sum = self.0.lock();
        match digest {
            Digest::Sha256 => sum.sha256 += rounds,
            Digest::Sha1 => sum.sha1 += rounds,
        }
    }

    pub(super) fn work(&self, name: String) {
        self.0.lock().works.push(name);
    }

    #[cfg(test)]
    pub(super) fn sha256(&self) -> u64 {
        self.0.lock().sha256
    }
}

/// What failing attempts cost on this machine.
#[derive(Debug, Default)]
pub(super) struct Effort(Mutex<Table>, AtomicBool);

#[derive(Debug, Default)]
struct Table {
    /// Nanoseconds of one round, the shortest seen.
    sha256: Option<f64>,
    sha1: Option<f64>,
    works: HashMap<String, f64>,
    /// What the attempts have cost that were seen, before they were topped up.
    seen: Vec<Sum>,
    /// What an attempt at nobody's password costs.
    usual: Option<Sum>,
}

impl Effort {
    /// Whether this was not asked before.
    pub(super) fn first_time(&self) -> bool {
        !self.1.load(Relaxed) && !self.1.swap(true, Relaxed)
    }

    /// Rounds of a derivation that had a thread for itself took so long.
    pub(super) fn measured_rounds(&self, digest: Digest, rounds: u64, time: Duration) {
        let mut table = self.0.lock();
        let each = time.as_secs_f64() * 1e9 / rounds.max(1) as f64;
        let shortest = match digest {
            Digest::Sha256 => &mut table.sha256,
            Digest::Sha1 => &mut table.sha1,
        };
        *shortest = Some(shortest.map_or(each, |shortest| shortest.min(each)));
    }

    /// Work of this name took so long.
    pub(super) fn measured_work(&self, name: &str, time: Duration) {
        let mut table = self.0.lock();
        let nanos = time.as_secs_f64() * 1e9;
        if let Some(shortest) = table.works.get_mut(name) {
            *shortest = shortest.min(nanos);
        } else if table.works.len() < 2 * LARGEST {
            table.works.insert(name.to_owned(), nanos);
        }
    }

    /// An attempt at nobody's password has cost so much.
    pub(super) fn usual(&self, spent: &Spent) {
        let sum = spent.0.lock().clone();
        let mut table = self.0.lock();
        table.usual = Some(sum.clone());
        table.see(sum);
    }

    /// An attempt at somebody's has.
    pub(super) fn seen(&self, spent: &Spent) {
        let sum = spent.0.lock().clone();
        self.0.lock().see(sum);
    }

    /// The rounds of SHA-256 that an attempt lacks, by now, to the dearest.
    pub(super) fn missing(&self, spent: &Spent) -> u64 {
        let table = self.0.lock();
        let own = table.worth(&spent.0.lock());
        let dearest = table.seen.iter().map(|sum| table.worth(sum));
        let dearest = dearest.fold(0.0, f64::max);
        let usual = table.usual.as_ref().map(|usual| MOST * table.worth(usual));
        let bound = usual.unwrap_or(f64::INFINITY);
        (dearest.min(bound) - own).max(0.0).round() as u64
    }
}

impl Table {
    fn see(&mut self, sum: Sum) {
        if self.seen.contains(&sum) {
            return;
        }
        if self.seen.len() >= LARGEST {
            let worth = |sum: &Sum| self.worth(sum);
            let least = self.seen.iter().enumerate();
            let least = least.min_by(|a, b| worth(a.1).total_cmp(&worth(b.1)));
            match least.map(|(index, _)| index) {
                Some(index) if worth(&self.seen[index]) < worth(&sum) => {
                    self.seen.swap_remove(index)
                }
                _ => return,
            };
        }
        self.seen.push(sum);
    }

    /// In rounds of SHA-256.
    fn worth(&self, sum: &Sum) -> f64 {
        let mut rounds = sum.sha256 as f64;
        if let Some(each) = self.sha256 {
            let times = sum.works.iter().filter_map(|name| self.works.get(name));
            let nanos = self.sha1.unwrap_or(each) * sum.sha1 as f64 + times.sum::<f64>();
            rounds += nanos / each;
        }
        rounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(sha256: u64, sha1: u64, works: &[&str]) -> Spent {
        let works = works.iter().map(|name| (*name).to_owned()).collect();
        Spent(Mutex::new(Sum {
            sha256,
            sha1,
            works,
        }))
    }

    /// A round takes a microsecond, one of SHA-1 half of that.
    fn effort() -> Effort {
        let effort = Effort::default();
        effort.measured_rounds(Digest::Sha256, 100, Duration::from_micros(100));
        effort.measured_rounds(Digest::Sha1, 100, Duration::from_micros(50));
        effort.usual(&spent(1000, 0, &[]));
        effort
    }

    #[test]
    fn tops_up_to_the_dearest() {
        let effort = effort();
        assert_eq!(effort.missing(&spent(1000, 0, &[])), 0);
        assert_eq!(effort.missing(&spent(400, 0, &[])), 600);
        assert_eq!(effort.missing(&spent(0, 500, &[])), 750);
        effort.seen(&spent(1500, 0, &[]));
        assert_eq!(effort.missing(&spent(1000, 0, &[])), 500);
        effort.measured_work("argon2", Duration::from_millis(5));
        effort.measured_work("argon2", Duration::from_millis(2));
        effort.seen(&spent(0, 0, &["argon2"]));
        assert_eq!(effort.missing(&spent(1000, 0, &[])), 1000);
        assert_eq!(effort.missing(&spent(0, 0, &["argon2"])), 0);
        assert_eq!(effort.missing(&spent(300, 0, &["argon2"])), 0);
    }

    #[test]
    fn one_stored_value_does_not_make_all_logins_arbitrarily_dear() {
        let effort = effort();
        effort.seen(&spent(20_000_000, 0, &[]));
        assert_eq!(effort.missing(&spent(1000, 0, &[])), 3000);
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_dearest() {
        let effort = effort();
        for n in 1..1000 {
            effort.seen(&spent(n, 0, &[]));
            effort.measured_work(&n.to_string(), Duration::from_nanos(n));
        }
        let table = effort.0.lock();
        assert_eq!(table.seen.len(), LARGEST);
        assert!(table.works.len() <= 2 * LARGEST);
        assert!(table.seen.iter().any(|sum| sum.sha256 == 1000));
    }
}
