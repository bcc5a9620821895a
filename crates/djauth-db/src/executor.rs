//! What runs statements.

use crate::{Dialect, Result, Row, Sql, Transaction, Value};

pub(crate) mod sealed {
    /// Only this crate implements [`Executor`](super::Executor).
    pub trait Sealed {}
    impl Sealed for crate::Database {}
    impl Sealed for crate::Transaction {}
}

/// What runs statements: a [`Database`](crate::Database) or a [`Transaction`].
///
/// Take `&impl Executor` everywhere. A write through the database while holding a transaction of
/// one's own waits for that transaction on SQLite, where there is one writer; it ends with `Busy`
/// after the busy timeout.
///
/// A future that is dropped before its end may or may not have run its statement.
pub trait Executor: sealed::Sealed + Send + Sync {
    /// Which database this is.
    fn dialect(&self) -> Dialect;

    /// Every row through `f`.
    ///
    /// On SQLite outside of a transaction this runs inline on a pooled read connection: microseconds
    /// for point reads. Use [`fetch_each`](Executor::fetch_each) for long lists.
    fn fetch<T: Send>(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        f: impl FnMut(&Row<'_>) -> Result<T> + Send,
    ) -> impl Future<Output = Result<Vec<T>>> + Send;

    /// The first row through `f`; write `LIMIT 1` where there may be many.
    fn fetch_optional<T: Send>(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        f: impl FnMut(&Row<'_>) -> Result<T> + Send,
    ) -> impl Future<Output = Result<Option<T>>> + Send {
        async { Ok(self.fetch(sql, params, f).await?.into_iter().next()) }
    }

    /// Every row through `f`, in bounded memory and without holding up an async worker; answers the
    /// number of rows. An error of `f` ends it.
    fn fetch_each(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        f: impl FnMut(&Row<'_>) -> Result<()> + Send,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// Runs a write and answers the number of rows found (also those that kept their values).
    fn execute(
        &self,
        sql: &Sql,
        params: Vec<Value<'_>>,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// Runs an [`Sql::insert`] and answers the integer key that the database made. UUID keys are
    /// made by us and need no answer: use [`execute`](Executor::execute).
    fn insert(&self, sql: &Sql, params: Vec<Value<'_>>)
    -> impl Future<Output = Result<i64>> + Send;

    /// Begins a transaction; inside of one, a savepoint (Django's `atomic`).
    fn begin(&self) -> impl Future<Output = Result<Transaction>> + Send;
}
