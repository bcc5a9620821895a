//! PostgreSQL's and MariaDB's token: the session's text, and versions that triggers move.
//!
//! Without the triggers of [`CacheTriggers`] nothing is kept. With them a proof reads the session's row and three
//! versions. Proofs that wait at the same time share one statement, sent after all of them arrived; more that arrive
//! meanwhile go with the next one.

mod batch;
mod crowds;
mod looks;
pub(super) mod queue;
mod token;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use djauth_signing::Clock;

pub(super) use batch::TOGETHER;
pub(crate) use looks::Trust;
pub(crate) use token::{TOKEN_COLUMNS, Versions};

use self::batch::Statement;
use self::crowds::Crowds;
use self::looks::Looks;
use self::queue::Queue;
use super::Proof;
use crate::db::Database;
use crate::management::CacheTriggers;
use crate::management::cache::Fingerprint;

/// Statements under way at once: one is answered while the next is being sent.
const LANES: usize = 2;

/// The ordinary path is better than a proof that takes longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What an entry was made of, and what is asked about it again.
#[derive(PartialEq)]
pub(crate) struct ServerToken {
    /// Nothing, where the session comes from elsewhere.
    pub(crate) session: Option<SessionText>,
    /// The user's subject.
    pub(crate) subject: i64,
    pub(crate) versions: Versions,
    /// When the triggers were relied upon, so that nothing was missed.
    pub(crate) trust: Trust,
}

/// What makes a token of what a statement reads: loaded before it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerMark {
    trust: Trust,
    tables: Fingerprint,
}

impl ServerMark {
    /// `None`: the triggers are not there, or for other tables.
    pub(crate) fn token(
        self,
        session: Option<SessionText>,
        subject: i64,
        versions: Option<Versions>,
    ) -> Option<ServerToken> {
        let versions = versions.filter(|versions| self.tables.is_of(versions.install))?;
        Some(ServerToken {
            session,
            subject,
            versions,
            trust: self.trust,
        })
    }
}

/// A row of `django_session`.
#[derive(PartialEq)]
pub(crate) struct SessionText {
    pub(crate) key: Arc<str>,
    pub(crate) data: String,
}

/// Without the session's text and key.
impl fmt::Debug for ServerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerToken")
            .field("subject", &self.subject)
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}

/// Proves entries by asking the server.
pub(crate) struct Server {
    queue: Arc<Queue<Statement>>,
    looks: Arc<Looks>,
}

impl Server {
    pub(crate) fn new(db: &Database, clock: Arc<dyn Clock>, triggers: CacheTriggers) -> Self {
        let looks = Looks::new(db, triggers);
        let statement = Statement {
            db: db.clone(),
            clock,
            crowds: Crowds::default(),
            tables: looks.tables,
        };
        Self {
            queue: Arc::new(Queue::new(statement, LANES)),
            looks: Arc::new(looks),
        }
    }

    /// `None`: the triggers are not there, or cannot be relied upon. That is looked at again by one request now and
    /// then.
    pub(crate) async fn mark(&self) -> Option<ServerMark> {
        let trust = self.looks.first().await?;
        self.looks.now_and_then();
        let tables = self.looks.tables;
        Some(ServerMark { trust, tables })
    }

    /// The table cannot be read any more, or is about other tables.
    pub(crate) fn lost(&self) {
        self.looks.lost();
    }

    /// Whether nothing of the entry has changed, at a moment after this call began.
    pub(crate) async fn prove(&self, token: &Arc<ServerToken>) -> Proof {
        self.looks.now_and_then();
        let Some(trust) = self.looks.trust() else {
            return Proof::Busy;
        };
        if trust != token.trust {
            return Proof::Changed;
        }
        let (proof, lane) = self.queue.join(token.clone());
        if let Some(lane) = lane {
            tokio::spawn(lane.run());
        }
        // A task that has ended with its runtime, or that nobody polls any more, gives none.
        let proof = tokio::time::timeout(PATIENCE, proof).await;
        let proof = proof.map_or(Proof::Busy, |proof| proof.unwrap_or(Proof::Busy));
        if proof == Proof::Failed {
            self.lost();
        }
        proof
    }

    /// The same for many entries, by one statement.
    pub(crate) async fn prove_all(&self, tokens: Vec<Arc<ServerToken>>) -> Vec<Proof> {
        self.looks.now_and_then();
        let Some(trust) = self.looks.trust() else {
            return vec![Proof::Busy; tokens.len()];
        };
        // Others are too old to be asked about.
        let mut all = vec![Proof::Changed; tokens.len()];
        let asked = tokens.into_iter().enumerate();
        let asked = asked.filter(|(_, token)| token.trust == trust);
        let (places, tokens): (Vec<_>, Vec<_>) = asked.unzip();
        for (at, proof) in places.into_iter().zip(self.in_time(&tokens).await) {
            all[at] = proof;
        }
        if all.contains(&Proof::Failed) {
            self.lost();
        }
        all
    }

    async fn in_time(&self, tokens: &[Arc<ServerToken>]) -> Vec<Proof> {
        if tokens.is_empty() {
            return Vec::new();
        }
        let proofs = tokio::time::timeout(PATIENCE, self.queue.ask().prove(tokens)).await;
        proofs.unwrap_or_else(|_| vec![Proof::Busy; tokens.len()])
    }
}

#[cfg(test)]
mod tests {
    use djauth_signing::SystemClock;
    use test_databases::TestDatabase;

    use super::*;
    use crate::db::{Executor, Sql};

    /// An entry of the database as it is.
    async fn kept(server: &Server, db: &Database) -> Arc<ServerToken> {
        let mark = server.mark().await.expect("the triggers are there");
        let columns = Sql::generated(format!("SELECT {TOKEN_COLUMNS}"), None);
        let params = [1_i64.into()];
        let read = db.fetch_optional(&columns, &params, |row| Versions::read(row, 0));
        let versions = read.await.expect("reads").flatten();
        Arc::new(mark.token(None, 1, versions).expect("is kept"))
    }

    /// The versions are the same as before, but in between nobody would have heard of a change.
    #[tokio::test]
    async fn an_entry_from_before_a_loss_is_not_believed_after_it() {
        for database in [TestDatabase::postgres(), TestDatabase::mariadb()] {
            let looks = looks::tests::looks(&database).await;
            let (db, triggers) = (looks.db.clone(), looks.triggers.clone());
            let server = Server::new(&db, Arc::new(SystemClock), triggers);
            let old = kept(&server, &db).await;
            assert_eq!(server.prove(&old).await, Proof::Holds);
            server.lost();
            assert_eq!(server.prove(&old).await, Proof::Busy, "{}", database.name());
            server.looks.look().await;
            assert_eq!(server.prove(&old).await, Proof::Changed);
            let new = kept(&server, &db).await;
            assert_eq!(server.prove(&new).await, Proof::Holds);
            db.close().await;
        }
    }
}
