//! One statement for all proofs that wait.

use std::sync::{Arc, LazyLock};

use djauth_signing::Clock;

use super::crowds::Crowds;
use super::queue::{self, Ask};
use super::token::Sums;
use super::{ServerToken, SessionText};
use crate::db::{self, Database, Dialect, ErrorKind, Executor, Row, Sql, Value};
use crate::management::cache::{Fingerprint, INSTALL, SHARED};
use crate::request_path::cache::Proof;

/// Proofs in one statement.
pub(super) const MOST: usize = 64;

/// Keys in one parameter are put together with this, which is in no key that Django makes.
const SEPARATOR: char = '\u{1f}';

type Waiting = queue::Waiting<ServerToken>;

/// The statement that reads all of it.
pub(super) struct Statement {
    pub(super) db: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) crowds: Crowds,
    /// The tables that must be watched.
    pub(super) tables: Fingerprint,
}

impl Ask for Statement {
    type Token = ServerToken;

    const MOST: usize = MOST;

    /// The thread's other tasks come first: a statement for many costs hardly more than one for few.
    fn others(&self) -> impl Future<Output = ()> + Send {
        tokio::task::yield_now()
    }

    /// Asks the server, and tells everybody who has not gone.
    async fn answer(&self, mut waiting: Vec<Waiting>) {
        waiting.retain(|waiting| !waiting.answer.is_closed());
        if waiting.is_empty() {
            return;
        }
        let found = match self.ask(&waiting).await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "entries of the cache cannot be proved");
                let proof = of_error(&error);
                return tell(waiting, |_| proof);
            }
        };
        self.crowds.saw(&self.db, &found.sums);
        let mut same = found.same.into_iter();
        tell(waiting, |token| {
            let same = same.next().unwrap_or(false);
            let versions = found.sums.versions(token.subject);
            match versions.filter(|versions| self.tables.is_of(versions.install)) {
                None => Proof::Failed,
                Some(versions) if same && versions == token.versions => Proof::Holds,
                Some(_) => Proof::Changed,
            }
        });
    }
}

fn tell(waiting: Vec<Waiting>, mut proof: impl FnMut(&ServerToken) -> Proof) {
    for Waiting { token, answer } in waiting {
        // Whoever has gone meanwhile wants none.
        let _ = answer.send(proof(&token));
    }
}

/// A server that is away, or too busy, is so for the ordinary path too. Without the table the cache is off.
fn of_error(error: &db::Error) -> Proof {
    match error.kind() {
        ErrorKind::Busy | ErrorKind::Unavailable | ErrorKind::Closed => Proof::Busy,
        _ => Proof::Failed,
    }
}

struct Found {
    sums: Sums,
    /// For each who waits: whether the session is there with the same text.
    same: Vec<bool>,
}

impl Statement {
    async fn ask(&self, waiting: &[Waiting]) -> db::Result<Found> {
        let dialect = self.db.dialect();
        let now = Value::Timestamp(self.clock.now());
        let mut found = Found {
            sums: Sums::default(),
            same: waiting
                .iter()
                .map(|waiting| waiting.token.session.is_none())
                .collect(),
        };
        let read = |row: &Row<'_>| found.read(row, waiting, dialect);
        match dialect {
            Dialect::Mysql => {
                let size = MARIADB.iter().position(|sized| sized.size >= waiting.len());
                let sized = &MARIADB[size.unwrap_or(MARIADB.len() - 1)];
                let params = mariadb_params(waiting, sized.size, now);
                self.db.fetch(&sized.sql, &params, read).await?;
            }
            _ => {
                let params = postgres_params(waiting, now);
                self.db.fetch(&POSTGRES, &params, read).await?;
            }
        }
        Ok(found)
    }
}

impl Found {
    /// A session with its key and text, or stamps.
    fn read(&mut self, row: &Row<'_>, waiting: &[Waiting], dialect: Dialect) -> db::Result<()> {
        let (Value::Text(key), Value::Text(text)) = (row.value(0)?, row.value(1)?) else {
            return self.sums.add(row, 2, dialect);
        };
        // Byte by byte: MariaDB finds keys without regard to case.
        for (same, waiting) in self.same.iter_mut().zip(waiting) {
            let session = waiting.token.session.as_ref();
            *same |= session.is_some_and(|known| *known.key == *key && known.data == *text);
        }
        Ok(())
    }
}

fn postgres_params(waiting: &[Waiting], now: Value<'static>) -> [Value<'static>; 3] {
    use std::fmt::Write as _;
    let (mut keys, mut subjects) = (String::new(), format!("{INSTALL},{SHARED}"));
    for Waiting { token, .. } in waiting {
        // Without its key an entry is not proved.
        if let Some(SessionText { key, .. }) = &token.session
            && !key.contains(SEPARATOR)
        {
            keys.push_str(key);
            keys.push(SEPARATOR);
        }
        let _ = write!(subjects, ",{}", token.subject);
    }
    [keys.into(), now, subjects.into()]
}

fn mariadb_params<'w>(waiting: &'w [Waiting], size: usize, now: Value<'static>) -> Vec<Value<'w>> {
    // The last one is named several times.
    let padded = || waiting.iter().chain(waiting.last().into_iter().cycle());
    let tokens = || padded().take(size).map(|waiting| &waiting.token);
    let key =
        |token: &'w Arc<ServerToken>| token.session.as_ref().map_or("", |session| &*session.key);
    let mut params: Vec<Value<'w>> = tokens().map(|token| Value::from(key(token))).collect();
    params.push(now);
    params.extend(tokens().map(|token| Value::Int(token.subject)));
    params
}

/// The lists stand in subqueries so that the planner cannot count them: it takes each list for short
/// otherwise, and plans the statement anew each time, which takes longer than the statement itself.
static POSTGRES: Sql = Sql::new(
    "SELECT session_key, session_data, CAST(NULL AS integer), CAST(NULL AS bigint) FROM django_session \
     WHERE session_key = ANY(CAST((SELECT string_to_array(?, chr(31))) AS text[])) AND expire_date > ? \
     UNION ALL \
     SELECT NULL, NULL, subject, stamp FROM djauth_cache_change \
     WHERE subject = ANY(CAST((SELECT string_to_array(?, ',')) AS integer[]))",
);

/// A statement for so many proofs at most.
struct Sized {
    size: usize,
    sql: Sql,
}

/// Few of them, so that they stay prepared.
static MARIADB: LazyLock<Vec<Sized>> = LazyLock::new(|| {
    let sized = |size| Sized {
        size,
        sql: mariadb(size),
    };
    [1, 2, 4, 8, 16, 32, MOST].map(sized).into()
});

fn mariadb(size: usize) -> Sql {
    let marks = vec!["?"; size].join(", ");
    let text = format!(
        "SELECT session_key, session_data, NULL, NULL, NULL FROM django_session \
         WHERE session_key IN ({marks}) AND expire_date > ? \
         UNION ALL \
         SELECT NULL, NULL, subject, CAST(SUM(stamp) AS CHAR(60)), COUNT(*) FROM djauth_cache_change \
         WHERE subject IN ({INSTALL}, {SHARED}, {marks}) GROUP BY subject"
    );
    Sql::generated(text, None)
}
