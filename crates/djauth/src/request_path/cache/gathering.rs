//! Callers who come at about the same time share one answer, which is asked for after all of them have come.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use parking_lot::Mutex;

/// Where callers meet.
pub(super) struct Gathering<T> {
    /// The group that may still be joined.
    open: Mutex<Option<Arc<Group<T>>>>,
}

struct Group<T>(Mutex<Members<T>>);

enum Members<T> {
    Waiting(Vec<Waker>),
    /// None: whoever was to ask has gone.
    Told(Option<T>),
}

/// The first of a group, who asks for all.
struct First<'a, T: Copy> {
    gathering: &'a Gathering<T>,
    group: Arc<Group<T>>,
}

impl<T> Default for Gathering<T> {
    fn default() -> Self {
        Self {
            open: Mutex::new(None),
        }
    }
}

impl<T: Copy> Gathering<T> {
    /// What `answer` gives, begun at a moment after this call: by the first who comes, once `others` is over.
    /// `None`: the first has gone without it, or `patience` was over sooner.
    pub(super) async fn ask(
        &self,
        others: impl Future<Output = ()>,
        answer: impl Future<Output = T>,
        patience: impl Future<Output = ()>,
    ) -> Option<T> {
        match self.join() {
            Ok(first) => {
                others.await;
                first.close();
                let answer = answer.await;
                first.group.tell(Some(answer));
                Some(answer)
            }
            Err(group) => group.wait(patience).await,
        }
    }

    /// Comes first, or joins those who are there.
    fn join(&self) -> Result<First<'_, T>, Arc<Group<T>>> {
        let mut open = self.open.lock();
        if let Some(group) = &*open {
            return Err(group.clone());
        }
        let group = Arc::new(Group(Mutex::new(Members::Waiting(Vec::new()))));
        *open = Some(group.clone());
        Ok(First {
            gathering: self,
            group,
        })
    }
}

impl<T: Copy> First<'_, T> {
    /// Whoever comes from now on meets others.
    fn close(&self) {
        let mut open = self.gathering.open.lock();
        if open
            .as_ref()
            .is_some_and(|open| Arc::ptr_eq(open, &self.group))
        {
            *open = None;
        }
    }
}

/// A request whose client has gone in the middle keeps nobody waiting.
impl<T: Copy> Drop for First<'_, T> {
    fn drop(&mut self) {
        self.close();
        self.group.tell(None);
    }
}

impl<T: Copy> Group<T> {
    /// Tells all; once.
    fn tell(&self, answer: Option<T>) {
        let mut members = self.0.lock();
        if let Members::Waiting(wakers) = &mut *members {
            let wakers = std::mem::take(wakers);
            *members = Members::Told(answer);
            drop(members);
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    async fn wait(&self, patience: impl Future<Output = ()>) -> Option<T> {
        let mut patience = pin!(patience);
        poll_fn(|context| {
            if let Members::Told(answer) = &*self.0.lock() {
                return Poll::Ready(*answer);
            }
            if patience.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            self.join(context.waker())
        })
        .await
    }

    /// To be woken when there is an answer, unless it has come meanwhile.
    fn join(&self, waker: &Waker) -> Poll<Option<T>> {
        match &mut *self.0.lock() {
            Members::Told(answer) => return Poll::Ready(*answer),
            Members::Waiting(wakers) => {
                if !wakers.iter().any(|known| known.will_wake(waker)) {
                    wakers.push(waker.clone());
                }
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
