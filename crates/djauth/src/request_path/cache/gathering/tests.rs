//! Every order in which callers can come, ask, be told and go away.

use std::cell::Cell;
use std::future::pending;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake};

use super::*;

/// Moves on with everything that happens.
type Now = Rc<Cell<u64>>;

fn tick(now: &Now) -> u64 {
    now.set(now.get() + 1);
    now.get()
}

/// Lets the others run, once.
async fn pause() {
    let mut over = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        match std::mem::replace(&mut over, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

/// The moment at which the question began that answers this caller.
async fn caller(gathering: &Gathering<u64>, now: Now) {
    let came = tick(&now);
    let answer = async {
        let began = tick(&now);
        pause().await;
        began
    };
    let told = gathering.ask(pause(), answer, pending()).await;
    if let Some(began) = told {
        assert!(began > came, "an answer from before the question");
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

struct Task<'a> {
    future: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    woken: Arc<Woken>,
}

impl<'a> Task<'a> {
    fn new(future: impl Future<Output = ()> + 'a) -> Self {
        Self {
            future: Some(Box::pin(future)),
            woken: Arc::new(Woken(AtomicBool::new(true))),
        }
    }

    fn can_run(&self) -> bool {
        self.future.is_some() && self.woken.0.load(Ordering::Acquire)
    }

    fn run(&mut self) {
        self.woken.0.store(false, Ordering::Release);
        let waker = Waker::from(self.woken.clone());
        let future = self.future.as_mut().map(Pin::as_mut);
        let done =
            future.is_none_or(|future| future.poll(&mut Context::from_waker(&waker)).is_ready());
        if done {
            self.future = None;
        }
    }
}

/// One order, as the choice at each step: some caller runs, or the one who may goes away.
fn run(path: &mut Vec<(usize, usize)>, goes: Option<usize>) {
    let (gathering, now) = (Gathering::default(), Now::default());
    let mut tasks: Vec<_> = (0..3)
        .map(|_| Task::new(caller(&gathering, now.clone())))
        .collect();
    let mut goes = goes;
    for depth in 0.. {
        let can_run = |at: &usize| tasks[*at].can_run();
        let running: Vec<_> = (0..tasks.len()).filter(can_run).collect();
        let leaves = goes.filter(|at| tasks[*at].future.is_some());
        let choices = running.len() + usize::from(leaves.is_some());
        if choices == 0 {
            break;
        }
        if depth == path.len() {
            path.push((0, choices));
        }
        match running.get(path[depth].0) {
            Some(at) => tasks[*at].run(),
            None => {
                tasks[leaves.expect("is a choice")].future = None;
                goes = None;
            }
        }
    }
    let waits = tasks.iter().any(|task| task.future.is_some());
    assert!(!waits, "somebody waits for ever");
    assert!(gathering.open.lock().is_none(), "a group stays open");
}

fn next(path: &mut Vec<(usize, usize)>) -> bool {
    while let Some((choice, choices)) = path.pop() {
        if choice + 1 < choices {
            path.push((choice + 1, choices));
            return true;
        }
    }
    false
}

#[test]
fn no_order_gives_an_old_answer_or_none() {
    for goes in [None, Some(0)] {
        let (mut path, mut orders) = (Vec::new(), 0);
        loop {
            run(&mut path, goes);
            orders += 1;
            if !next(&mut path) {
                break;
            }
        }
        assert!(orders > 100, "{orders}");
    }
}

#[test]
fn those_who_come_together_ask_once() {
    let (gathering, asked) = (Gathering::default(), Cell::new(0));
    let ask = || {
        let answer = async {
            asked.set(asked.get() + 1);
            asked.get()
        };
        gathering.ask(pause(), answer, pending())
    };
    let (mut first, mut second, mut third) = (pin!(ask()), pin!(ask()), pin!(ask()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    assert_eq!(first.as_mut().poll(&mut context), Poll::Ready(Some(1)));
    assert!(third.as_mut().poll(&mut context).is_pending());
    assert_eq!(second.as_mut().poll(&mut context), Poll::Ready(Some(1)));
    assert_eq!(third.as_mut().poll(&mut context), Poll::Ready(Some(2)));
}

/// The first may be held by somebody who asks it no more.
#[test]
fn nobody_waits_longer_than_the_patience() {
    let gathering = Gathering::<u8>::default();
    let mut first = pin!(gathering.ask(pause(), async { 1 }, pending()));
    let mut second = pin!(gathering.ask(pause(), async { 2 }, pause()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    assert_eq!(second.as_mut().poll(&mut context), Poll::Ready(None));
    assert_eq!(first.as_mut().poll(&mut context), Poll::Ready(Some(1)));
}
