//! Where the entries of the log come from, and how they are merged.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::filter::{Cursor, Filter, Kind};
use super::reader::Reader;
use crate::model::Made;
use crate::models::ActionFlag;

/// A table, in the order of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Changes,
    Logins,
    Failures,
}

impl Source {
    const ALL: [Self; 3] = [Self::Changes, Self::Logins, Self::Failures];

    /// Whether anything in it can be what is asked for.
    pub(super) fn may_hold(self, filter: &Filter) -> bool {
        let kind = |kinds: &[Kind]| filter.kind.is_none_or(|kind| kinds.contains(&kind));
        match self {
            Self::Changes => kind(&[Kind::Change]) && filter.ip.is_none(),
            Self::Logins => kind(&[Kind::Login, Kind::Logout]) && !filter.is_about_objects(),
            Self::Failures => kind(&[Kind::Failure]) && !filter.is_about_objects(),
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Of its source.
    pub(super) id: i64,
    pub(super) at: DateTime<Utc>,
    /// The name of who did it, or what was given for it.
    pub(super) who: Option<String>,
    pub(super) detail: Detail,
}

#[derive(Clone, Debug)]
pub(super) enum Detail {
    Change(Change),
    Login(Visit),
    Failure(Visit),
}

#[derive(Clone, Debug)]
pub(super) struct Change {
    /// Application and model.
    pub(super) model: Option<(String, String)>,
    pub(super) object_id: Option<String>,
    pub(super) object_repr: String,
    pub(super) flag: Option<ActionFlag>,
    pub(super) message: String,
}

#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) ip: Option<String>,
    pub(super) user_agent: String,
    pub(super) path: String,
    /// When it ended with a logout.
    pub(super) ended: Option<DateTime<Utc>>,
}

impl Entry {
    pub(super) fn kind(&self) -> Kind {
        match self.detail {
            Detail::Change(_) => Kind::Change,
            Detail::Login(_) => Kind::Login,
            Detail::Failure(_) => Kind::Failure,
        }
    }
}

/// The entries of all sources, newest first, as far as each source is in the order of its keys: within a source
/// that is the order, so that a cursor of keys skips nothing and shows nothing twice. At equal times changes come
/// first, then logins, then failures.
pub(super) struct Merged {
    reader: Arc<Reader>,
    filter: Filter,
    streams: [Stream; 3],
    batch: usize,
}

struct Stream {
    source: Source,
    /// The key of the last entry that was taken.
    taken: Option<i64>,
    /// The key of the last entry that was read.
    read: Option<i64>,
    waiting: VecDeque<Entry>,
    is_at_end: bool,
}

impl Merged {
    /// `batch`: how many rows of a source are in memory at once.
    pub(super) fn new(reader: &Arc<Reader>, filter: Filter, from: Cursor, batch: usize) -> Self {
        let stream = |(source, before)| Stream {
            source,
            taken: before,
            read: before,
            waiting: VecDeque::new(),
            is_at_end: false,
        };
        let [a, b, c] = Source::ALL;
        let [x, y, z] = from.0;
        Self {
            reader: reader.clone(),
            filter,
            streams: [(a, x), (b, y), (c, z)].map(stream),
            batch,
        }
    }

    /// Where the next page begins.
    pub(super) fn cursor(&self) -> Cursor {
        Cursor(self.streams.each_ref().map(|stream| stream.taken))
    }

    /// The next entry. Boxed, so that it may be asked for within streams.
    pub(super) fn next(&mut self) -> Made<'_, Option<Entry>> {
        Box::pin(async move {
            for stream in &mut self.streams {
                stream.fill(&self.reader, &self.filter, self.batch).await?;
            }
            let mut newest: Option<&mut Stream> = None;
            for stream in &mut self.streams {
                if stream.next_at() > newest.as_ref().and_then(|stream| stream.next_at()) {
                    newest = Some(stream);
                }
            }
            Ok(newest.and_then(Stream::take))
        })
    }
}

impl Stream {
    async fn fill(
        &mut self,
        reader: &Reader,
        filter: &Filter,
        batch: usize,
    ) -> Result<(), djauth::Error> {
        if !self.waiting.is_empty() || self.is_at_end {
            return Ok(());
        }
        let entries = reader.read(self.source, filter, self.read, batch).await?;
        self.is_at_end = entries.len() < batch;
        self.read = entries.last().map_or(self.read, |entry| Some(entry.id));
        self.waiting = entries.into();
        Ok(())
    }

    fn next_at(&self) -> Option<DateTime<Utc>> {
        self.waiting.front().map(|entry| entry.at)
    }

    fn take(&mut self) -> Option<Entry> {
        let entry = self.waiting.pop_front()?;
        self.taken = Some(entry.id);
        Some(entry)
    }
}
