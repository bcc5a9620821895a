//! The one writer: a thread with a queue that groups what waits into one commit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::errors::map;
use super::lease::{self, Lease};
use super::statement::{self, Rows};
use crate::own_writes::OwnWrites;
use crate::sql::Text;
use crate::{Error, ErrorKind, Result, Value};

/// Writes that may wait. More are refused with `Busy`: a longer queue would only hide that the disk
/// cannot follow.
const QUEUE: usize = 1024;

/// Writes in one commit, so that the first does not wait for ever on the last.
const GROUP: usize = 128;

/// One statement for the writer.
pub(super) struct Statement {
    pub(super) sql: Text,
    pub(super) params: Vec<Value<'static>>,
    pub(super) want: Want,
}

/// What the caller wants to know.
#[derive(Clone, Copy)]
pub(super) enum Want {
    Count,
    Key,
    Rows,
}

pub(super) enum Answer {
    Number(i64),
    Rows(Rows),
}

impl Answer {
    pub(super) fn number(self) -> i64 {
        match self {
            Answer::Number(number) => number,
            Answer::Rows(rows) => i64::try_from(rows.rows.len()).unwrap_or(i64::MAX),
        }
    }

    pub(super) fn rows(self) -> Rows {
        match self {
            Answer::Rows(rows) => rows,
            Answer::Number(_) => Rows::default(),
        }
    }
}

impl Statement {
    pub(super) fn run(&self, connection: &Connection) -> Result<Answer> {
        let sql = self.sql.as_str();
        if let Want::Rows = self.want {
            return statement::collect(connection, sql, &self.params).map(Answer::Rows);
        }
        let count = statement::execute(connection, sql, &self.params)?;
        Ok(Answer::Number(match self.want {
            Want::Key => connection.last_insert_rowid(),
            _ => count.cast_signed(),
        }))
    }
}

/// Waiting, begun, or given up by its caller: exactly one side decides.
#[derive(Default)]
struct Claim(AtomicU8);

impl Claim {
    fn begin(&self) -> bool {
        self.0
            .compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn give_up(&self) -> bool {
        self.0
            .compare_exchange(0, 2, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

struct Job {
    task: Task,
    claim: Arc<Claim>,
    deadline: Instant,
}

enum Task {
    Write(Statement, oneshot::Sender<Result<Answer>>),
    Lease(oneshot::Sender<Result<Lease>>),
}

impl Task {
    fn refuse(self, error: Error) {
        match self {
            Task::Write(_, reply) => drop(reply.send(Err(error))),
            Task::Lease(reply) => drop(reply.send(Err(error))),
        }
    }
}

/// The caller's end of the writer.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    wait: Duration,
    ended: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

impl Writer {
    /// Starts the thread. It ends when the writer is dropped or closed.
    pub(super) fn start(
        connection: Connection,
        wait: Duration,
        own_writes: OwnWrites,
    ) -> Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (end, ended) = oneshot::channel();
        let idle_limit = lease::idle_limit(wait);
        std::thread::Builder::new()
            .name("djauth-sqlite".into())
            .spawn(move || {
                Thread {
                    connection,
                    queue,
                    waiting: VecDeque::new(),
                    idle_limit,
                    own_writes,
                }
                .run();
                let _ = end.send(());
            })
            .map_err(|e| Error::new(ErrorKind::Other, "cannot start a thread").with_source(e))?;
        Ok(Writer {
            jobs,
            wait,
            ended: tokio::sync::Mutex::new(Some(ended)),
        })
    }

    /// Runs one statement in a commit that it may share with others.
    pub(super) async fn write(&self, statement: Statement) -> Result<Answer> {
        self.ask(|reply| Task::Write(statement, reply)).await
    }

    /// The writer for oneself, in a transaction.
    pub(super) async fn lease(&self) -> Result<Lease> {
        self.ask(Task::Lease).await
    }

    async fn ask<T>(&self, task: impl FnOnce(oneshot::Sender<Result<T>>) -> Task) -> Result<T> {
        let deadline = Instant::now() + self.wait;
        let (reply, mut answer) = oneshot::channel();
        let claim = Arc::new(Claim::default());
        let job = Job {
            task: task(reply),
            claim: Arc::clone(&claim),
            deadline,
        };
        self.jobs.try_send(job).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => busy("the queue of writes is full"),
            mpsc::error::TrySendError::Closed(_) => Error::closed(),
        })?;
        let late = tokio::time::timeout_at(deadline.into(), &mut answer).await;
        let received = match late {
            Ok(received) => received,
            Err(_) if claim.give_up() => {
                return Err(busy("the writer stayed with another transaction"));
            }
            // It has begun: only its end tells what became of it.
            Err(_) => answer.await,
        };
        received.unwrap_or_else(|_| Err(Error::closed()))
    }

    /// Ends the thread after what is queued.
    pub(super) async fn close(&self) {
        let Some(ended) = self.ended.lock().await.take() else {
            return;
        };
        let (reply, _answer) = oneshot::channel();
        let close = Job {
            task: Task::Write(
                Statement {
                    sql: Text::Static(""),
                    params: Vec::new(),
                    want: Want::Count,
                },
                reply,
            ),
            claim: Arc::new(Claim(AtomicU8::new(CLOSE))),
            deadline: Instant::now(),
        };
        if self.jobs.send(close).await.is_ok() {
            let _ = ended.await;
        }
    }
}

/// In the claim of the job that ends the thread.
const CLOSE: u8 = 3;

fn busy(text: &'static str) -> Error {
    Error::new(ErrorKind::Busy, format!("SQLite: {text}"))
}

/// The thread's own state.
struct Thread {
    connection: Connection,
    queue: mpsc::Receiver<Job>,
    /// Taken from the queue, but not part of the group that was being made.
    waiting: VecDeque<Job>,
    idle_limit: Duration,
    own_writes: OwnWrites,
}

type Done = (Statement, oneshot::Sender<Result<Answer>>, Result<Answer>);

impl Thread {
    fn run(mut self) {
        while let Some(job) = self
            .waiting
            .pop_front()
            .or_else(|| self.queue.blocking_recv())
        {
            if job.claim.0.load(Ordering::Acquire) == CLOSE {
                return self.finish();
            }
            if !job.claim.begin() {
                continue;
            }
            let wait = job.deadline.saturating_duration_since(Instant::now());
            match job.task {
                Task::Lease(reply) => {
                    let limits = (wait, self.idle_limit);
                    lease::serve(&self.connection, limits, &self.own_writes, reply);
                }
                Task::Write(statement, reply) => self.group(statement, reply, wait),
            }
        }
    }

    /// Refuses what came too late.
    fn finish(mut self) {
        self.queue.close();
        while let Some(job) = self.queue.blocking_recv() {
            job.task.refuse(Error::closed());
        }
    }

    /// One commit for the first write and those that wait behind it.
    fn group(&mut self, first: Statement, reply: oneshot::Sender<Result<Answer>>, wait: Duration) {
        if let Err(e) = begin(&self.connection, wait) {
            drop(reply.send(Err(e)));
            return;
        }
        self.own_writes.bump();
        let mut done: Vec<Done> = Vec::new();
        let mut next = Some((first, reply));
        while let Some((statement, reply)) = next {
            let answer = in_savepoint(&self.connection, |c| statement.run(c));
            done.push((statement, reply, answer));
            if self.connection.is_autocommit() {
                return give_up(done);
            }
            next = if done.len() < GROUP {
                self.next_write()
            } else {
                None
            };
        }
        self.commit(done);
    }

    /// The next write, if one waits right now.
    fn next_write(&mut self) -> Option<(Statement, oneshot::Sender<Result<Answer>>)> {
        loop {
            let job = self.queue.try_recv().ok()?;
            let is_write = matches!(job.task, Task::Write(..));
            if !is_write || job.claim.0.load(Ordering::Acquire) == CLOSE {
                self.waiting.push_back(job);
                return None;
            }
            if !job.claim.begin() {
                continue;
            }
            if let Task::Write(statement, reply) = job.task {
                return Some((statement, reply));
            }
        }
    }

    /// Commits and answers. Foreign keys of Django's tables are checked at the commit: when one
    /// fails there, each write gets a commit of its own, so that only the guilty one fails.
    fn commit(&self, done: Vec<Done>) {
        let committed = commit(&self.connection);
        self.own_writes.bump();
        let shared = done.len() > 1;
        for (statement, reply, answer) in done {
            let answer = match &committed {
                Ok(()) => answer,
                Err(e) if shared && *e.kind() == ErrorKind::ForeignKeyViolation => {
                    self.alone(&statement)
                }
                Err(e) => Err(Error::new(e.kind().clone(), e.to_string())),
            };
            drop(reply.send(answer));
        }
    }

    fn alone(&self, statement: &Statement) -> Result<Answer> {
        begin(&self.connection, Duration::from_secs(1))?;
        let answer = statement.run(&self.connection);
        if answer.is_ok() {
            let committed = commit(&self.connection);
            self.own_writes.bump();
            committed?;
        } else {
            rollback(&self.connection);
        }
        answer
    }
}

/// SQLite has rolled the whole transaction back by itself (disk full, I/O error): nobody's write
/// is there.
fn give_up(done: Vec<Done>) {
    let cause = done.last().and_then(|(_, _, answer)| answer.as_ref().err());
    let (kind, text) = cause.map_or_else(
        || {
            (
                ErrorKind::Other,
                "SQLite: the transaction was rolled back".to_owned(),
            )
        },
        |e| (e.kind().clone(), e.to_string()),
    );
    for (_, reply, _) in done {
        drop(reply.send(Err(Error::new(kind.clone(), text.clone()))));
    }
}

/// Begins with the write lock, waiting for it at most this long.
pub(super) fn begin(connection: &Connection, wait: Duration) -> Result<()> {
    connection.busy_timeout(wait).map_err(map)?;
    run(connection, "BEGIN IMMEDIATE")
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection
        .prepare_cached(sql)
        .and_then(|mut s| s.execute([]))
        .map(drop)
        .map_err(map)
}

/// Commits; rolled back when that fails.
pub(super) fn commit(connection: &Connection) -> Result<()> {
    // In rollback-journal mode the commit waits for readers.
    let committed = run(connection, "COMMIT");
    if committed.is_err() {
        rollback(connection);
    }
    committed
}

pub(super) fn rollback(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    if let Err(e) = connection.execute_batch("ROLLBACK").map_err(map) {
        tracing::error!(error = %e, "SQLite did not roll back");
    }
}

fn in_savepoint<T>(connection: &Connection, f: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    run(connection, "SAVEPOINT djauth_write")?;
    let answer = f(connection);
    if answer.is_err() && !connection.is_autocommit() {
        run(connection, "ROLLBACK TO djauth_write")?;
    }
    if !connection.is_autocommit() {
        run(connection, "RELEASE djauth_write")?;
    }
    answer
}
