//! Versions: sums of stamps.

use crate::db::{self, Dialect, Row};
use crate::management::cache::{INSTALL, SHARED};

/// The versions of what an entry is made of, besides its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    /// Without one the triggers are not there, or not all.
    pub(crate) install: i64,
    pub(crate) user: i64,
    pub(crate) shared: i64,
}

/// Columns for the statement that reads an entry, and one mark for the user's subject.
pub(crate) const TOKEN_COLUMNS: &str = "\
    (SELECT CAST(SUM(stamp) AS CHAR(60)) FROM djauth_cache_change WHERE subject = -1), \
    (SELECT CAST(SUM(stamp) AS CHAR(60)) FROM djauth_cache_change WHERE subject = -2), \
    (SELECT CAST(SUM(stamp) AS CHAR(60)) FROM djauth_cache_change WHERE subject = ?)";

impl Versions {
    /// What [`TOKEN_COLUMNS`] gave, beginning at this column. `None`: nothing can be proved later.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> db::Result<Option<Self>> {
        let Some(install) = sum_at(row, first)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            install,
            shared: sum_at(row, first + 1)?.unwrap_or(0),
            user: sum_at(row, first + 2)?.unwrap_or(0),
        }))
    }
}

/// `None`: the subject has no stamps.
fn sum_at(row: &Row<'_>, index: usize) -> db::Result<Option<i64>> {
    let Some(sum) = row.get::<Option<String>>(index)? else {
        return Ok(None);
    };
    let sum = wrapped(&sum).ok_or_else(|| db::Error::decode("stamp", "number"))?;
    Ok(Some(sum))
}

/// A sum that the server has computed with more digits than stamps have, modulo 2^64 as we add them.
fn wrapped(sum: &str) -> Option<i64> {
    let sum: i128 = sum.trim().parse().ok()?;
    let wrapped = u64::try_from(sum.rem_euclid(1 << 64)).ok()?;
    Some(wrapped.cast_signed())
}

/// The sums that a proof has read, by subject.
#[derive(Default)]
pub(super) struct Sums(Vec<Sum>);

struct Sum {
    subject: i64,
    sum: i64,
    rows: i64,
}

impl Sums {
    /// A row of the proof: on PostgreSQL one of the stamps, on MariaDB their sum and number.
    pub(super) fn add(&mut self, row: &Row<'_>, first: usize, dialect: Dialect) -> db::Result<()> {
        let subject: i64 = row.get(first)?;
        let (stamp, rows) = match dialect {
            Dialect::Mysql => {
                let sum = row.get::<String>(first + 1)?;
                let sum = wrapped(&sum).ok_or_else(|| db::Error::decode("stamp", "number"))?;
                (sum, row.get(first + 2)?)
            }
            _ => (row.get(first + 1)?, 1),
        };
        match self.0.iter_mut().find(|known| known.subject == subject) {
            Some(known) => {
                known.sum = known.sum.wrapping_add(stamp);
                known.rows += rows;
            }
            None => self.0.push(Sum {
                subject,
                sum: stamp,
                rows,
            }),
        }
        Ok(())
    }

    /// The versions of an entry; `None` without an installation.
    pub(super) fn versions(&self, subject: i64) -> Option<Versions> {
        Some(Versions {
            install: self.of(INSTALL)?,
            user: self.of(subject).unwrap_or(0),
            shared: self.of(SHARED).unwrap_or(0),
        })
    }

    fn of(&self, subject: i64) -> Option<i64> {
        let mut sums = self.0.iter();
        sums.find(|known| known.subject == subject)
            .map(|known| known.sum)
    }

    /// Subjects with more rows than this.
    pub(super) fn crowded(&self, rows: i64) -> impl Iterator<Item = i64> {
        let crowded = self.0.iter().filter(move |known| known.rows > rows);
        crowded.map(|known| known.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Value;

    #[test]
    fn sums_of_the_server_are_those_that_we_compute() {
        let stamps = [i64::MAX, i64::MAX, -3, i64::MIN, 17, i64::MIN + 1];
        let ours = stamps
            .iter()
            .fold(0_i64, |sum, stamp| sum.wrapping_add(*stamp));
        let theirs: i128 = stamps.iter().map(|&stamp| i128::from(stamp)).sum();
        assert_eq!(wrapped(&theirs.to_string()), Some(ours));
        assert_eq!(wrapped("1e3"), None);
        let mut sums = Sums::default();
        for stamp in stamps {
            let row = [Value::Int(7), Value::Int(stamp)];
            sums.add(&Row::owned(&row, &[]), 0, Dialect::Postgres)
                .expect("adds");
        }
        assert_eq!(sums.of(7), Some(ours));
        assert_eq!(sums.crowded(5).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn without_an_installation_there_are_no_versions() {
        let read = |install: Value<'static>| {
            let row = [install, Value::Null, Value::from("5")];
            Versions::read(&Row::owned(&row, &[]), 0).expect("reads")
        };
        assert_eq!(read(Value::Null), None);
        let versions = read(Value::from("-4")).expect("some");
        assert_eq!(
            (versions.install, versions.shared, versions.user),
            (-4, 0, 5)
        );
        assert_eq!(Sums::default().versions(5), None);
    }
}
