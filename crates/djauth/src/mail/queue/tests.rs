use std::sync::atomic::AtomicUsize;

use djauth_signing::SecretKey;
use futures_util::future::BoxFuture;

use super::*;
use crate::mail::MemorySender;

fn settings(queue: u64) -> Settings {
    let mut settings = Settings::new(SecretKey::new("a key for tests of mail").unwrap());
    settings.email_queue = queue;
    settings
}

fn message() -> EmailMessage {
    EmailMessage::new("Hello", "", ["alice@example.com"])
}

/// Sends when it is allowed to.
#[derive(Clone)]
struct Slow {
    gate: Arc<Semaphore>,
    sent: Arc<AtomicUsize>,
}

impl Slow {
    fn new() -> Self {
        Self {
            gate: Arc::new(Semaphore::new(0)),
            sent: Arc::default(),
        }
    }
}

impl MailSender for Slow {
    fn send(&self, _: EmailMessage) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            self.gate.acquire().await.unwrap().forget();
            self.sent.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
        .boxed()
    }
}

#[tokio::test]
async fn messages_leave_in_the_background_with_a_sender() {
    let sender = MemorySender::default();
    let queue = MailQueue::new(Arc::new(sender.clone()), &settings(8));
    assert!(queue.push(message()));
    assert!(queue.push(message().from_email("own@example.com")));
    queue.idle().await;
    let from: Vec<_> = sender
        .outbox()
        .into_iter()
        .map(|sent| sent.from_email)
        .collect();
    assert_eq!(from.len(), 2);
    assert!(from.contains(&Some("webmaster@localhost".into())));
    assert!(from.contains(&Some("own@example.com".into())));
}

#[tokio::test]
async fn what_a_full_queue_does_not_take_is_dropped() {
    let slow = Slow::new();
    let queue = MailQueue::new(Arc::new(slow.clone()), &settings(6));
    let taken = (0..10).filter(|_| queue.push(message())).count();
    assert_eq!((taken, queue.waiting()), (6, 6));
    slow.gate.add_permits(6);
    queue.idle().await;
    assert_eq!(slow.sent.load(Ordering::SeqCst), 6);
    assert!(queue.push(message()), "there is room again");
}

#[tokio::test]
async fn the_end_waits_for_what_waits_and_takes_nothing_more() {
    let slow = Slow::new();
    let queue = MailQueue::new(Arc::new(slow.clone()), &settings(64));
    assert!((0..20).all(|_| queue.push(message())));
    let gate = slow.gate.clone();
    let draining = queue.drain(Duration::from_secs(3600));
    let opening = async move { gate.add_permits(20) };
    let (drained, ()) = tokio::join!(draining, opening);
    assert!(drained);
    assert_eq!(slow.sent.load(Ordering::SeqCst), 20);
    assert!(!queue.push(message()));
}

#[tokio::test]
async fn the_end_does_not_wait_for_ever() {
    let queue = MailQueue::new(Arc::new(Slow::new()), &settings(8));
    assert!(queue.push(message()));
    assert!(!queue.drain(Duration::from_millis(1)).await);
    assert_eq!(queue.waiting(), 1);
}

#[tokio::test]
async fn one_failure_does_not_stop_the_rest() {
    let sender = MemorySender::default();
    let queue = MailQueue::new(Arc::new(sender.clone()), &settings(8));
    let wrong = EmailMessage::new("Hello", "", ["nobody"]);
    assert!(queue.defer("1", async move { Ok(vec![wrong, message()]) }));
    assert!(queue.defer("2", async { Err(Error::value("no template")) }));
    assert!(queue.defer("3", async { panic!("shown on stderr by design") }));
    queue.idle().await;
    assert_eq!(sender.outbox().len(), 1);
    assert_eq!(queue.waiting(), 0);
}
