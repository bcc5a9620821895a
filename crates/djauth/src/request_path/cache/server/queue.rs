//! Requests that wait for their proofs, and the lanes that take them along.
//!
//! What goes with a statement is settled before it is sent: whoever comes later waits for the next one. The test of
//! all interleavings runs this with a simulated server.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Proof;

/// Asks about all that wait, and tells each.
pub(in crate::request_path::cache) trait Ask:
    Send + Sync + Sized + 'static
{
    /// What is asked about.
    type Token: Send + Sync + 'static;

    /// Proofs in one statement.
    const MOST: usize;

    fn answer(&self, waiting: Vec<Waiting<Self::Token>>) -> impl Future<Output = ()> + Send;

    /// Lets others come before a statement is sent.
    fn others(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// A request that waits for its proof.
pub(in crate::request_path::cache) struct Waiting<T> {
    pub(in crate::request_path::cache) token: Arc<T>,
    pub(in crate::request_path::cache) answer: oneshot::Sender<Proof>,
}

/// All requests that wait.
pub(in crate::request_path::cache) struct Queue<A: Ask> {
    ask: A,
    /// Statements under way at once.
    lanes: usize,
    state: Mutex<State<A::Token>>,
}

struct State<T> {
    waiting: Vec<Waiting<T>>,
    /// Lanes that are running.
    running: usize,
}

impl<A: Ask> Queue<A> {
    pub(in crate::request_path::cache) fn new(ask: A, lanes: usize) -> Self {
        let state = State {
            waiting: Vec::new(),
            running: 0,
        };
        Self {
            ask,
            lanes,
            state: Mutex::new(state),
        }
    }

    /// Where the proof will come, and perhaps a lane, which somebody must run.
    pub(in crate::request_path::cache) fn join(
        self: &Arc<Self>,
        token: Arc<A::Token>,
    ) -> (oneshot::Receiver<Proof>, Option<Lane<A>>) {
        let (answer, proof) = oneshot::channel();
        let mut state = self.state.lock();
        state.waiting.push(Waiting { token, answer });
        let more = state.running < self.lanes;
        state.running += usize::from(more);
        let lane = more.then(|| Lane {
            queue: self.clone(),
            running: true,
        });
        (proof, lane)
    }

    pub(in crate::request_path::cache) fn ask(&self) -> &A {
        &self.ask
    }

    /// Who waits, and how many lanes run.
    #[cfg(test)]
    pub(in crate::request_path::cache) fn state(&self) -> (Vec<Arc<A::Token>>, usize) {
        let state = self.state.lock();
        let waiting = state.waiting.iter().map(|waiting| waiting.token.clone());
        (waiting.collect(), state.running)
    }

    /// What a lane must not do: takes those along who came after the statement was sent.
    #[cfg(test)]
    pub(in crate::request_path::cache) fn late(&self) -> Vec<Waiting<A::Token>> {
        std::mem::take(&mut self.state.lock().waiting)
    }
}

/// A task that sends what waits, and ends when nothing does.
pub(in crate::request_path::cache) struct Lane<A: Ask> {
    queue: Arc<Queue<A>>,
    /// Whether it is still counted.
    running: bool,
}

impl<A: Ask> Lane<A> {
    pub(in crate::request_path::cache) async fn run(mut self) {
        loop {
            self.queue.ask.others().await;
            let Some(waiting) = self.next() else {
                return;
            };
            self.queue.ask.answer(waiting).await;
        }
    }

    /// What goes with the next statement. Without any the lane has ended before the next request looks.
    fn next(&mut self) -> Option<Vec<Waiting<A::Token>>> {
        let mut state = self.queue.state.lock();
        if state.waiting.is_empty() {
            state.running -= 1;
            self.running = false;
            return None;
        }
        let most = state.waiting.len().min(A::MOST);
        let rest = state.waiting.split_off(most);
        Some(std::mem::replace(&mut state.waiting, rest))
    }
}

/// A task that went with its runtime: whoever waits takes the ordinary path.
impl<A: Ask> Drop for Lane<A> {
    fn drop(&mut self) {
        if !self.running {
            return;
        }
        let mut state = self.queue.state.lock();
        state.running -= 1;
        if state.running == 0 {
            state.waiting.clear();
        }
    }
}
