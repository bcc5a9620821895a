//! Triggers that tell the cache of the request path what has changed: `djauth cache install`.
//!
//! The table `djauth_cache_change` holds *stamps*, random numbers, each about a *subject*. Whoever changes a
//! user, a group or a permission adds a stamp in the same transaction, through a trigger, and the *version* of a
//! subject is the sum of the stamps that can be seen. No row is ever updated, so no transaction waits for another
//! because of a trigger; a counter would make them wait, and a highest number would miss the transaction that
//! commits later than one that began after it.

mod compact;
mod mariadb;
mod postgres;
mod watched;

use djauth_db::{Database, Dialect, Executor, Sql, Value};

pub(crate) use compact::compact_subject;

use self::watched::Watched;
use super::UserTable;
use crate::base_user::{BaseUser, UserId, UserMeta};
use crate::{Error, ErrorKind};

/// The one table of ours in a database of Django's.
pub(crate) const TABLE: &str = "djauth_cache_change";

/// Its row is there while the triggers are, with another stamp after each installation; which tables are watched is
/// in the stamp ([`Fingerprint`]).
pub(crate) const INSTALL: i64 = -1;
/// Groups, permissions and whatever else concerns every user.
pub(crate) const SHARED: i64 = -2;
/// Users share so many subjects, so that the table stays small. Two that meet in one cost a statement now and
/// then, and nothing else.
const BUCKETS: i64 = 65_536;

/// The subject of a user: a number from 0 to 65,535.
pub(crate) fn subject_of(key: &Value<'_>) -> Option<i64> {
    match key {
        Value::Int(key) => Some(key & (BUCKETS - 1)),
        Value::Uuid(key) => {
            let [.., high, low] = key.as_bytes();
            Some(i64::from(u16::from_be_bytes([*high, *low])))
        }
        _ => None,
    }
}

/// Which tables an installation watches, as the lower half of its stamp. A process that reads another one there
/// knows that its own tables may not be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(u32);

impl Fingerprint {
    /// A stamp that never was, but for the half that tells the tables.
    fn stamp(self) -> i64 {
        let random = new_stamp().cast_unsigned() & !u64::from(u32::MAX);
        (random | u64::from(self.0)).cast_signed()
    }

    /// Whether an installation with this version watches these tables.
    pub(crate) fn is_of(self, version: i64) -> bool {
        version.cast_unsigned() & u64::from(u32::MAX) == u64::from(self.0)
    }
}

/// The triggers behind the cache of the request path, for one user model. They are made only by
/// [`install`](Self::install), and go with [`remove`](Self::remove); SQLite needs none.
///
/// ```no_run
/// # async fn run(auth: djauth::Auth) -> Result<(), djauth::Error> {
/// auth.cache_triggers().install(auth.db()).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct CacheTriggers {
    watched: Vec<Watched>,
}

/// How the triggers are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheStatus {
    /// SQLite tells by itself that something has changed.
    NotNeeded,
    /// Nothing of them is there.
    NotInstalled,
    /// All of them are there and enabled, for this user model.
    Installed,
    /// They cannot be relied upon: what is wrong, in words.
    Faulty(Vec<String>),
}

impl CacheTriggers {
    /// For the tables of this user model; `uuid`: its keys are UUIDs.
    #[must_use]
    pub fn new(user: &UserTable, uuid: bool) -> Self {
        Self {
            watched: watched::tables(user, uuid),
        }
    }

    /// For the tables of a model on this database.
    pub(crate) fn of<U: BaseUser>(meta: &UserMeta, dialect: Dialect) -> Self {
        let user = UserTable::of(meta).for_dialect(dialect);
        Self::new(&user, !U::Id::AUTO)
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(watched::fingerprint(&self.watched))
    }

    /// Makes the table and the triggers, or completes them, and lets every cache begin anew. A table that is in
    /// use is waited for, a moment at a time, so that nobody else has to wait for it.
    ///
    /// One user model of a database has them: those of another one are left alone.
    ///
    /// # Errors
    /// `Schema`: a table is missing, or is one that cannot have such triggers, or the triggers are there for another
    /// user model, which [`remove`](Self::remove) takes away. `Denied`: the account may not do
    /// it; the text says what it needs. `Busy`: a table was in use all the time.
    pub async fn install(&self, db: &Database) -> Result<CacheStatus, Error> {
        match db.dialect() {
            Dialect::Sqlite => return Ok(CacheStatus::NotNeeded),
            Dialect::Postgres => postgres::install(db, self).await?,
            Dialect::Mysql => mariadb::install(db, self).await?,
        }
        self.status(db).await
    }

    /// Takes everything away that [`install`](Self::install) made, for whichever user model. Running caches
    /// notice it at the next request.
    ///
    /// # Errors
    /// As [`install`](Self::install).
    pub async fn remove(&self, db: &Database) -> Result<(), Error> {
        match db.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => postgres::remove(db).await,
            Dialect::Mysql => mariadb::remove(db).await,
        }
    }

    /// Whether the triggers are there, enabled, and about this user model. Only reads.
    ///
    /// # Errors
    /// The database's.
    pub async fn status(&self, ex: &impl Executor) -> Result<CacheStatus, Error> {
        let found = match ex.dialect() {
            Dialect::Sqlite => return Ok(CacheStatus::NotNeeded),
            Dialect::Postgres => postgres::faults(ex, self).await?,
            Dialect::Mysql => mariadb::faults(ex, self).await?,
        };
        Ok(match found {
            None => CacheStatus::NotInstalled,
            Some(faults) if faults.is_empty() => CacheStatus::Installed,
            Some(faults) => CacheStatus::Faulty(faults),
        })
    }

    /// Puts the stamps of each subject together where there are many: for MariaDB, whose triggers cannot do it
    /// themselves. Answers how many rows went; none where the account may not write.
    ///
    /// # Errors
    /// The database's.
    pub async fn compact(&self, db: &Database) -> Result<u64, Error> {
        match compact::all(db).await {
            // There is no such table, or it is for somebody else to do.
            Err(error) if matches!(error.kind(), ErrorKind::Schema | ErrorKind::Denied) => Ok(0),
            done => done,
        }
    }
}

/// Stamps are random, so that a sum of them does not come again.
fn new_stamp() -> i64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    let (_, low) = uuid::Uuid::new_v4().as_u64_pair();
    (high ^ low.rotate_left(32)).cast_signed()
}

/// The stamps of the installation: one.
async fn install_stamps(ex: &impl Executor) -> djauth_db::Result<Vec<i64>> {
    ex.fetch(&INSTALLED, &[INSTALL.into()], |row| row.get(0))
        .await
}

impl CacheTriggers {
    /// What is wrong with the stamps of the installation.
    fn fault_of_stamps(&self, stamps: &[i64]) -> Option<String> {
        match stamps {
            [stamp] if self.fingerprint().is_of(*stamp) => None,
            [] => Some(format!(
                "the last installation did not end, or {TABLE} was emptied"
            )),
            _ => Some("the triggers were installed for another user model".to_owned()),
        }
    }

    /// Refuses to take the triggers of another model away, whose servers believe in them.
    fn refuse_others(&self, stamps: &[i64], tables: &[&str]) -> Result<(), Error> {
        let is_ours = |table: &&&str| self.watched.iter().any(|ours| ours.table == ***table);
        let other = tables.iter().find(|table| !is_ours(table));
        let what = match (other, self.fault_of_stamps(stamps)) {
            (Some(table), _) => {
                format!("the triggers are there for another user model (on {table})")
            }
            (None, Some(fault)) if !stamps.is_empty() => fault,
            _ => return Ok(()),
        };
        let text = format!(
            "{what}, and only one of a database can have them. If AUTH_USER_MODEL is right and that model is not \
             in use any more, run `djauth cache remove` first"
        );
        Err(Error::new(ErrorKind::Schema, text))
    }
}

static INSTALLED: Sql = Sql::new("SELECT stamp FROM djauth_cache_change WHERE subject = ?");

fn missing_table(table: &str) -> Error {
    let text = format!("the table {table} is not there: `migrate` comes first");
    Error::new(ErrorKind::Schema, text)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_key_has_a_subject_and_no_other_value_has() {
        for (key, subject) in [
            (1, 1),
            (65_536, 0),
            (65_537, 1),
            (-1, 65_535),
            (i64::MIN, 0),
        ] {
            assert_eq!(subject_of(&Value::Int(key)), Some(subject), "{key}");
        }
        let key = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(subject_of(&Value::Uuid(key)), Some(0xcdef));
        assert_eq!(subject_of(&Value::from("1")), None);
        assert_eq!(subject_of(&Value::Null), None);
    }
}
