//! The log of changes: `django/contrib/admin/models.py`.

mod manager;
mod message;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use djauth_db::Value;

pub(crate) use self::manager::{LogEntryManager, NewEntries};
pub use self::message::get_change_message;
pub(crate) use self::message::{ChangeMessage, listed};
use crate::model::{Made, ModelInfo};

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionFlag {
    /// It was added.
    Addition = 1,
    /// It was changed.
    Change = 2,
    /// It was deleted.
    Deletion = 3,
}

impl ActionFlag {
    /// The flag of a row; `None`: Django does not know the number.
    pub(crate) fn of(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Addition),
            2 => Some(Self::Change),
            3 => Some(Self::Deletion),
            _ => None,
        }
    }

    /// A word for it, for CSS and templates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Addition => "addition",
            Self::Change => "change",
            Self::Deletion => "deletion",
        }
    }
}

/// A row of `django_admin_log`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The key.
    pub id: i64,
    /// When it was done.
    pub action_time: DateTime<Utc>,
    /// The key of who did it, as text.
    pub user_id: String,
    /// The key of the content type.
    pub content_type_id: Option<i32>,
    /// Application and model of the content type, in lower case.
    pub model: Option<(String, String)>,
    /// The key of the object, as text.
    pub object_id: Option<String>,
    /// What the object was called.
    pub object_repr: String,
    /// `None`: a number that Django does not know.
    pub action_flag: Option<ActionFlag>,
    /// What was changed, as Django keeps it; [`get_change_message`] reads it.
    pub change_message: String,
}

/// A page of an object's history.
#[derive(Default)]
pub(crate) struct LogPage {
    pub(crate) entries: Vec<LogEntry>,
    /// What those who made the entries are called, by their keys.
    pub(crate) names: HashMap<String, String>,
    pub(crate) page: u64,
    pub(crate) pages: u64,
}

/// What pages read of the log.
pub(crate) trait Log: Send + Sync {
    /// The newest entries of who acts, newest first.
    fn recent<'a>(&'a self, user: &'a Value<'static>, limit: u64) -> Made<'a, Vec<LogEntry>>;
    /// The history of one object, oldest first. A page that does not exist is the nearest that does.
    fn of_object<'a>(&'a self, model: &'a ModelInfo, key: &'a str, page: u64) -> Made<'a, LogPage>;
}
