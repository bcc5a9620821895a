//! The sources that there are.

use super::{Epoch, Epochs, Proof, Source, Unknown};
use crate::db::{DataVersion, Database};

/// How entries are proved on this database.
pub(crate) struct Proofs {
    db: Database,
    kind: Kind,
}

enum Kind {
    Sqlite(Epochs<DataVersion>),
    /// Nothing is kept.
    None,
}

/// See [`Source::Mark`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// The token is known before the statement begins.
    Sqlite(Epoch),
}

/// See [`Source::Token`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Sqlite(Epoch),
}

impl Proofs {
    pub(crate) fn new(db: &Database) -> Self {
        let watches = std::iter::repeat_with(|| db.data_version());
        let mut watches = watches.map_while(|watch| watch).peekable();
        let kind = match watches.peek() {
            Some(_) => Kind::Sqlite(Epochs::new(watches)),
            None => Kind::None,
        };
        Self {
            db: db.clone(),
            kind,
        }
    }
}

impl Source for Proofs {
    type Token = Token;
    type Mark = Mark;

    async fn mark(&self) -> Result<Mark, Unknown> {
        match &self.kind {
            Kind::Sqlite(epochs) => epochs.load().await.map(Mark::Sqlite),
            Kind::None => Err(Unknown::Now),
        }
    }

    async fn prove(&self, _key: &str, token: &Token) -> Proof {
        match (&self.kind, token) {
            (Kind::Sqlite(epochs), Token::Sqlite(epoch)) => epochs.prove(epoch).await,
            (Kind::None, _) => Proof::Changed,
        }
    }

    fn own_writes(&self) -> u64 {
        self.db.own_writes()
    }
}
