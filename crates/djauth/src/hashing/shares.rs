//! Whose turn it is: fair between networks, between those within a wider one, and between the usernames
//! of one network.
//!
//! At each of these levels, next is the one that has the fewest jobs under way; of several with as few,
//! the one that has waited longest for its turn. A username's jobs keep their order. When too much
//! waits, the one with the most waiting jobs loses its newest, and again so at each level. So one host
//! may send thousands, from as many networks as its provider gave it: they wait for each other, and
//! whoever comes from elsewhere is next. A username counts within its network alone: whoever uses it
//! elsewhere takes nothing away from its owner.

use std::collections::{HashMap, VecDeque};

use super::client::{Client, LEVELS, Path};

/// Which threads a job needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// PBKDF2 rounds, in a lane beside others.
    Rounds = 0,
    /// A thread of its own.
    Blocking = 1,
}

const KINDS: [Kind; 2] = [Kind::Rounds, Kind::Blocking];

/// How far a job has come. Of one username's jobs, those that have come further are first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// A thread has done some of it: it is not refused any more.
    Begun,
    /// It had its turn, and waits for other threads or more memory. As nothing is done, nothing is lost
    /// where it is refused.
    Passed,
    New,
}

#[derive(Debug)]
pub(super) struct Shares<T> {
    all: Share<T>,
    /// Counts turns and arrivals.
    now: u64,
}

/// What a network or a username has, with all that is in it.
#[derive(Debug)]
struct Share<T> {
    running: usize,
    waiting: [usize; 2],
    /// When it had its last turn, or came.
    turn: u64,
    /// Of the smaller networks in a network, or of its usernames.
    parts: HashMap<u64, Share<T>>,
    /// The jobs of a username, by kind.
    jobs: [VecDeque<Waiting<T>>; 2],
}

#[derive(Debug)]
struct Waiting<T> {
    item: T,
    came: u64,
    stage: Stage,
}

impl<T> Default for Shares<T> {
    fn default() -> Self {
        Self {
            all: Share::default(),
            now: 0,
        }
    }
}

impl<T> Default for Share<T> {
    fn default() -> Self {
        Self {
            running: 0,
            waiting: [0; 2],
            turn: 0,
            parts: HashMap::new(),
            jobs: Default::default(),
        }
    }
}

impl<T> Share<T> {
    fn total(&self) -> usize {
        self.waiting.iter().sum()
    }

    fn idle(&self) -> bool {
        self.running == 0 && self.total() == 0
    }

    /// Which share is next.
    fn order(&self) -> (usize, u64) {
        (self.running, self.turn)
    }

    /// Whoever has nothing comes to the end of those who wait for their turn.
    fn arrive(&mut self, kind: Kind, now: u64) {
        if self.total() == 0 {
            self.turn = now;
        }
        self.waiting[kind as usize] += 1;
    }

    /// The part whose turn it is.
    fn next(&self, kind: Kind) -> Option<(u64, &Self)> {
        let waits = |part: &&Self| part.waiting[kind as usize] > 0;
        let waiting = self.parts.iter().filter(|(_, part)| waits(part));
        let next = waiting.min_by_key(|(_, part)| part.order());
        next.map(|(key, part)| (*key, part))
    }

    /// The part with the most of those that have a job to give up; where others have as many, the one
    /// whose job came last.
    fn heaviest(&self) -> Option<(u64, &Self)> {
        let refusable = self.parts.iter().filter_map(|(key, part)| {
            let weight = (part.total(), part.newest()?);
            Some((weight, *key, part))
        });
        let heaviest = refusable.max_by_key(|(weight, ..)| *weight);
        heaviest.map(|(_, key, part)| (key, part))
    }

    /// When the last job came that can be refused.
    fn newest(&self) -> Option<u64> {
        let own = KINDS.iter().filter_map(|kind| self.newest_of(*kind));
        let parts = self.parts.values().filter_map(Self::newest);
        own.chain(parts).max()
    }

    fn newest_of(&self, kind: Kind) -> Option<u64> {
        let last = self.jobs[kind as usize].back()?;
        (last.stage != Stage::Begun).then_some(last.came)
    }

    fn retain(&mut self, wanted: &impl Fn(&T) -> bool) {
        self.parts.values_mut().for_each(|part| part.retain(wanted));
        self.parts.retain(|_, part| !part.idle());
        for (k, jobs) in self.jobs.iter_mut().enumerate() {
            jobs.retain(|waiting| wanted(&waiting.item));
            let parts = self.parts.values().map(|part| part.waiting[k]);
            self.waiting[k] = jobs.len() + parts.sum::<usize>();
        }
    }
}

impl<T> Shares<T> {
    pub(super) fn waiting(&self) -> usize {
        self.all.total()
    }

    pub(super) fn waits(&self, kind: Kind) -> bool {
        self.all.waiting[kind as usize] > 0
    }

    /// Adds a job behind those of its client that have come as far.
    pub(super) fn push(&mut self, client: Client, kind: Kind, stage: Stage, item: T) {
        self.now += 1;
        let came = self.now;
        let waiting = Waiting { item, came, stage };
        let user = self.make(client.path(), |share| share.arrive(kind, came));
        let queue = &mut user.jobs[kind as usize];
        let place = queue.partition_point(|other| other.stage <= stage);
        queue.insert(place, waiting);
    }

    /// The next job, if it fits; its client has it under way then, until [`release`](Self::release).
    pub(super) fn pop(&mut self, kind: Kind, fits: impl FnOnce(&T) -> bool) -> Option<T> {
        let (path, user) = self.choose(|share| share.next(kind))?;
        let first = user.jobs[kind as usize].front();
        if !first.is_some_and(|first| fits(&first.item)) {
            return None;
        }
        let taken = self.take(path, kind, VecDeque::pop_front)?;
        self.now += 1;
        let now = self.now;
        self.make(path, |share| {
            (share.running, share.turn) = (share.running + 1, now);
        });
        Some(taken)
    }

    /// A job is not under way any more.
    pub(super) fn release(&mut self, client: Client) {
        let path = client.path();
        self.find(path, |share| {
            share.running = share.running.saturating_sub(1);
        });
        self.forget_idle(path);
    }

    /// Whether the next in turn for a lane has nothing under way while another beside it has several
    /// jobs in lanes.
    pub(super) fn unfair(&self) -> bool {
        let Some((next, level)) = self.poor() else {
            return false;
        };
        let beside = self.at(&next[..level]);
        beside.is_some_and(|all| all.parts.values().any(|part| part.running > 1))
    }

    /// What a client's networks and username have under way, the widest first, where it should give up
    /// a lane for the next in turn: the one with the most.
    pub(super) fn surplus(&self, client: Client) -> Option<[usize; LEVELS]> {
        let ((next, level), path) = (self.poor()?, client.path());
        let running: [usize; LEVELS] = std::array::from_fn(|n| self.running(&path[..=n]));
        (path[..level] == next[..level] && running[level] > 1).then_some(running)
    }

    /// The next in turn for a lane, and from which level on it has nothing under way.
    fn poor(&self) -> Option<(Path, usize)> {
        let (next, _) = self.choose(|share| share.next(Kind::Rounds))?;
        let level = (0..LEVELS).find(|level| self.running(&next[..=*level]) == 0)?;
        Some((next, level))
    }

    fn running(&self, path: &[u64]) -> usize {
        self.at(path).map_or(0, |share| share.running)
    }

    fn at(&self, path: &[u64]) -> Option<&Share<T>> {
        path.iter()
            .try_fold(&self.all, |share, key| share.parts.get(key))
    }

    /// The job to be given up.
    pub(super) fn shed(&mut self) -> Option<T> {
        let (path, user) = self.choose(Share::heaviest)?;
        let kind = KINDS.into_iter().max_by_key(|kind| user.newest_of(*kind))?;
        self.take(path, kind, VecDeque::pop_back)
    }

    /// Goes down from all to a username, at each level to the part that is chosen.
    fn choose(
        &self,
        part: impl Fn(&Share<T>) -> Option<(u64, &Share<T>)>,
    ) -> Option<(Path, &Share<T>)> {
        let (mut path, mut share) = (Path::default(), &self.all);
        for key in &mut path {
            (*key, share) = part(share)?;
        }
        Some((path, share))
    }

    /// Changes the shares that a client is in, and makes those that are not there.
    fn make(&mut self, path: Path, mut change: impl FnMut(&mut Share<T>)) -> &mut Share<T> {
        let mut share = &mut self.all;
        change(share);
        for key in path {
            share = share.parts.entry(key).or_default();
            change(share);
        }
        share
    }

    /// Changes the shares that a client is in, as far as they are there.
    fn find(&mut self, path: Path, mut change: impl FnMut(&mut Share<T>)) -> Option<&mut Share<T>> {
        let mut share = &mut self.all;
        change(share);
        for key in path {
            share = share.parts.get_mut(&key)?;
            change(share);
        }
        Some(share)
    }

    fn take(
        &mut self,
        path: Path,
        kind: Kind,
        take: impl FnOnce(&mut VecDeque<Waiting<T>>) -> Option<Waiting<T>>,
    ) -> Option<T> {
        let k = kind as usize;
        let taken = take(&mut self.find(path, |_| ())?.jobs[k])?;
        self.find(path, |share| share.waiting[k] -= 1);
        self.forget_idle(path);
        Some(taken.item)
    }

    /// What is in an idle share is idle too.
    fn forget_idle(&mut self, path: Path) {
        let mut share = &mut self.all;
        for key in path {
            if share.parts.get(&key).is_some_and(Share::idle) {
                share.parts.remove(&key);
            }
            let Some(part) = share.parts.get_mut(&key) else {
                return;
            };
            share = part;
        }
    }

    /// Drops what nobody waits for.
    pub(super) fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        self.all.retain(&wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::Network;
    use super::*;

    fn client(network: u32, user: u64) -> Client {
        Client {
            network: Network::V4(network),
            user,
        }
    }

    fn pop(shares: &mut Shares<&'static str>) -> Option<&'static str> {
        shares.pop(Kind::Rounds, |_| true)
    }

    fn filled(jobs: &[(Client, &'static str)]) -> Shares<&'static str> {
        let mut shares = Shares::default();
        for (client, name) in jobs {
            shares.push(*client, Kind::Rounds, Stage::New, *name);
        }
        shares
    }

    #[test]
    fn networks_take_turns() {
        let (a, b) = (client(1, 1), client(2, 1));
        let mut shares = filled(&[(a, "a1"), (a, "a2"), (a, "a3"), (b, "b1"), (b, "b2")]);
        let order: Vec<_> = std::iter::from_fn(|| pop(&mut shares)).collect();
        assert_eq!(order, ["a1", "b1", "a2", "b2", "a3"]);
    }

    #[test]
    fn whoever_has_nothing_under_way_is_next() {
        let (a, b) = (client(1, 1), client(2, 1));
        let mut shares = filled(&[(a, "a1"), (a, "a2"), (a, "a3")]);
        assert_eq!(pop(&mut shares), Some("a1"));
        assert!(!shares.unfair());
        assert_eq!(pop(&mut shares), Some("a2"));
        shares.push(b, Kind::Rounds, Stage::New, "b1");
        assert!(shares.unfair());
        assert_eq!(pop(&mut shares), Some("b1"));
        shares.push(b, Kind::Rounds, Stage::New, "b2");
        shares.release(b);
        assert_eq!(pop(&mut shares), Some("b2"), "a has two under way");
    }

    #[test]
    fn newcomers_without_end_do_not_keep_a_network_waiting() {
        let a = client(1, 1);
        let mut shares = filled(&[(a, "a1"), (a, "a2")]);
        assert_eq!(pop(&mut shares), Some("a1"));
        shares.release(a);
        for n in 2..10 {
            shares.push(client(n, 1), Kind::Rounds, Stage::New, "new");
        }
        let turn = (0..10).position(|_| pop(&mut shares) == Some("a2"));
        assert_eq!(turn, Some(0), "it has waited longer than they");
    }

    #[test]
    fn usernames_of_a_network_take_turns() {
        let (alice, bob) = (client(1, 1), client(1, 2));
        let mut shares = filled(&[(alice, "a1"), (alice, "a2"), (bob, "b1"), (alice, "a3")]);
        let order: Vec<_> = std::iter::from_fn(|| pop(&mut shares)).collect();
        assert_eq!(order, ["a1", "b1", "a2", "a3"]);
    }

    #[test]
    fn the_heaviest_loses_its_newest() {
        let (alice, bob, visitor) = (client(1, 1), client(1, 2), client(2, 1));
        let mut shares = filled(&[(alice, "a1"), (bob, "b1"), (alice, "a2"), (visitor, "v")]);
        assert_eq!(shares.shed(), Some("a2"));
        assert_eq!(
            shares.shed(),
            Some("b1"),
            "of two with as many, who came last"
        );
        assert_eq!(shares.shed(), Some("v"));
        assert_eq!(shares.shed(), Some("a1"));
        assert_eq!((shares.shed(), shares.waiting()), (None, 0));
        assert!(shares.all.parts.is_empty());
    }

    /// Of a host with 256 networks, or with all that a provider has.
    fn v6(address: &str) -> Client {
        Client::new(Some(address.parse().unwrap()), None)
    }

    #[test]
    fn the_networks_of_one_host_weigh_and_wait_together() {
        for wide in ["2001:db8:1:", "2001:db8:"] {
            let mut shares = Shares::default();
            for n in 0..=0xff {
                shares.push(
                    v6(&format!("{wide}{n:x}00::1")),
                    Kind::Rounds,
                    Stage::New,
                    "host",
                );
            }
            let visitors = [client(1, 1), v6("2001:db9::1"), Client::default()];
            for visitor in visitors {
                shares.push(visitor, Kind::Rounds, Stage::New, "visitor");
                assert_eq!(shares.shed(), Some("host"), "{wide}");
            }
            let turns: Vec<_> = (0..4).filter_map(|_| pop(&mut shares)).collect();
            assert_eq!(turns, ["host", "visitor", "visitor", "visitor"], "{wide}");
        }
    }

    #[test]
    fn neighbours_of_such_a_host_are_served_within_their_wider_network() {
        let (host, neighbour) = ("2001:db8:1:", v6("2001:db8:2::1"));
        let mut shares = Shares::default();
        for n in 0..8 {
            shares.push(
                v6(&format!("{host}{n:x}00::1")),
                Kind::Rounds,
                Stage::New,
                "host",
            );
        }
        shares.push(neighbour, Kind::Rounds, Stage::New, "neighbour");
        assert_eq!(shares.shed(), Some("host"));
        assert_eq!(pop(&mut shares), Some("host"));
        assert_eq!(pop(&mut shares), Some("neighbour"));
    }

    #[test]
    fn a_host_with_many_networks_gives_up_a_lane() {
        let hosts = [0, 1, 2].map(|n| v6(&format!("2001:db8:1:{n}00::1")));
        let (neighbour, visitor) = (v6("2001:db8:2::1"), client(1, 1));
        let mut shares = filled(&hosts.map(|host| (host, "host")));
        while pop(&mut shares).is_some() {}
        shares.push(v6("2001:db8:1:300::1"), Kind::Rounds, Stage::New, "host");
        assert!(!shares.unfair(), "each network has one");
        shares.push(neighbour, Kind::Rounds, Stage::New, "neighbour");
        assert!(shares.unfair(), "the wider one has three");
        assert_eq!(shares.surplus(hosts[1]), Some([3, 3, 1, 1]));
        assert_eq!(shares.surplus(neighbour), None);
        assert_eq!(pop(&mut shares), Some("neighbour"));
        shares.push(visitor, Kind::Rounds, Stage::New, "visitor");
        let most = [neighbour, hosts[0]].map(|client| shares.surplus(client));
        assert_eq!(most, [Some([4, 1, 1, 1]), Some([4, 3, 1, 1])]);
    }

    /// Whoever guesses at a name from everywhere does not keep its owner out.
    #[test]
    fn a_username_that_is_used_elsewhere_has_its_own_share() {
        let owner = client(0, 1);
        let mut shares = Shares::default();
        for n in 1..=64 {
            shares.push(client(n, 1), Kind::Rounds, Stage::New, "stranger");
            shares.push(client(n, 1), Kind::Rounds, Stage::New, "stranger");
        }
        shares.push(owner, Kind::Rounds, Stage::New, "owner");
        let shed: Vec<_> = (0..64).filter_map(|_| shares.shed()).collect();
        assert!(shed.iter().all(|name| *name == "stranger"));
        let turn = (0..65).position(|_| pop(&mut shares) == Some("owner"));
        assert_eq!(turn, Some(64), "after the first of those who came before");
    }

    #[test]
    fn what_has_begun_is_first_and_stays() {
        let a = client(1, 1);
        let mut shares = filled(&[(a, "a1"), (a, "a2")]);
        let first = pop(&mut shares).unwrap();
        shares.release(a);
        shares.push(a, Kind::Rounds, Stage::Begun, first);
        assert_eq!(shares.shed(), Some("a2"));
        assert_eq!(shares.shed(), None);
        assert_eq!(pop(&mut shares), Some("a1"));
    }

    #[test]
    fn jobs_that_have_come_as_far_keep_their_order() {
        let a = client(1, 1);
        let mut shares = filled(&[(a, "new")]);
        for (stage, name) in [
            (Stage::Passed, "passed 1"),
            (Stage::Begun, "begun 1"),
            (Stage::Passed, "passed 2"),
            (Stage::Begun, "begun 2"),
        ] {
            shares.push(a, Kind::Rounds, stage, name);
        }
        assert_eq!(shares.shed(), Some("new"));
        assert_eq!(shares.shed(), Some("passed 2"), "nothing is done of it");
        let order: Vec<_> = std::iter::from_fn(|| pop(&mut shares)).collect();
        assert_eq!(order, ["begun 1", "begun 2", "passed 1"]);
    }

    #[test]
    fn kinds_wait_apart_and_only_what_fits_is_taken() {
        let a = client(1, 1);
        let mut shares = filled(&[(a, "rounds")]);
        shares.push(a, Kind::Blocking, Stage::New, "large");
        assert_eq!(shares.pop(Kind::Blocking, |_| false), None);
        assert_eq!((shares.waiting(), shares.all.running), (2, 0));
        assert_eq!(shares.pop(Kind::Blocking, |_| true), Some("large"));
        assert_eq!(pop(&mut shares), Some("rounds"));
        assert_eq!(shares.all.running, 2);
        shares.release(a);
        shares.release(a);
        assert!(
            shares.all.parts.is_empty(),
            "nothing is kept of who has gone"
        );
    }

    #[test]
    fn what_nobody_waits_for_is_dropped() {
        let (a, b) = (client(1, 1), client(2, 1));
        let mut shares = filled(&[(a, "gone"), (b, "gone"), (b, "here")]);
        shares.retain(|name| *name == "here");
        assert_eq!((shares.waiting(), shares.all.parts.len()), (1, 1));
        assert_eq!(pop(&mut shares), Some("here"));
    }
}
