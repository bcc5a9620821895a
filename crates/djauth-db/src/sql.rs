//! Statements, written once with `?` marks.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::{Error, ErrorKind, Result, marks};

/// The three databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB (and MySQL).
    Mysql,
}

/// A statement written once with `?` marks.
///
/// Only from `&'static str` or from a generator (`Sql::generated`), so that text made from input
/// cannot reach a driver by accident. Make it a `static`: the text of each dialect is then computed
/// once.
///
/// Identifiers are written in double quotes or bare, text in single quotes (`''` for a quote, no
/// backslash escapes), `||` joins text, `TRUE` and `FALSE` exist, on every database: sessions of
/// MariaDB are set to `ANSI_QUOTES`, `PIPES_AS_CONCAT` and `NO_BACKSLASH_ESCAPES`. A `?` inside of
/// quotes or comments is no mark. On PostgreSQL a mark takes its type from its surroundings, so a
/// bare `? IS NULL` must be written `CAST(? AS …) IS NULL`.
///
/// ```
/// use djauth_db::Sql;
/// static BY_NAME: Sql = Sql::new("SELECT id, email FROM auth_user WHERE username = ?");
/// static ADD: Sql = Sql::insert("INSERT INTO auth_group (name) VALUES (?)", "id");
/// ```
pub struct Sql {
    text: Text,
    mysql: Option<&'static str>,
    returning: Option<Cow<'static, str>>,
    postgres: OnceLock<Arc<str>>,
    returned: OnceLock<Arc<str>>,
}

impl Sql {
    /// A statement for all three databases.
    pub const fn new(text: &'static str) -> Self {
        Self::from_parts(Text::Static(text), None, None)
    }

    /// An INSERT whose key (the column `key`) the database makes. For [`insert`](crate::Executor::insert).
    pub const fn insert(text: &'static str, key: &'static str) -> Self {
        Self::from_parts(Text::Static(text), None, Some(Cow::Borrowed(key)))
    }

    /// A statement that MariaDB words differently, such as an upsert.
    pub const fn with_mysql(text: &'static str, mysql: &'static str) -> Self {
        Self::from_parts(Text::Static(text), Some(mysql), None)
    }

    /// For generators only: identifiers quoted, values bound. Never from input.
    #[doc(hidden)]
    pub fn generated(text: String, key: Option<&str>) -> Self {
        let key = key.map(|key| Cow::Owned(key.to_owned()));
        Self::from_parts(Text::Shared(text.into()), None, key)
    }

    const fn from_parts(
        text: Text,
        mysql: Option<&'static str>,
        returning: Option<Cow<'static, str>>,
    ) -> Self {
        Sql {
            text,
            mysql,
            returning,
            postgres: OnceLock::new(),
            returned: OnceLock::new(),
        }
    }

    /// The text for SQLite.
    pub(crate) fn sqlite(&self) -> &Text {
        &self.text
    }

    /// The text for MariaDB, whose marks are `?` too.
    pub(crate) fn mysql(&self) -> &str {
        self.mysql.unwrap_or(self.text.as_str())
    }

    /// The text for PostgreSQL, with `$1`, `$2`, ….
    pub(crate) fn postgres(&self) -> &str {
        self.postgres
            .get_or_init(|| marks::numbered(self.text.as_str()).into())
    }

    /// The text for PostgreSQL that answers the new key; `None` when this is no [`Sql::insert`].
    pub(crate) fn postgres_returning(&self) -> Option<&str> {
        let key = self.returning.as_deref()?;
        Some(
            self.returned.get_or_init(|| {
                format!("{} RETURNING {}", self.postgres(), quote_name(key)).into()
            }),
        )
    }

    /// Refuses what was not made for [`insert`](crate::Executor::insert), on every database alike.
    pub(crate) fn check_insert(&self) -> Result<()> {
        match &self.returning {
            Some(_) => Ok(()),
            None => Err(Error::new(
                ErrorKind::Other,
                "insert() needs a statement of Sql::insert",
            )),
        }
    }

    /// Whether running it twice does no harm.
    pub(crate) fn is_select(&self) -> bool {
        let start = self.text.as_str().trim_start().get(..7);
        start.is_some_and(|start| start.eq_ignore_ascii_case("SELECT "))
    }

    /// The statement as it was written.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sql({:?})", self.text.as_str())
    }
}

/// An identifier in double quotes, doubled inside, as every dialect here takes it.
pub fn quote_name(name: &str) -> Cow<'static, str> {
    format!("\"{}\"", name.replace('"', "\"\"")).into()
}

/// Cheap to hand to another thread.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }
}
