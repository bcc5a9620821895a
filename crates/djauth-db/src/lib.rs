//! The slice of `django.db` that authentication needs, on SQLite, PostgreSQL and MariaDB.
//!
//! ```no_run
//! use djauth_db::{Database, Executor, Sql};
//!
//! static BY_NAME: Sql = Sql::new("SELECT id, email FROM auth_user WHERE username = ?");
//!
//! # async fn example() -> Result<(), djauth_db::Error> {
//! let db = Database::connect("sqlite://db.sqlite3").await?;
//! let found = db
//!     .fetch_optional(&BY_NAME, &["ann".into()], |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)))
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! - [`Database`] connects by URL; [`Transaction`] is what it begins; both are an [`Executor`].
//! - [`Sql`] is a statement written once with `?` marks, [`Value`] what is bound, [`Row`] what
//!   comes back, [`Field`] how a Rust type is read.
//! - [`Error`] has a [kind](ErrorKind) to act on.

mod database;
pub mod datetime;
mod error;
mod executor;
mod field;
pub mod isoformat;
mod marks;
mod mysql;
mod own_writes;
mod pool;
mod postgres;
mod row;
mod sql;
mod sqlite;
mod tls;
mod transaction;
mod url;
mod value;

pub use self::database::Database;
pub use self::error::{Error, ErrorKind, Result};
pub use self::executor::Executor;
pub use self::field::Field;
pub use self::pool::PoolStats;
pub use self::row::Row;
pub use self::sql::{Dialect, Sql, quote_name};
pub use self::sqlite::DataVersion;
pub use self::transaction::Transaction;
pub use self::value::Value;
