//! Equal effort for every attempt that fails, whatever value is stored for whoever it is.
//!
//! Django equalises what an unknown name costs with what the *preferred* hasher costs, and no more:
//! values of another algorithm, dearer or cheaper, tell that the account exists. Here each failing
//! attempt is topped up with PBKDF2 rounds to what the dearest one costs. Rounds of SHA-256 are counted.
//! All else is worth what a job that has only those would have been given in the same time (see
//! [`pace`](super::pace)): works, the wait for a thread that does them and for a lane after it, and rounds of
//! SHA-1, which are slower beside those of SHA-256 than alone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use parking_lot::Mutex;

use super::pace::Pace;

/// What costs more than so many times what a new hash does, or Django's own, is not hidden, and nobody is
/// topped up to it: whoever can write one stored value shall not make all logins arbitrarily dear.
const MOST: f64 = 4.0;

/// A new hash of Django 5.2. A new one of ours may take far less, on many cores, and what Django made with
/// its other algorithms is to be hidden all the same: bcrypt takes 2,100,000 where SHA-256 has instructions.
const DJANGO: f64 = 1_000_000.0;

/// What cannot be counted takes longer one time than another. Where it is the dearest, all are topped up to
/// so many times what it took lately, so that it is seldom late itself.
const MARGIN: f64 = 1.1;

/// One that took longer than so many times what it took lately had to wait: it counts as so much.
const LATE: f64 = 1.5;

/// What a work is worth follows a longer one by this part of the difference, and a shorter one by that: so
/// it does not fall much in a busy hour, after which the same work would be late.
const FAST: f64 = 1.0 / 8.0;
const SLOW: f64 = 1.0 / 64.0;

/// However busy the machine is, a work counts for no more than so many times the least. That follows a
/// shorter one fast and a longer one slowly.
const BUSY: f64 = 2.0;

/// So many combinations of algorithm and costs are told apart.
const LARGEST: usize = 64;

/// What a job has been given so far.
#[derive(Debug, Default)]
pub(super) struct Spent(Mutex<Account>);

#[derive(Debug, Default)]
struct Account {
    sum: Sum,
    /// What a job in a lane was given while each work was done; `None` for one that was begun twice.
    took: Vec<Option<f64>>,
    sha1: u64,
    /// What jobs of SHA-256 would have been given in their place.
    sha1_took: f64,
    /// What a job in a lane was given while this one had none, and needed another thread or comes from there.
    away: f64,
    /// Since when that is so, by the clock of lanes.
    since: Option<f64>,
    /// A work is under way, and is not in the sum yet.
    working: bool,
}

/// Equal ones cost the same.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sum {
    sha256: u64,
    works: Vec<String>,
}

impl Spent {
    /// It has passed the gate, or needs another thread than before.
    pub(super) fn go_away(&self, now: f64) {
        self.0.lock().since.get_or_insert(now);
    }

    pub(super) fn take_lane(&self, now: f64) {
        self.0.lock().come_back(now);
    }

    pub(super) fn rounds(&self, rounds: u64) {
        self.0.lock().sum.sha256 += rounds;
    }

    pub(super) fn sha1(&self, rounds: u64, took: f64) {
        let mut account = self.0.lock();
        account.sha1 += rounds;
        account.sha1_took += took;
    }

    pub(super) fn begin_work(&self, now: f64) {
        let mut account = self.0.lock();
        account.working = true;
        account.since.get_or_insert(now);
    }

    /// One without a name is before all else and the same for everybody. What follows is at the gate again.
    pub(super) fn end_work(&self, name: &str, took: Option<f64>, now: f64) {
        let mut account = self.0.lock();
        account.working = false;
        if name.is_empty() {
            account.since = None;
        } else {
            account.come_back(now);
            account.since = Some(now);
            account.sum.works.push(name.to_owned());
            account.took.push(took);
        }
    }

    pub(super) fn is_working(&self) -> bool {
        self.0.lock().working
    }

    #[cfg(test)]
    pub(super) fn sha256(&self) -> u64 {
        self.0.lock().sum.sha256
    }
}

impl Account {
    fn come_back(&mut self, now: f64) {
        self.away += self.since.take().map_or(0.0, |since| now - since);
    }

    fn own(&self) -> f64 {
        self.sum.sha256 as f64 + self.sha1_took + self.away
    }

    /// With rounds of SHA-1 as one more work.
    fn sum(&self) -> Sum {
        let mut sum = self.sum.clone();
        if self.sha1 > 0 {
            sum.works.push(format!("{} of SHA-1", self.sha1));
        }
        sum
    }

    fn took(&self) -> impl Iterator<Item = Option<f64>> {
        self.took.iter().copied().chain([Some(self.sha1_took)])
    }
}

/// What failing attempts cost on this machine.
#[derive(Debug)]
pub(super) struct Effort {
    pub(super) pace: Pace,
    table: Mutex<Table>,
    asked: AtomicBool,
}

#[derive(Debug, Default)]
struct Table {
    works: HashMap<String, Work>,
    /// What the attempts have cost that were seen, before they were topped up.
    seen: Vec<Sum>,
    /// What an attempt at nobody's password costs.
    usual: Option<Sum>,
}

/// In rounds of SHA-256.
#[derive(Clone, Copy, Debug)]
struct Work {
    lately: f64,
    least: f64,
}

impl Effort {
    pub(super) fn new(streams: usize) -> Self {
        Self {
            pace: Pace::new(streams),
            table: Mutex::default(),
            asked: AtomicBool::new(false),
        }
    }

    /// Whether this was not asked before.
    pub(super) fn first_time(&self) -> bool {
        !self.asked.load(Relaxed) && !self.asked.swap(true, Relaxed)
    }

    /// An attempt has cost so much, at nobody's password or at somebody's.
    pub(super) fn see(&self, spent: &Spent, nobodys: bool) {
        let account = spent.0.lock();
        let (sum, mut table) = (account.sum(), self.table.lock());
        table.learn(&sum, account.took());
        if nobodys {
            table.usual = Some(sum.clone());
        }
        table.see(sum);
    }

    /// The rounds of SHA-256 that an attempt lacks to the dearest. It has a lane.
    pub(super) fn missing(&self, spent: &Spent) -> u64 {
        let account = spent.0.lock();
        let table = self.table.lock();
        if table.seen == [account.sum()] {
            return 0;
        }
        let lacks = table.dearest() - account.own();
        lacks.max(0.0).round() as u64
    }
}

impl Table {
    fn learn(&mut self, sum: &Sum, took: impl Iterator<Item = Option<f64>>) {
        for (name, took) in sum.works.iter().zip(took) {
            let Some(took) = took.filter(|took| *took > 0.0) else {
                continue;
            };
            if let Some(work) = self.works.get_mut(name) {
                work.learn(took);
            } else {
                self.make_room();
                self.works.insert(name.clone(), Work::new(took));
            }
        }
    }

    fn make_room(&mut self) {
        if self.works.len() >= LARGEST {
            let sums = || self.seen.iter().chain(&self.usual);
            let seen = |name: &String| sums().any(|sum| sum.works.contains(name));
            self.works.retain(|name, _| seen(name));
        }
    }

    fn see(&mut self, sum: Sum) {
        if self.seen.contains(&sum) || self.worth(&sum) > self.most() {
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

    /// Of those that are hidden.
    fn dearest(&self) -> f64 {
        let most = self.most();
        let hidden = self.seen.iter().filter(|sum| self.worth(sum) <= most);
        hidden.map(|sum| self.target(sum)).fold(0.0, f64::max)
    }

    fn target(&self, sum: &Sum) -> f64 {
        let alone = self.seen.len() == 1;
        match alone || self.is_counted(sum) {
            true => self.worth(sum),
            false => MARGIN * self.worth(sum),
        }
    }

    /// It has nothing but rounds, and so had nothing to wait for but the gate.
    fn is_counted(&self, sum: &Sum) -> bool {
        let mut sums = self.usual.iter().chain([sum]);
        sums.all(|sum| sum.works.is_empty())
    }

    fn most(&self) -> f64 {
        let usual = self.usual.as_ref();
        let least = usual.map_or(0.0, |usual| self.worth_by(usual, |work| work.least));
        MOST * least.max(DJANGO)
    }

    fn worth(&self, sum: &Sum) -> f64 {
        self.worth_by(sum, |work| work.lately)
    }

    fn worth_by(&self, sum: &Sum, worth: fn(&Work) -> f64) -> f64 {
        let works = sum.works.iter().filter_map(|name| self.works.get(name));
        sum.sha256 as f64 + works.map(worth).sum::<f64>()
    }
}

impl Work {
    fn new(took: f64) -> Self {
        Self {
            lately: took,
            least: took,
        }
    }

    fn learn(&mut self, took: f64) {
        let took = took.min(LATE * self.lately);
        follow(&mut self.lately, took, SLOW, FAST);
        follow(&mut self.least, took, FAST, SLOW);
        self.lately = self.lately.min(BUSY * self.least);
    }
}

/// Down and up by these parts of the difference.
fn follow(value: &mut f64, to: f64, down: f64, up: f64) {
    let part = if to < *value { down } else { up };
    *value += (to - *value) * part;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(sha256: u64, works: &[(&str, f64)]) -> Spent {
        let spent = Spent::default();
        spent.rounds(sha256);
        for (name, took) in works {
            spent.end_work(name, Some(*took), 0.0);
        }
        spent
    }

    fn rounds(sha256: u64) -> Spent {
        attempt(sha256, &[])
    }

    fn argon2(took: f64) -> Spent {
        attempt(0, &[("argon2", took)])
    }

    /// Nobody's password takes 1,000 rounds.
    fn effort() -> Effort {
        let effort = Effort::new(1);
        effort.see(&rounds(1000), true);
        effort
    }

    #[test]
    fn tops_up_to_the_dearest() {
        let effort = effort();
        effort.see(&rounds(400), false);
        let missing = |spent: &Spent| effort.missing(spent);
        assert_eq!(missing(&rounds(1000)), 0);
        assert_eq!(missing(&rounds(400)), 600);
        effort.see(&rounds(1500), false);
        assert_eq!(missing(&rounds(1000)), 500);
        effort.see(&argon2(2_000.0), false);
        assert_eq!(missing(&rounds(1000)), 1_200);
    }

    #[test]
    fn a_work_is_worth_what_a_lane_got_since_the_gate() {
        let (effort, work) = (effort(), Spent::default());
        work.go_away(10_000.0);
        work.begin_work(10_500.0);
        work.end_work("argon2", Some(2_000.0), 12_500.0);
        work.go_away(12_700.0);
        work.take_lane(13_000.0);
        work.rounds(7);
        effort.see(&work, false);
        effort.see(&rounds(4_007), false);
        assert_eq!(effort.missing(&work), 1_000);
    }

    /// Who has only rounds, too.
    #[test]
    fn the_wait_for_a_lane_counts_where_others_had_their_thread_at_the_gate() {
        let (effort, waited, gave_up) = (effort(), rounds(400), rounds(400));
        for spent in [&waited, &gave_up] {
            spent.go_away(10_000.0);
        }
        waited.take_lane(10_250.0);
        // Back in its lane after another had its turn, as everybody waits.
        gave_up.take_lane(10_000.0);
        gave_up.take_lane(99_000.0);
        assert_eq!([&waited, &gave_up].map(|s| effort.missing(s)), [350, 600]);
    }

    /// A long password is hashed first, whosever it is.
    #[test]
    fn what_all_have_done_first_is_not_counted() {
        let (effort, long, longer) = (effort(), Spent::default(), Spent::default());
        for spent in [&long, &longer] {
            spent.go_away(10_000.0);
            spent.begin_work(20_000.0);
            assert!(spent.is_working());
            spent.end_work("", Some(500.0), 60_000.0);
            assert!(!spent.is_working());
        }
        long.take_lane(70_000.0);
        longer.begin_work(70_000.0);
        longer.end_work("argon2", Some(100.0), 70_100.0);
        longer.take_lane(70_100.0);
        effort.see(&rounds(400), false);
        assert_eq!([&long, &longer].map(|s| effort.missing(s)), [1_000, 900]);
    }

    #[test]
    fn rounds_of_sha1_are_worth_what_those_of_sha256_would_have_been() {
        let (effort, sha1) = (effort(), Spent::default());
        sha1.sha1(1_000, 900.0);
        sha1.sha1(1_000, 800.0);
        effort.see(&sha1, false);
        assert_eq!(effort.missing(&rounds(1_000)), 870);
        assert_eq!(effort.missing(&sha1), 170);
    }

    #[test]
    fn what_is_always_the_same_lacks_nothing() {
        let (effort, work) = (Effort::new(1), argon2(2_000.0));
        effort.see(&work, true);
        effort.see(&work, false);
        assert_eq!(effort.missing(&work), 0);
        effort.see(&rounds(10), false);
        assert_eq!(effort.missing(&work), 2_200);
        // Rounds have to wait for a lane where nobody's password takes none.
        effort.see(&rounds(10_000), false);
        assert_eq!(effort.missing(&rounds(0)), 11_000);
    }

    #[test]
    fn a_work_is_worth_what_it_took_lately() {
        let effort = effort();
        let target = || effort.missing(&rounds(0));
        effort.see(&argon2(2_000.0), false);
        assert_eq!(target(), 2_200);
        effort.see(&argon2(2_400.0), false);
        assert_eq!(target(), 2_255, "an eighth of the way");
        (0..32).for_each(|_| effort.see(&argon2(1_500.0), false));
        assert!((1_900..2_100).contains(&target()), "{}", target());
        (0..500).for_each(|_| effort.see(&argon2(1_500.0), false));
        assert_eq!(target(), 1_650);
    }

    #[test]
    fn works_that_wait_do_not_make_all_logins_arbitrarily_dear() {
        let effort = effort();
        let target = || effort.missing(&rounds(0));
        effort.see(&argon2(1_000.0), false);
        effort.see(&argon2(1e9), false);
        assert_eq!(target(), 1_169, "half more, an eighth of the way");
        // What was begun twice is not learned.
        let spent = Spent::default();
        spent.end_work("argon2", None, 0.0);
        effort.see(&spent, false);
        assert_eq!(target(), 1_169);
        // Nor is what the clock did not see.
        effort.see(&argon2(0.0), false);
        effort.see(&argon2(f64::NAN), false);
        assert_eq!(target(), 1_169);
        // However long it lasts.
        (0..2_000).for_each(|n| {
            let took = if n % 3 == 0 { 1_000.0 } else { 1e6 };
            effort.see(&argon2(took), false);
        });
        assert!((2_200..5_000).contains(&target()), "{}", target());
    }

    #[test]
    fn one_short_work_does_not_make_it_cheap() {
        let effort = effort();
        let target = || effort.missing(&rounds(0));
        effort.see(&argon2(10_000.0), false);
        effort.see(&argon2(1.0), false);
        assert!((10_800..11_000).contains(&target()), "{}", target());
    }

    #[test]
    fn one_stored_value_does_not_make_all_logins_arbitrarily_dear() {
        for (usual, most) in [(1_000, 4_000_000), (1_500_000, 6_000_000)] {
            let effort = Effort::new(1);
            effort.see(&rounds(usual), true);
            let target = || effort.missing(&rounds(0));
            effort.see(&rounds(most), false);
            assert_eq!(target(), most);
            for dear in most + 1..most + 100 {
                effort.see(&rounds(dear), false);
                assert_eq!(effort.missing(&rounds(dear)), 0);
            }
            assert_eq!(target(), most);
        }
        // Before anybody has tried nobody's password, too.
        let effort = Effort::new(1);
        effort.see(&rounds(20_000_000), false);
        effort.see(&rounds(1_000), false);
        assert_eq!(effort.missing(&rounds(0)), 1_000);
    }

    /// Nobody's password is a work here: that it had to wait does not lift the bound.
    #[test]
    fn nor_where_nobodys_is_a_work() {
        let effort = Effort::new(1);
        effort.see(&argon2(2_000_000.0), true);
        effort.see(&argon2(1e12), true);
        effort.see(&rounds(9_000_000), false);
        assert!(effort.missing(&rounds(0)) < 3_000_000);
    }

    #[test]
    fn what_django_made_is_hidden_beside_a_cheap_new_hash() {
        let effort = Effort::new(1);
        effort.see(&argon2(100_000.0), true);
        effort.see(&rounds(1_500_000), false);
        effort.see(&attempt(0, &[("bcrypt", 2_100_000.0)]), false);
        for took in [150_000.0, 60_000.0, 100_000.0] {
            effort.see(&argon2(took), true);
            assert_eq!(effort.missing(&rounds(1_500_000)), 810_000);
        }
    }

    /// What is not judged adds nothing where all others are alike.
    #[test]
    fn one_kind_is_topped_up_to_itself() {
        let effort = Effort::new(1);
        effort.see(&argon2(1_000.0), true);
        assert_eq!(effort.missing(&rounds(400)), 600);
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_dearest() {
        let effort = effort();
        for n in 1..1000 {
            effort.see(&rounds(n), false);
            let name = n.to_string();
            effort.see(&attempt(0, &[(&name, n as f64)]), false);
        }
        let table = effort.table.lock();
        assert_eq!(table.seen.len(), LARGEST);
        assert!(table.works.len() <= LARGEST + 1);
        let kept = |n: u64| table.seen.iter().any(|sum| sum.sha256 == n);
        assert!(kept(999) && table.works.contains_key("999"));
    }
}
