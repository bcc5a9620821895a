//! The time that a client has for the head of a request, without a timer for each request.
//!
//! hyper makes a timer for every head that it waits for, and drops it when the head is there. Of a
//! connection that is kept alive nearly all are dropped, and each would be put into tokio's wheel and be
//! taken out again. Here all of them share the one timer of their connection, which is never moved
//! forward before it has rung: it then looks what it is to wait for now.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use parking_lot::Mutex;

/// The timer of one connection.
#[derive(Clone, Default)]
pub(super) struct HeaderTimer(Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>);

struct Wait {
    deadline: Instant,
    timer: HeaderTimer,
}

impl Timer for HeaderTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Wait {
            deadline,
            timer: self.clone(),
        })
    }
}

impl Sleep for Wait {}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = tokio::time::Instant::from(self.deadline);
        let mut shared = self.timer.0.lock();
        let bell = shared.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if bell.deadline() > deadline {
            bell.as_mut().reset(deadline);
        }
        loop {
            ready!(bell.as_mut().poll(cx));
            if bell.deadline() >= deadline {
                return Poll::Ready(());
            }
            bell.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    /// If the timer's ring for somebody who has gone were the last, this would not end.
    #[tokio::test]
    async fn who_waits_is_woken_whoever_waited_before() {
        let timer = HeaderTimer::default();
        for _ in 0..20 {
            // Whether it is there by now or not, nobody waits for it any more.
            let _ = poll_immediate(timer.sleep(SHORT)).await;
        }
        let start = Instant::now();
        timer.sleep(3 * SHORT).await;
        assert!(start.elapsed() >= 3 * SHORT);
    }

    /// If the timer could only be moved forward, this would not end.
    #[tokio::test]
    async fn a_shorter_time_counts_too() {
        let timer = HeaderTimer::default();
        let long = poll_immediate(timer.sleep(SHORT * 1_000_000)).await;
        assert!(long.is_none());
        timer.sleep(SHORT).await;
    }
}
