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

/// Proofs in one statement of requests that wait.
const MOST: usize = 64;

/// Proofs in one statement that nobody waits for. More save little, and would keep the thread that compares them.
pub(in crate::request_path::cache) const TOGETHER: usize = 256;

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
        let tokens: Vec<_> = waiting
            .iter()
            .map(|waiting| waiting.token.clone())
            .collect();
        let proofs = self.prove(&tokens).await;
        for (waiting, proof) in waiting.into_iter().zip(proofs) {
            // Whoever has gone meanwhile wants none.
            let _ = waiting.answer.send(proof);
        }
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
    /// For each token: whether the session is there with the same text.
    same: Vec<bool>,
}

impl Statement {
    /// A proof of each, at most [`TOGETHER`], which begins after this call.
    pub(super) async fn prove(&self, tokens: &[Arc<ServerToken>]) -> Vec<Proof> {
        let found = match self.ask(tokens).await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "entries of the cache cannot be proved");
                return vec![of_error(&error); tokens.len()];
            }
        };
        self.crowds.saw(&self.db, &found.sums);
        let of = |(token, same): (&Arc<ServerToken>, &bool)| {
            let versions = found.sums.versions(token.subject);
            match versions.filter(|versions| self.tables.is_of(versions.install)) {
                None => Proof::Failed,
                Some(versions) if *same && versions == token.versions => Proof::Holds,
                Some(_) => Proof::Changed,
            }
        };
        tokens.iter().zip(&found.same).map(of).collect()
    }

    async fn ask(&self, tokens: &[Arc<ServerToken>]) -> db::Result<Found> {
        let dialect = self.db.dialect();
        let now = Value::Timestamp(self.clock.now());
        let mut found = Found {
            sums: Sums::default(),
            same: tokens.iter().map(|token| token.session.is_none()).collect(),
        };
        let sessions = Sessions::of(tokens);
        let read = |row: &Row<'_>| found.read(row, &sessions, dialect);
        match dialect {
            Dialect::Mysql => {
                let size = MARIADB.iter().position(|sized| sized.size >= tokens.len());
                let sized = &MARIADB[size.unwrap_or(MARIADB.len() - 1)];
                let params = mariadb_params(tokens, sized.size, now);
                self.db.fetch(&sized.sql, &params, read).await?;
            }
            _ => {
                let params = postgres_params(tokens, now);
                self.db.fetch(&POSTGRES, &params, read).await?;
            }
        }
        Ok(found)
    }
}

/// The sessions that are asked about, in the order of their keys, each with the place of its token.
struct Sessions<'t>(Vec<(&'t SessionText, usize)>);

impl<'t> Sessions<'t> {
    fn of(tokens: &'t [Arc<ServerToken>]) -> Self {
        let places = tokens.iter().enumerate();
        let sessions = places.filter_map(|(at, token)| Some((token.session.as_ref()?, at)));
        let mut sessions: Vec<_> = sessions.collect();
        sessions.sort_unstable_by(|(one, _), (other, _)| one.key.cmp(&other.key));
        Self(sessions)
    }

    /// Those with this key, byte by byte: MariaDB finds keys without regard to case.
    fn with_key(&self, key: &str) -> impl Iterator<Item = &(&'t SessionText, usize)> {
        let first = self.0.partition_point(|(session, _)| *session.key < *key);
        let rest = self.0[first..].iter();
        rest.take_while(move |(session, _)| *session.key == *key)
    }
}

impl Found {
    /// A session with its key and text, or stamps.
    fn read(&mut self, row: &Row<'_>, sessions: &Sessions<'_>, dialect: Dialect) -> db::Result<()> {
        let (Value::Text(key), Value::Text(text)) = (row.value(0)?, row.value(1)?) else {
            return self.sums.add(row, 2, dialect);
        };
        for (session, at) in sessions.with_key(&key) {
            self.same[*at] |= session.data == *text;
        }
        Ok(())
    }
}

fn postgres_params(tokens: &[Arc<ServerToken>], now: Value<'static>) -> [Value<'static>; 3] {
    use std::fmt::Write as _;
    let (mut keys, mut subjects) = (String::new(), format!("{INSTALL},{SHARED}"));
    for token in tokens {
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

fn mariadb_params<'t>(
    tokens: &'t [Arc<ServerToken>],
    size: usize,
    now: Value<'static>,
) -> Vec<Value<'t>> {
    // The last one is named several times.
    let padded = || {
        tokens
            .iter()
            .chain(tokens.last().into_iter().cycle())
            .take(size)
    };
    let key =
        |token: &'t Arc<ServerToken>| token.session.as_ref().map_or("", |session| &*session.key);
    let mut params: Vec<Value<'t>> = padded().map(|token| Value::from(key(token))).collect();
    params.push(now);
    params.extend(padded().map(|token| Value::Int(token.subject)));
    params
}

/// The lists stand in subqueries so that the planner cannot count them: it takes each list for short
/// otherwise, and plans the statement anew each time, which takes longer than the statement itself.
/// Sessions are looked up one by one, by their key: of a list the planner makes a filter while there are few
/// sessions, and compares each of a thousand of them with each key.
static POSTGRES: Sql = Sql::new(
    "SELECT s.session_key, s.session_data, CAST(NULL AS integer), CAST(NULL AS bigint) \
     FROM unnest((SELECT string_to_array(?, chr(31)))) AS asked (session_key) CROSS JOIN LATERAL \
     (SELECT session_key, session_data FROM django_session \
     WHERE session_key = asked.session_key AND expire_date > ? LIMIT 1) AS s \
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
    [1, 2, 4, 8, 16, 32, MOST, TOGETHER].map(sized).into()
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
