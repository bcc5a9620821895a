//! A transaction on SQLite: the writer serves one caller until commit, rollback or drop.

use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::errors::map;
use super::writer::{Answer, Statement, begin, commit, rollback};
use crate::own_writes::OwnWrites;
use crate::{Error, Result};

/// How long a transaction may stay without a statement, holding every other writer up, before it
/// is rolled back.
pub(super) fn idle_limit(busy_timeout: Duration) -> Duration {
    (busy_timeout * 2).max(Duration::from_secs(1))
}

enum Command {
    Run(Statement, oneshot::Sender<Result<Answer>>),
    Batch(String, oneshot::Sender<Result<()>>),
    Commit(oneshot::Sender<Result<()>>),
    Rollback(oneshot::Sender<Result<()>>),
}

/// The caller's end. Dropped: rolled back.
pub(crate) struct Lease(mpsc::Sender<Command>);

impl Lease {
    pub(super) async fn run(&self, statement: Statement) -> Result<Answer> {
        self.ask(|reply| Command::Run(statement, reply)).await
    }

    pub(super) async fn batch(&self, sql: String) -> Result<()> {
        self.ask(|reply| Command::Batch(sql, reply)).await
    }

    pub(super) async fn commit(&self) -> Result<()> {
        self.ask(Command::Commit).await
    }

    pub(super) async fn rollback(&self) -> Result<()> {
        self.ask(Command::Rollback).await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T>>) -> Command,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.0
            .send(command(reply))
            .map_err(|_| Error::transaction_over())?;
        answer.await.map_err(|_| Error::transaction_over())?
    }
}

/// Serves one transaction on the writer's thread. It waits for the lock, and for each statement, at
/// most so long.
pub(super) fn serve(
    connection: &Connection,
    (wait, idle_limit): (Duration, Duration),
    own_writes: &OwnWrites,
    reply: oneshot::Sender<Result<Lease>>,
) {
    if let Err(e) = begin(connection, wait) {
        drop(reply.send(Err(e)));
        return;
    }
    let (commands, queue) = mpsc::channel();
    if reply.send(Ok(Lease(commands))).is_ok() {
        let _writing = own_writes.begin();
        serve_commands(connection, &queue, idle_limit, own_writes);
    }
    rollback(connection);
}

fn serve_commands(
    connection: &Connection,
    queue: &mpsc::Receiver<Command>,
    idle_limit: Duration,
    own_writes: &OwnWrites,
) {
    loop {
        let command = queue.recv_timeout(idle_limit);
        // A full disk or a trigger may have rolled everything back: what came next would be
        // committed statement by statement.
        if connection.is_autocommit() {
            return;
        }
        match command {
            Ok(Command::Run(statement, reply)) => drop(reply.send(statement.run(connection))),
            Ok(Command::Batch(sql, reply)) => {
                drop(reply.send(connection.execute_batch(&sql).map_err(map)));
            }
            Ok(Command::Commit(reply)) => {
                let committed = commit(connection);
                // Before the caller hears of it.
                own_writes.bump();
                return drop(reply.send(committed));
            }
            Ok(Command::Rollback(reply)) => {
                rollback(connection);
                return drop(reply.send(Ok(())));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                tracing::error!(limit = ?idle_limit, "an idle SQLite transaction was rolled back");
                return;
            }
        }
    }
}
