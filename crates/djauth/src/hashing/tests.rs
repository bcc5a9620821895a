use std::sync::mpsc;

use djauth_hashers::Parameters;

use super::*;

fn hashers() -> Hashers {
    let mut parameters = Parameters::default();
    parameters.set("pbkdf2_sha256", "iterations", 10).unwrap();
    Hashers::from_names(&["pbkdf2_sha256", "md5", "bcrypt"], &parameters).unwrap()
}

fn pool(threads: usize, queue: usize) -> HashingPool {
    HashingPool::new(hashers(), threads, queue).unwrap()
}

/// Keeps a thread busy until the sender is dropped; comes back when the thread is at it.
async fn block(pool: &HashingPool) -> mpsc::Sender<()> {
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
    pool.harden_runtime().await.unwrap();
}

#[tokio::test]
async fn upgrades_in_the_same_job() {
    let pool = pool(1, 8);
    let salt = "abcdefghijklmnopqrstuv";
    let md5 = pool
        .hashers()
        .get_hasher("md5")
        .unwrap()
        .encode(b"horse", salt)
        .unwrap();
    let checked = pool.check_password("horse", &md5).await.unwrap();
    assert!(checked.verified.correct);
    let upgraded = checked.upgraded.unwrap();
    assert!(upgraded.starts_with("pbkdf2_sha256$10$"));
    assert!(
        pool.check_password("horse", &upgraded)
            .await
            .unwrap()
            .upgraded
            .is_none()
    );
    assert!(
        pool.check_password("mule", &md5)
            .await
            .unwrap()
            .upgraded
            .is_none()
    );
}

#[tokio::test]
async fn a_full_queue_is_busy_and_recovers() {
    let pool = pool(1, 1);
    let release = block(&pool).await;
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.run(|_| 7).await }
    });
    while pool.pool.submit(|| ()).is_some() {
        // The first of these takes the place of a waiter that has not come yet.
        tokio::task::yield_now().await;
    }
    let error = pool.verify("x", "y").await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Busy);
    assert!(error.try_again_after().is_some());
    drop(release);
    assert!(matches!(waiting.await.unwrap(), Ok(7)) || pool.run(|_| 7).await.is_ok());
    assert_eq!(pool.run(|_| 8).await.unwrap(), 8);
}

#[tokio::test]
async fn jobs_without_a_caller_are_dropped() {
    let pool = pool(1, 2);
    let release = block(&pool).await;
    let (ran, runs) = mpsc::channel();
    for _ in 0..5 {
        let ran = ran.clone();
        drop(
            pool.pool
                .submit(move || ran.send(()))
                .expect("abandoned jobs make room"),
        );
    }
    drop(release);
    pool.run(|_| ()).await.unwrap();
    drop(ran);
    assert!(runs.recv().is_err(), "nobody waited for these");
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_thread_lives() {
    let pool = pool(1, 8);
    let error: Result<(), _> = pool
        .run(|_| std::panic::resume_unwind(Box::new("no")))
        .await;
    assert_eq!(error.unwrap_err().kind(), &ErrorKind::Hashing);
    assert_eq!(pool.run(|_| 1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_password_that_is_too_long_is_a_value_error() {
    let bcrypt = Hashers::from_names(&["bcrypt"], &Parameters::default()).unwrap();
    let pool = HashingPool::new(bcrypt, 1, 1).unwrap();
    let error = pool.make_password(Some(&"x".repeat(73))).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Value);
}

#[tokio::test]
async fn threads_end_with_the_pool() {
    let pool = pool(1, 8);
    let shared = pool.run(|_| std::thread::current().id()).await;
    assert!(shared.is_ok());
    let answer = {
        let release = block(&pool).await;
        let answer = pool.pool.submit(|| ());
        drop(pool);
        drop(release);
        answer.unwrap()
    };
    // The clone inside `block` goes when its job has been answered; then the queue is closed.
    let _ = answer.await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn hashing_threads_step_back() {
    let nice = |_: &Hashers| rustix::process::getpriority_process(None).unwrap();
    let here = rustix::process::getpriority_process(None).unwrap();
    let there = pool(1, 8).run(nice).await.unwrap();
    assert_eq!(there, (here + 10).min(19));
}
