//! Whose turn it is: fair between networks, and between the usernames of one network.
//!
//! Next is the network that has the fewest jobs under way; of several with as few, the one that has
//! waited longest for its turn. Within it the same goes for usernames, whose jobs keep their order.
//! When too much waits, the network with the most waiting jobs loses the newest one of its username
//! with the most. So one host may send thousands: they wait for each other, and whoever comes from
//! elsewhere is next.

use std::collections::{HashMap, VecDeque};

use super::client::{Client, Network};

/// Which threads a job needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// PBKDF2 rounds, in a lane beside others.
    Rounds = 0,
    /// A thread of its own.
    Blocking = 1,
}

#[derive(Debug)]
pub(super) struct Shares<T> {
    networks: HashMap<Network, Share<HashMap<u64, User<T>>>>,
    waiting: [usize; 2],
    /// Counts turns and arrivals.
    now: u64,
}

/// The jobs of a username, by kind.
type User<T> = Share<[VecDeque<Waiting<T>>; 2]>;

#[derive(Debug, Default)]
struct Share<C> {
    running: usize,
    waiting: [usize; 2],
    /// When it had its last turn, or came.
    turn: u64,
    content: C,
}

#[derive(Debug)]
struct Waiting<T> {
    item: T,
    came: u64,
    /// It had a turn before: it is first, and it is not refused any more.
    begun: bool,
}

impl<T> Default for Shares<T> {
    fn default() -> Self {
        Self {
            networks: HashMap::new(),
            waiting: [0; 2],
            now: 0,
        }
    }
}

impl<C> Share<C> {
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
}

impl<T> Shares<T> {
    pub(super) fn waiting(&self) -> usize {
        self.waiting.iter().sum()
    }

    pub(super) fn waits(&self, kind: Kind) -> bool {
        self.waiting[kind as usize] > 0
    }

    /// Adds a new job.
    pub(super) fn push(&mut self, client: Client, kind: Kind, item: T) {
        self.add(client, kind, item, false);
    }

    /// Adds a job that had its turn and is not done.
    pub(super) fn push_begun(&mut self, client: Client, kind: Kind, item: T) {
        self.add(client, kind, item, true);
    }

    fn add(&mut self, client: Client, kind: Kind, item: T, begun: bool) {
        self.now += 1;
        let came = self.now;
        let waiting = Waiting { item, came, begun };
        self.waiting[kind as usize] += 1;
        let network = self.networks.entry(client.network).or_default();
        network.arrive(kind, came);
        let user = network.content.entry(client.user).or_default();
        user.arrive(kind, came);
        let queue = &mut user.content[kind as usize];
        match begun {
            true => queue.push_front(waiting),
            false => queue.push_back(waiting),
        }
    }

    /// The next job, if it fits; its client has it under way then, until [`release`](Self::release).
    pub(super) fn pop(&mut self, kind: Kind, fits: impl FnOnce(&T) -> bool) -> Option<T> {
        let k = kind as usize;
        let waits = self
            .networks
            .iter()
            .filter(|(_, share)| share.waiting[k] > 0);
        let (&network, share) = waits.min_by_key(|(_, share)| share.order())?;
        let waits = share
            .content
            .iter()
            .filter(|(_, share)| share.waiting[k] > 0);
        let (&user, share) = waits.min_by_key(|(_, share)| share.order())?;
        if !share.content[k]
            .front()
            .is_some_and(|first| fits(&first.item))
        {
            return None;
        }
        let client = Client { network, user };
        let taken = self.take(client, kind, VecDeque::pop_front)?;
        self.run(client);
        Some(taken)
    }

    fn run(&mut self, client: Client) {
        self.now += 1;
        let network = self.networks.entry(client.network).or_default();
        let user = network.content.entry(client.user).or_default();
        (network.running, user.running) = (network.running + 1, user.running + 1);
        (network.turn, user.turn) = (self.now, self.now);
    }

    /// A job is not under way any more.
    pub(super) fn release(&mut self, client: Client) {
        let Some(network) = self.networks.get_mut(&client.network) else {
            return;
        };
        network.running = network.running.saturating_sub(1);
        if let Some(user) = network.content.get_mut(&client.user) {
            user.running = user.running.saturating_sub(1);
        }
        self.forget_idle(client);
    }

    /// How many jobs of the client's network are under way.
    pub(super) fn running(&self, client: Client) -> usize {
        self.networks
            .get(&client.network)
            .map_or(0, |share| share.running)
    }

    /// Whether a network has nothing under way while another has several jobs in lanes.
    pub(super) fn unfair(&self) -> bool {
        let k = Kind::Rounds as usize;
        let starts = |share: &Share<_>| share.running == 0 && share.waiting[k] > 0;
        self.networks.values().any(|share| share.running > 1) && self.networks.values().any(starts)
    }

    /// The job to be given up: the newest of the network and the username with the most. Where others
    /// have as many, of the one that came last.
    pub(super) fn shed(&mut self) -> Option<T> {
        let heaviest = self.networks.iter().filter_map(|(network, share)| {
            let newest = share.content.values().filter_map(newest).max()?;
            Some((share.total(), newest, *network))
        });
        let (_, _, network) = heaviest.max()?;
        let users = self.networks.get(&network)?.content.iter();
        let heaviest =
            users.filter_map(|(user, share)| Some((share.total(), newest(share)?, *user)));
        let (_, came, user) = heaviest.max()?;
        let client = Client { network, user };
        [Kind::Rounds, Kind::Blocking].into_iter().find_map(|kind| {
            self.take(client, kind, |queue| {
                let last = queue.back().filter(|last| last.came == came && !last.begun);
                last.is_some().then(|| queue.pop_back())?
            })
        })
    }

    fn take(
        &mut self,
        client: Client,
        kind: Kind,
        take: impl FnOnce(&mut VecDeque<Waiting<T>>) -> Option<Waiting<T>>,
    ) -> Option<T> {
        let k = kind as usize;
        let network = self.networks.get_mut(&client.network)?;
        let user = network.content.get_mut(&client.user)?;
        let taken = take(&mut user.content[k])?;
        user.waiting[k] -= 1;
        network.waiting[k] -= 1;
        self.waiting[k] -= 1;
        self.forget_idle(client);
        Some(taken.item)
    }

    fn forget_idle(&mut self, client: Client) {
        let Some(network) = self.networks.get_mut(&client.network) else {
            return;
        };
        if network.content.get(&client.user).is_some_and(Share::idle) {
            network.content.remove(&client.user);
        }
        if network.idle() {
            self.networks.remove(&client.network);
        }
    }

    /// Drops what nobody waits for.
    pub(super) fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        self.waiting = [0; 2];
        for network in self.networks.values_mut() {
            network.waiting = [0; 2];
            for user in network.content.values_mut() {
                for (k, queue) in user.content.iter_mut().enumerate() {
                    queue.retain(|waiting| wanted(&waiting.item));
                    user.waiting[k] = queue.len();
                    network.waiting[k] += queue.len();
                    self.waiting[k] += queue.len();
                }
            }
            network.content.retain(|_, user| !user.idle());
        }
        self.networks.retain(|_, network| !network.idle());
    }
}

/// When the last job came that can be refused.
fn newest<T>(share: &User<T>) -> Option<u64> {
    let last = share.content.iter().filter_map(VecDeque::back);
    last.filter(|last| !last.begun).map(|last| last.came).max()
}

#[cfg(test)]
mod tests {
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
            shares.push(*client, Kind::Rounds, *name);
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
        shares.push(b, Kind::Rounds, "b1");
        assert!(shares.unfair());
        assert_eq!(pop(&mut shares), Some("b1"));
        shares.push(b, Kind::Rounds, "b2");
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
            shares.push(client(n, 1), Kind::Rounds, "new");
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
        assert!(shares.networks.is_empty());
    }

    #[test]
    fn what_has_begun_is_first_and_stays() {
        let a = client(1, 1);
        let mut shares = filled(&[(a, "a1"), (a, "a2")]);
        let first = pop(&mut shares).unwrap();
        shares.release(a);
        shares.push_begun(a, Kind::Rounds, first);
        assert_eq!(shares.shed(), Some("a2"));
        assert_eq!(shares.shed(), None);
        assert_eq!(pop(&mut shares), Some("a1"));
    }

    #[test]
    fn kinds_wait_apart_and_only_what_fits_is_taken() {
        let a = client(1, 1);
        let mut shares = filled(&[(a, "rounds")]);
        shares.push(a, Kind::Blocking, "large");
        assert_eq!(shares.pop(Kind::Blocking, |_| false), None);
        assert_eq!((shares.waiting(), shares.running(a)), (2, 0));
        assert_eq!(shares.pop(Kind::Blocking, |_| true), Some("large"));
        assert_eq!(pop(&mut shares), Some("rounds"));
        assert_eq!(shares.running(a), 2);
        shares.release(a);
        shares.release(a);
        assert!(
            shares.networks.is_empty(),
            "nothing is kept of who has gone"
        );
    }

    #[test]
    fn what_nobody_waits_for_is_dropped() {
        let (a, b) = (client(1, 1), client(2, 1));
        let mut shares = filled(&[(a, "gone"), (b, "gone"), (b, "here")]);
        shares.retain(|name| *name == "here");
        assert_eq!((shares.waiting(), shares.networks.len()), (1, 1));
        assert_eq!(pop(&mut shares), Some("here"));
    }
}
