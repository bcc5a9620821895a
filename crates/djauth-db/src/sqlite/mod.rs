//! SQLite through rusqlite: reads inline, writes on one thread.

mod data_version;
mod errors;
mod lease;
mod open;
mod readers;
mod statement;
mod writer;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::readers::Readers;
use self::statement::Rows;
use self::writer::{Statement, Want, Writer};
use crate::own_writes::OwnWrites;
use crate::{Error, ErrorKind, Result, Row, Sql, Value};

pub use self::data_version::DataVersion;
pub(crate) use self::lease::Lease;
pub(crate) use self::open::{Mode, Options};
pub(crate) use self::statement::column;

/// An open SQLite file.
pub(crate) struct Sqlite {
    readers: Arc<Readers>,
    /// None when the file was opened read-only.
    writer: Option<Writer>,
    wait: Duration,
    options: Options,
    closed: Arc<AtomicBool>,
}

/// Whether a read ran to its end.
enum Read {
    Done,
    /// The statement writes (`… RETURNING`): not for a read connection.
    Writes,
    /// Locked before the first row.
    Locked(Error),
}

/// Rows that go over to the async side at once.
const CHUNK: usize = 256;

impl Sqlite {
    /// Opens the file; blocks for a moment.
    pub(crate) fn open(options: Options, own_writes: OwnWrites) -> Result<Self> {
        options.prepare()?;
        let wait = options.busy_timeout;
        let writer = match options.mode {
            Mode::Read => None,
            _ => Some(Writer::start(
                options.connection(true, wait)?,
                wait,
                own_writes,
            )?),
        };
        Ok(Sqlite {
            readers: Arc::new(Readers::new(options.clone())),
            writer,
            wait,
            options,
            closed: Arc::default(),
        })
    }

    pub(crate) async fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
        self.closed.store(true, Ordering::Release);
        self.readers.close();
    }

    /// Another connection, which watches the file.
    pub(crate) fn data_version(&self) -> DataVersion {
        DataVersion::new(self.options.clone(), Arc::clone(&self.closed))
    }

    /// Inline on a read connection; a locked file is tried again without holding the thread up.
    pub(crate) async fn fetch<T>(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut out = Vec::new();
        let deadline = Instant::now() + self.wait;
        let mut pause = Duration::from_millis(1);
        loop {
            let read = self.read(sql, params, |row| {
                out.push(f(row)?);
                Ok(())
            })?;
            match read {
                Read::Done => return Ok(out),
                Read::Writes => {
                    let statement = statement(sql, owned(params), Want::Rows);
                    return self.writer()?.write(statement).await?.rows().map(f);
                }
                Read::Locked(e) if Instant::now() + pause > deadline => return Err(e),
                Read::Locked(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    fn read(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<Read> {
        let mut begun = false;
        let read = self.readers.with(|connection| {
            let mut statement = statement::prepare(connection, sql.sqlite().as_str(), params)?;
            if !statement.readonly() {
                return Ok(Read::Writes);
            }
            statement::each(&mut statement, |row| {
                begun = true;
                f(row).map(ControlFlow::Continue)
            })?;
            Ok(Read::Done)
        });
        match read {
            Err(e) if !begun && *e.kind() == ErrorKind::Busy => Ok(Read::Locked(e)),
            read => read,
        }
    }

    /// On a blocking thread, handed over in chunks.
    pub(crate) async fn fetch_each(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        mut f: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<u64> {
        let (send, mut chunks) = tokio::sync::mpsc::channel::<Rows>(2);
        let (readers, text, params) = (
            Arc::clone(&self.readers),
            sql.sqlite().clone(),
            owned(params),
        );
        let reading = tokio::task::spawn_blocking(move || {
            readers.with_long(|connection| send_chunks(connection, text.as_str(), &params, &send))
        });
        let mut count = 0;
        while let Some(chunk) = chunks.recv().await {
            count += chunk.map(&mut f)?.len() as u64;
        }
        reading.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(count)
    }

    pub(crate) async fn execute(&self, sql: &Sql, params: Vec<Value<'_>>) -> Result<u64> {
        let statement = statement(sql, into_owned(params), Want::Count);
        Ok(self
            .writer()?
            .write(statement)
            .await?
            .number()
            .cast_unsigned())
    }

    pub(crate) async fn insert(&self, sql: &Sql, params: Vec<Value<'_>>) -> Result<i64> {
        let statement = statement(sql, into_owned(params), Want::Key);
        Ok(self.writer()?.write(statement).await?.number())
    }

    pub(crate) async fn begin(&self) -> Result<Lease> {
        self.writer()?.lease().await
    }

    fn writer(&self) -> Result<&Writer> {
        self.writer
            .as_ref()
            .ok_or_else(|| Error::new(ErrorKind::Other, "the SQLite file was opened read-only"))
    }
}

impl Lease {
    pub(crate) async fn fetch<T>(
        &self,
        sql: &Sql,
        params: &[Value<'_>],
        f: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.run(statement(sql, owned(params), Want::Rows))
            .await?
            .rows()
            .map(f)
    }

    pub(crate) async fn execute(&self, sql: &Sql, params: Vec<Value<'_>>) -> Result<u64> {
        let statement = statement(sql, into_owned(params), Want::Count);
        Ok(self.run(statement).await?.number().cast_unsigned())
    }

    pub(crate) async fn insert(&self, sql: &Sql, params: Vec<Value<'_>>) -> Result<i64> {
        Ok(self
            .run(statement(sql, into_owned(params), Want::Key))
            .await?
            .number())
    }

    pub(crate) async fn execute_batch(&self, sql: &str) -> Result<()> {
        self.batch(sql.to_owned()).await
    }

    pub(crate) async fn end(&self, commit: bool) -> Result<()> {
        if commit {
            self.commit().await
        } else {
            self.rollback().await
        }
    }
}

fn send_chunks(
    connection: &rusqlite::Connection,
    sql: &str,
    params: &[Value<'_>],
    send: &tokio::sync::mpsc::Sender<Rows>,
) -> Result<()> {
    let mut statement = statement::prepare(connection, sql, params)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = Vec::new();
    statement::each(&mut statement, |row| {
        rows.push(row.to_values()?);
        if rows.len() < CHUNK {
            return Ok(ControlFlow::Continue(()));
        }
        let chunk = Rows {
            names: names.clone(),
            rows: std::mem::take(&mut rows),
        };
        Ok(match send.blocking_send(chunk) {
            Ok(()) => ControlFlow::Continue(()),
            // Nobody listens any more.
            Err(_) => ControlFlow::Break(()),
        })
    })?;
    if !rows.is_empty() {
        let _ = send.blocking_send(Rows { names, rows });
    }
    Ok(())
}

fn statement(sql: &Sql, params: Vec<Value<'static>>, want: Want) -> Statement {
    Statement {
        sql: sql.sqlite().clone(),
        params,
        want,
    }
}

fn owned(params: &[Value<'_>]) -> Vec<Value<'static>> {
    params
        .iter()
        .map(|value| value.borrowed().into_owned())
        .collect()
}

fn into_owned(params: Vec<Value<'_>>) -> Vec<Value<'static>> {
    params.into_iter().map(Value::into_owned).collect()
}
