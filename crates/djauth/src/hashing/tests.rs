use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use djauth_hashers::{Decoded, Parameters, PasswordHasher};
use tokio::task::JoinHandle;

use super::attempt::NOBODY;
use super::clock::Clock;
use super::engine::Size;
use super::shares::Kind;
use super::start::{spawn_guard, spawn_threads};
use super::*;

/// What no test waits for: a day and more.
pub(super) const ENDLESS: &str = "pbkdf2_sha256$1000000000000$abcdefghijklmnopqrstuv$x";
/// What every test waits for, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

fn hashers() -> Hashers {
    preferring("pbkdf2_sha256")
}

pub(super) fn preferring(name: &str) -> Hashers {
    let mut parameters = Parameters::default();
    parameters.limits.pbkdf2_iterations = u64::MAX;
    for (name, cost, value) in [
        ("pbkdf2_sha256", "iterations", 10_000),
        ("bcrypt", "rounds", 4),
        ("argon2", "memory_cost", 1024),
    ] {
        parameters.set(name, cost, value).unwrap();
    }
    let mut names = ["pbkdf2_sha256", "md5", "bcrypt", "argon2"];
    names.sort_by_key(|other| *other != name);
    Hashers::from_names(&names, &parameters).unwrap()
}

/// Threads as they are made for every pool, but with the usual priority and nobody who watches them:
/// what they do depends on nothing else then.
pub(super) fn pool(threads: usize, queue: usize) -> HashingPool {
    pool_of(hashers(), threads, queue, 512 * 1024)
}

pub(super) fn pool_of(hashers: Hashers, threads: usize, queue: usize, memory: u64) -> HashingPool {
    let size = Size {
        threads,
        queue,
        memory,
    };
    HashingPool::with_threads(hashers, size, |engine| spawn_threads(engine, || false)).unwrap()
}

/// A pool whose one thread of each kind is seen to get no core.
fn starved_pool(
    hashers: Hashers,
    start: impl FnOnce(&Arc<Engine>) -> std::io::Result<()>,
) -> HashingPool {
    let size = Size {
        threads: 1,
        queue: 8,
        memory: 10,
    };
    HashingPool::with_threads(hashers, size, |engine| {
        for clock in &engine.clocks {
            clock.set(Clock::stuck()).unwrap();
        }
        start(engine)
    })
    .unwrap()
}

/// A pool whose jobs only wait.
pub(super) fn idle_pool() -> HashingPool {
    starved_pool(hashers(), |_| Ok(()))
}

fn client(address: &str, username: &str) -> Client {
    Client::new(Some(address.parse().unwrap()), Some(username))
}

/// A hash that nobody sees the end of.
fn endless(pool: &HashingPool, client: Client) -> JoinHandle<Result<Verified, Error>> {
    let pool = pool.clone();
    tokio::spawn(client.scope(async move { pool.verify("x", ENDLESS).await }))
}

pub(super) async fn until(pool: &HashingPool, what: impl Fn(Stats) -> bool) {
    eventually(|| what(pool.stats()), &pool.stats()).await;
}

#[track_caller]
pub(super) fn eventually(
    what: impl Fn() -> bool,
    seen: &dyn fmt::Debug,
) -> impl Future<Output = ()> {
    let (begun, at) = (Instant::now(), std::panic::Location::caller());
    async move {
        while !what() {
            assert!(begun.elapsed() < PATIENCE, "{at}: {seen:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Endless jobs of one client in all lanes of a pool with one thread, and so many more that wait.
pub(super) async fn crowd(
    pool: &HashingPool,
    client: Client,
    waiting: usize,
) -> Vec<JoinHandle<Result<Verified, Error>>> {
    let streams = pool.engine().streams;
    let mut jobs = Vec::new();
    // One after the other: together they could be too many for the queue.
    for lanes in 1..=streams {
        jobs.push(endless(pool, client));
        until(pool, |stats| stats.lanes == lanes as u64).await;
    }
    jobs.extend((0..waiting).map(|_| endless(pool, client)));
    until(pool, |stats| stats.waiting == waiting as u64).await;
    jobs
}

/// Keeps a thread busy until the sender is dropped; comes back when the thread is at it.
pub(super) async fn block(pool: &HashingPool) -> mpsc::Sender<()> {
    let (release, wait) = mpsc::channel::<()>();
    let (started, at_it) = tokio::sync::oneshot::channel();
    let pool = pool.clone();
    tokio::spawn(async move {
        pool.run(move |_| {
            let _ = started.send(());
            let _ = wait.recv();
        })
        .await
    });
    at_it.await.unwrap();
    release
}

#[tokio::test]
async fn makes_and_verifies() {
    let pool = pool(2, 8);
    let stored = pool.make_password(Some("correct horse")).await.unwrap();
    assert!(pool.verify("correct horse", &stored).await.unwrap().correct);
    assert!(!pool.verify("battery", &stored).await.unwrap().correct);
    assert!(pool.make_password(None).await.unwrap().starts_with('!'));
    let long = "x".repeat(5_000);
    let stored = pool.make_password(Some(&long)).await.unwrap();
    assert!(pool.verify(&long, &stored).await.unwrap().correct);
    pool.harden_runtime().await.unwrap();
}

#[tokio::test]
async fn upgrades_in_the_same_job() {
    let pool = pool(1, 8);
    let md5 = pool.hashers().get_hasher("md5").unwrap();
    let md5 = md5.encode(b"horse", "abcdefghijklmnopqrstuv").unwrap();
    let checked = pool.check_password("horse", &md5).await.unwrap();
    assert!(checked.verified.correct);
    let told = format!("{checked:?}");
    assert!(told.contains("***") && !told.contains("pbkdf2"), "{told}");
    let upgraded = checked.upgraded.unwrap();
    assert!(upgraded.starts_with("pbkdf2_sha256$10000$"));
    until(&pool, |stats| stats.done > 0).await;
    assert_eq!(pool.stats().done, 1);
    for (password, stored) in [("horse", &upgraded), ("mule", &md5)] {
        let checked = pool.check_password(password, stored).await.unwrap();
        assert!(checked.upgraded.is_none());
    }
    let checked = pool.attempt("horse", &md5, false, true).await.unwrap();
    assert!(checked.verified.correct && checked.upgraded.is_none());
}

#[tokio::test]
async fn a_full_queue_is_busy_and_recovers() {
    let pool = pool(1, 1);
    let release = block(&pool).await;
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.run(|_| 7).await }
    });
    until(&pool, |stats| stats.waiting == 1).await;
    let error = pool.run(|_| ()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Busy);
    assert!(error.try_again_after().is_some());
    assert_eq!(pool.stats().refused, 1);
    drop(release);
    assert_eq!(waiting.await.unwrap().unwrap(), 7);
    assert_eq!(pool.run(|_| 8).await.unwrap(), 8);
}

#[tokio::test]
async fn a_job_joins_others_that_run() {
    let pool = pool(1, 8);
    let long = endless(&pool, Client::default());
    until(&pool, |stats| stats.lanes == 1).await;
    let stored = pool.make_password(Some("horse")).await.unwrap();
    assert!(pool.verify("horse", &stored).await.unwrap().correct);
    assert!(!long.is_finished());
    until(&pool, |stats| stats.lanes == 1).await;
    long.abort();
}

#[tokio::test]
async fn jobs_are_spread_over_threads_before_lanes() {
    let pool = pool(2, 8);
    let jobs = [(); 4].map(|()| endless(&pool, Client::default()));
    until(&pool, |stats| stats.lanes == 4).await;
    assert_eq!(pool.engine().state.lock().loads, [2, 2]);
    jobs.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn a_job_without_a_caller_is_dropped_waiting_or_not() {
    let pool = pool(1, 100);
    let jobs = crowd(&pool, Client::default(), 3).await;
    jobs.iter().for_each(JoinHandle::abort);
    until(&pool, |stats| stats.running == 0 && stats.waiting == 0).await;
    // Those that only waited are counted when a thread comes across them.
    until(&pool, |stats| stats.dropped == jobs.len() as u64).await;
    assert_eq!(pool.stats().done, 0);
}

#[tokio::test]
async fn work_without_a_caller_is_never_begun() {
    let pool = pool(1, 100);
    let release = block(&pool).await;
    let (ran, runs) = mpsc::channel();
    let waiting = [(); 3].map(|()| {
        let (pool, ran) = (pool.clone(), ran.clone());
        tokio::spawn(async move { pool.run(move |_| ran.send(())).await })
    });
    until(&pool, |stats| stats.waiting == 3).await;
    for job in waiting {
        job.abort();
        assert!(job.await.unwrap_err().is_cancelled());
    }
    drop(release);
    pool.run(|_| ()).await.unwrap();
    drop(ran);
    assert!(runs.recv().is_err(), "nobody waited for these");
}

/// One host has every lane and all places in the queue; who comes from elsewhere is served at once.
#[tokio::test]
async fn one_host_does_not_lock_out_the_others() {
    let pool = pool(1, 4);
    let jobs = crowd(&pool, client("192.0.2.1", "root"), 4).await;
    let visitor = client("198.51.100.1", "alice");
    let made = visitor.scope(pool.make_password(Some("horse"))).await;
    assert!(made.is_ok());
    let mut shed = 0;
    for job in jobs {
        job.abort();
        // Those that had an answer keep it.
        if let Ok(answer) = job.await {
            assert_eq!(answer.unwrap_err().kind(), &ErrorKind::Busy);
            shed += 1;
        }
    }
    // The visitor's place, and nobody who had begun.
    assert_eq!((shed, pool.stats().refused), (1, 1));
}

/// They have all passed the gate, and can be refused all the same.
#[tokio::test]
async fn one_host_whose_jobs_wait_for_other_threads_does_not_lock_out_the_others() {
    let pool = pool(1, 4);
    let release = block(&pool).await;
    let host = client("192.0.2.1", "root");
    let jobs = [(); 4].map(|()| {
        let pool = pool.clone();
        tokio::spawn(host.scope(async move { pool.run(|_| ()).await }))
    });
    until(&pool, |stats| stats.waiting == 4).await;
    eventually(|| all_passed(&pool), &"they are at the gate").await;
    let visitor = client("198.51.100.1", "alice");
    let made = visitor.scope(pool.make_password(Some("horse"))).await;
    assert!(made.is_ok());
    assert_eq!(pool.stats().refused, 1);
    drop(release);
    let mut shed = 0;
    for job in jobs {
        shed += usize::from(job.await.unwrap().is_err());
    }
    assert_eq!(shed, 1);
}

pub(super) fn all_passed(pool: &HashingPool) -> bool {
    !pool.engine().state.lock().shares.waits(Kind::Rounds)
}

/// The host has a network for each of its jobs.
#[tokio::test]
async fn one_host_with_many_networks_does_not_lock_out_the_others() {
    let pool = pool(1, 4);
    let streams = pool.engine().streams;
    let mut jobs = Vec::new();
    for number in 0..streams + 4 {
        let address = format!("2001:db8:1:{number:x}00::1");
        jobs.push(endless(&pool, client(&address, "root")));
        let (lanes, all) = (streams.min(number + 1), number + 1);
        until(&pool, |stats| {
            stats.lanes == lanes as u64 && stats.waiting == (all - lanes) as u64
        })
        .await;
    }
    let visitor = client("198.51.100.1", "alice");
    let made = visitor.scope(pool.make_password(Some("horse"))).await;
    assert!(made.is_ok());
    assert_eq!(pool.stats().refused, 1);
    jobs.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn a_username_does_not_lock_out_its_network() {
    let pool = pool(1, 4);
    let jobs = crowd(&pool, client("192.0.2.1", "root"), 4).await;
    let neighbour = endless(&pool, client("192.0.2.2", "alice"));
    let shed = || jobs.iter().filter(|job| job.is_finished()).count();
    eventually(|| shed() > 0, &"nobody is shed").await;
    assert_eq!((shed(), pool.stats().refused), (1, 1));
    assert!(!neighbour.is_finished());
    jobs.iter().for_each(JoinHandle::abort);
    neighbour.abort();
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_thread_lives() {
    let pool = pool(1, 8);
    let error: Result<(), _> = pool
        .run(|_| std::panic::resume_unwind(Box::new("no")))
        .await;
    assert_eq!(error.unwrap_err().kind(), &ErrorKind::Hashing);
    assert_eq!(pool.run(|_| 1).await.unwrap(), 1);
    until(&pool, |stats| stats.running == 0).await;
}

#[tokio::test]
async fn a_password_that_is_too_long_is_a_value_error() {
    let mut parameters = Parameters::default();
    parameters.set("bcrypt", "rounds", 4).unwrap();
    let bcrypt = Hashers::from_names(&["bcrypt"], &parameters).unwrap();
    let pool = pool_of(bcrypt, 1, 1, 0);
    let error = pool.make_password(Some(&"x".repeat(73))).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Value);
}

#[tokio::test]
async fn threads_end_with_the_pool() {
    let pool = pool(1, 8);
    let engine = Arc::downgrade(&pool.handle.0);
    pool.make_password(Some("horse")).await.unwrap();
    drop(pool);
    eventually(|| engine.strong_count() == 0, &"a thread lives").await;
}

/// A hasher that says how much memory it needs, and sees how many run at once.
#[derive(Debug, Default)]
struct Large {
    running: AtomicUsize,
    most: AtomicUsize,
}

impl PasswordHasher for Large {
    fn algorithm(&self) -> &str {
        "large"
    }
    fn encode(&self, _password: &[u8], _salt: &str) -> Result<String, djauth_hashers::Error> {
        let running = self.running.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(running, SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        self.running.fetch_sub(1, SeqCst);
        Ok("large$".into())
    }
    fn verify(&self, _: &[u8], _: &str) -> Result<bool, djauth_hashers::Error> {
        Ok(true)
    }
    fn decode(&self, _: &str) -> Result<Decoded, djauth_hashers::Error> {
        Ok(Decoded::new("large", None, ""))
    }
    fn must_update(&self, _: &str) -> Result<bool, djauth_hashers::Error> {
        Ok(false)
    }
    fn harden_runtime(&self, _: &[u8], _: &str) -> Result<(), djauth_hashers::Error> {
        Ok(())
    }
    fn memory(&self, _: Option<&str>) -> u64 {
        400
    }
}

#[tokio::test]
async fn memory_is_capped_in_total() {
    for (cap, at_once) in [(1000, 2), (100, 1)] {
        let large = Arc::new(Large::default());
        let hashers = Hashers::new(vec![large.clone()]).unwrap();
        let pool = pool_of(hashers, 4, 100, cap);
        let jobs = [(); 12].map(|()| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.make_password(Some("x")).await.unwrap() })
        });
        for job in jobs {
            job.await.unwrap();
        }
        assert!(large.most.load(SeqCst) <= at_once);
        until(&pool, |stats| stats.memory == 0).await;
    }
}

/// Every job is refused at the same gate, whatever is stored for its user.
#[tokio::test]
async fn a_full_queue_does_not_tell_who_exists() {
    let stored = |name| preferring(name).make_password(Some("horse")).unwrap();
    let (rounds, blocks) = (stored("pbkdf2_sha256"), stored("bcrypt"));
    for preferred in ["pbkdf2_sha256", "bcrypt", "argon2"] {
        let pool = pool_of(preferring(preferred), 1, 1, 0);
        let (held, release) = match preferred {
            "pbkdf2_sha256" => (crowd(&pool, Client::default(), 1).await, None),
            _ => {
                let release = block(&pool).await;
                let waits = vec![endless(&pool, Client::default())];
                until(&pool, |stats| stats.waiting == 1).await;
                (waits, Some(release))
            }
        };
        for stored in [NOBODY, &rounds, &blocks, "nonsense"] {
            let error = pool.verify("mule", stored).await.unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Busy, "{preferred}: {stored}");
        }
        assert_eq!((pool.stats().refused, pool.stats().waiting), (4, 1));
        held.iter().for_each(JoinHandle::abort);
        drop(release);
        until(&pool, |stats| stats.running + stats.waiting == 0).await;
        for stored in [&rounds, &blocks] {
            assert!(pool.verify("horse", stored).await.unwrap().correct);
        }
    }
}

/// A thread that the machine stops while it holds the lock stops nobody else.
#[tokio::test]
async fn no_thread_of_the_runtime_waits_for_a_hashing_thread() {
    let pool = pool(1, 8);
    let (release, wait) = mpsc::channel::<()>();
    let (held, is_held) = tokio::sync::oneshot::channel();
    let engine = pool.handle.0.clone();
    let holder = std::thread::spawn(move || {
        let _state = engine.state.lock();
        held.send(()).unwrap();
        wait.recv()
    });
    is_held.await.unwrap();
    let job = {
        let pool = pool.clone();
        tokio::spawn(async move { pool.make_password(Some("horse")).await })
    };
    // The test has one thread: were it blocked, it would never get here.
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!((pool.stats().waiting, job.is_finished()), (0, false));
    drop(release);
    assert!(job.await.unwrap().is_ok());
    assert!(holder.join().unwrap().is_err());
}

/// Nor is there a timer.
#[test]
fn a_password_is_hashed_without_a_runtime() {
    let pool = pool(1, 8);
    let (held, is_held) = mpsc::channel();
    let engine = pool.handle.0.clone();
    let holder = std::thread::spawn(move || {
        let _state = engine.state.lock();
        held.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    });
    is_held.recv().unwrap();
    let mut made = std::pin::pin!(pool.make_password(Some("horse")));
    let mut context = Context::from_waker(Waker::noop());
    let (begun, made) = (Instant::now(), &mut made);
    let made = loop {
        if let Poll::Ready(made) = made.as_mut().poll(&mut context) {
            break made;
        }
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(made.is_ok());
    holder.join().unwrap();
}

#[test]
fn unused_memory_is_given_back_without_the_lock() {
    let pool = pool(1, 8);
    let engine = pool.engine();
    let mut state = engine.state.lock();
    let mut released = false;
    blocking::release(&mut state, || {
        released = engine.state.try_lock_for(PATIENCE).is_some();
    });
    assert!(released);
}

#[tokio::test]
async fn the_guard_hashes_where_the_others_get_no_time() {
    // There are none.
    let pool = starved_pool(hashers(), spawn_guard);
    let stored = pool.make_password(Some("horse")).await.unwrap();
    assert!(pool.verify("horse", &stored).await.unwrap().correct);
    assert_eq!(pool.run(|_| 7).await.unwrap(), 7);
    let engine = Arc::downgrade(&pool.handle.0);
    drop(pool);
    eventually(|| engine.strong_count() == 0, &"the guard lives").await;
}

/// A work that a thread is at cannot be handed over. The guard does it although no memory is left.
#[tokio::test]
async fn the_guard_begins_again_what_a_thread_has_begun() {
    for algorithm in ["bcrypt", "argon2"] {
        let pool = starved_pool(preferring(algorithm), |_| Ok(()));
        let stored = pool.hashers().make_password(Some("horse")).unwrap();
        let job = {
            let pool = pool.clone();
            tokio::spawn(async move { pool.verify("horse", &stored).await })
        };
        until(&pool, |stats| stats.waiting == 1).await;
        // A thread gets a core for so long that it takes the job, and not any longer.
        let engine = pool.handle.0.clone();
        let begun = engine.next_work(0).unwrap();
        until(&pool, |stats| stats.running == 1).await;
        spawn_guard(&engine).unwrap();
        let answer = tokio::time::timeout(PATIENCE, job).await;
        assert!(answer.unwrap().unwrap().unwrap().correct);
        until(&pool, |stats| stats.running == 0).await;
        // It gets to its end at last.
        engine.work(&begun, |state| state.works[0] = None);
        until(&pool, |stats| (stats.done, stats.memory) == (1, 0)).await;
    }
}

/// What the guard would do once, in a thread of its own.
fn as_guard(pool: &HashingPool, act: fn(&Engine) -> bool) -> std::thread::JoinHandle<bool> {
    let engine = pool.handle.0.clone();
    std::thread::spawn(move || act(&engine))
}

/// The work may wait for something: what comes after it is not left to the guard.
#[tokio::test]
async fn a_starved_thread_works_while_the_guard_is_at_a_work() {
    let pool = starved_pool(preferring("bcrypt"), |engine| {
        spawn_threads(engine, || false)
    });
    pool.engine().starved[1].store(true, SeqCst);
    let (first, blocked) = (pool.clone(), Arc::new(tokio::sync::Notify::new()));
    let begun = blocked.clone();
    let first = tokio::spawn(async move {
        let release = block(&first).await;
        begun.notify_one();
        release
    });
    until(&pool, |stats| stats.waiting == 1).await;
    let guard = as_guard(&pool, |engine| engine.work_waiting(u64::MAX));
    tokio::time::timeout(PATIENCE, blocked.notified())
        .await
        .unwrap();
    let second = tokio::time::timeout(PATIENCE, block(&pool)).await;
    until(&pool, |stats| (stats.running, stats.waiting) == (2, 0)).await;
    drop((first.await.unwrap(), second.unwrap()));
    assert!(guard.join().unwrap());
    until(&pool, |stats| (stats.running, stats.done) == (0, 2)).await;
}

/// A thread finds that the guard has what can be done once, and goes on to other things.
#[tokio::test]
async fn what_the_guard_has_begun_again_is_running() {
    let pool = starved_pool(preferring("bcrypt"), |_| Ok(()));
    let job = {
        let pool = pool.clone();
        tokio::spawn(async move { block(&pool).await })
    };
    until(&pool, |stats| stats.waiting == 1).await;
    let engine = pool.handle.0.clone();
    let begun = engine.next_work(0).unwrap();
    engine.starved[1].store(true, SeqCst);
    let guard = as_guard(&pool, |engine| engine.work_again(false));
    let release = tokio::time::timeout(PATIENCE, job).await.unwrap();
    assert_eq!(pool.stats().running, 1);
    engine.work(&begun, |state| state.works[0] = None);
    assert_eq!(pool.stats().running, 1);
    drop(release);
    assert!(guard.join().unwrap());
    until(&pool, |stats| (stats.running, stats.done) == (0, 1)).await;
}

#[tokio::test]
async fn a_starved_thread_hands_its_lanes_to_the_guard() {
    let pool = starved_pool(hashers(), |engine| {
        spawn_threads(engine, || false)?;
        spawn_guard(engine)
    });
    let long = endless(&pool, Client::default());
    let with_the_guard = || {
        let state = pool.engine().state.lock();
        (state.guard_load, state.loads[0], state.lanes()) == (1, 0, 1)
    };
    eventually(with_the_guard, &"the guard has none").await;
    until(&pool, |stats| (stats.lanes, stats.running) == (1, 1)).await;
    long.abort();
    until(&pool, |stats| stats.running == 0 && stats.dropped == 1).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn threads_run_where_nobody_else_wants_the_core() {
    use thread_priority::{NormalThreadSchedulePolicy, ThreadSchedulePolicy};

    let policy = |_: &Hashers| thread_priority::thread_schedule_policy().unwrap();
    let size = Size {
        threads: 1,
        queue: 8,
        memory: 0,
    };
    let start = |engine: &Arc<Engine>| spawn_threads(engine, priority::last);
    let pool = HashingPool::with_threads(hashers(), size, start).unwrap();
    let there = pool.run(policy).await.unwrap();
    let idle = NormalThreadSchedulePolicy::Idle;
    assert_eq!(there, ThreadSchedulePolicy::Normal(idle));
}

/// In the middle of a hash, because one takes longer than others can wait.
#[tokio::test]
async fn threads_for_idle_times_offer_their_core_while_they_hash() {
    for idle in [true, false] {
        let priority: fn() -> bool = if idle { || true } else { || false };
        let size = Size {
            threads: 1,
            queue: 8,
            memory: 0,
        };
        let start = |engine: &Arc<Engine>| spawn_threads(engine, priority);
        let pool = HashingPool::with_threads(hashers(), size, start).unwrap();
        let made = pool.run(offers_of_argon2).await.unwrap();
        assert!(if idle { made >= 64 } else { made == 0 }, "{made} times");
    }
}

/// It is only nice, and whoever wakes up would wait for it until the next tick.
#[tokio::test]
async fn the_guard_offers_its_core_while_it_hashes() {
    let pool = starved_pool(hashers(), spawn_guard);
    let made = pool.run(offers_of_argon2).await.unwrap();
    // On a busy machine it waits long each time, and its turns are long then.
    assert!(made >= 4, "{made} times");
}

fn offers_of_argon2(_: &Hashers) -> usize {
    let mut parameters = Parameters::default();
    parameters.set("argon2", "parallelism", 1).unwrap();
    parameters.set("argon2", "memory_cost", 16 * 1024).unwrap();
    let hashers = Hashers::from_names(&["argon2"], &parameters).unwrap();
    hashers.make_password(Some("horse")).unwrap();
    priority::OFFERS.get()
}

/// Nobody would see it starve.
#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_cannot_be_seen_is_only_nice() {
    use thread_priority::{NormalThreadSchedulePolicy, ThreadSchedulePolicy};

    let thread = std::thread::spawn(|| {
        priority::step_back(false, priority::last);
        thread_priority::thread_schedule_policy().unwrap()
    });
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    assert_ne!(thread.join().unwrap(), idle);
}
