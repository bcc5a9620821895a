//! The sources that there are.

use std::sync::Arc;

use djauth_signing::Clock;

use super::server::{Server, ServerMark, ServerToken, TOGETHER};
use super::{Before, Epoch, Epochs, Proof, Source, Unknown};
use crate::db::{DataVersion, Database};
use crate::management::CacheTriggers;

/// How entries are proved on this database.
pub(crate) struct Proofs {
    db: Database,
    kind: Kind,
}

enum Kind {
    Sqlite(Epochs<DataVersion>),
    /// PostgreSQL and MariaDB.
    Server(Server),
}

/// See [`Source::Mark`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// The token is known before the statement begins.
    Sqlite(Epoch),
    /// The token comes with the row.
    Server(ServerMark),
}

/// See [`Source::Token`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Sqlite(Epoch),
    Server(Arc<ServerToken>),
}

impl Proofs {
    /// The triggers are those of the user model.
    pub(crate) fn new(db: &Database, clock: &Arc<dyn Clock>, triggers: CacheTriggers) -> Self {
        let watches = std::iter::repeat_with(|| db.data_version());
        let mut watches = watches.map_while(|watch| watch).peekable();
        let kind = match watches.peek() {
            Some(_) => Kind::Sqlite(Epochs::new(watches)),
            None => Kind::Server(Server::new(db, clock.clone(), triggers)),
        };
        Self {
            db: db.clone(),
            kind,
        }
    }
}

impl Proofs {
    /// The columns of the token cannot be read: ask without them for a while.
    pub(crate) fn lost(&self) {
        if let Kind::Server(server) = &self.kind {
            server.lost();
        }
    }
}

impl Source for Proofs {
    type Token = Token;
    type Mark = Mark;

    async fn mark(&self, before: Before) -> Result<Mark, Unknown> {
        match &self.kind {
            Kind::Sqlite(epochs) => epochs.load(before).await.map(Mark::Sqlite),
            Kind::Server(server) => server.mark().await.map(Mark::Server).ok_or(Unknown::Now),
        }
    }

    async fn prove(&self, _key: &str, token: &Token, before: Before) -> Proof {
        match (&self.kind, token) {
            (Kind::Sqlite(epochs), Token::Sqlite(epoch)) => epochs.prove(epoch, before).await,
            (Kind::Server(server), Token::Server(token)) => server.prove(token).await,
            // A token of another database.
            _ => Proof::Changed,
        }
    }

    fn was_current(&self, token: &Token, at: impl Fn(Before) -> bool) -> bool {
        match (&self.kind, token) {
            (Kind::Sqlite(epochs), Token::Sqlite(epoch)) => epochs.was_current(epoch, at),
            _ => false,
        }
    }

    fn own_writes(&self) -> u64 {
        self.db.own_writes()
    }

    /// Of a SQLite file any proof is one of all entries.
    fn together(&self) -> usize {
        match &self.kind {
            Kind::Sqlite(_) => 0,
            Kind::Server(_) => TOGETHER,
        }
    }

    async fn prove_all(&self, tokens: &[Token]) -> Vec<Proof> {
        let of_server = |token: &Token| match token {
            Token::Server(token) => Some(token.clone()),
            Token::Sqlite(_) => None,
        };
        let of_server: Option<Vec<_>> = tokens.iter().map(of_server).collect();
        match (&self.kind, of_server) {
            (Kind::Server(server), Some(tokens)) => server.prove_all(tokens).await,
            _ => vec![Proof::Busy; tokens.len()],
        }
    }
}
