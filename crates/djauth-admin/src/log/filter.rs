//! What of the log is asked for.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use djauth::http::QueryDict;

use crate::models::ActionFlag;

/// The fields, in the order of their addresses.
const FIELDS: [&str; 8] = [
    "kind", "who", "action", "model", "object", "ip", "since", "until",
];

/// Kinds of entries. Logouts are logins that have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Change,
    Login,
    Logout,
    Failure,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Change, Self::Login, Self::Logout, Self::Failure];

    /// As it stands in addresses and files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::Failure => "failure",
        }
    }
}

/// What an entry must be like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filter {
    pub(super) kind: Option<Kind>,
    pub(super) who: Option<String>,
    pub(super) action: Option<ActionFlag>,
    /// Application and model.
    pub(super) model: Option<(String, String)>,
    /// The key of an object, or a part of its name.
    pub(super) object: Option<String>,
    pub(super) ip: Option<IpAddr>,
    pub(super) since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub(super) until: Option<DateTime<Utc>>,
}

/// The fields as they were sent, and what they mean unless some of them are wrong.
#[derive(Debug)]
pub(super) struct Asked {
    values: Vec<(&'static str, String)>,
    read: Result<Filter, Vec<&'static str>>,
}

impl Asked {
    /// Moments without a time zone are in `zone`.
    pub(super) fn read(query: &QueryDict, zone: Tz) -> Self {
        let given = |name: &'static str| Some((name, query.get(name)?.trim().to_owned()));
        let values = FIELDS.into_iter().filter_map(given);
        let values: Vec<_> = values.filter(|(_, value)| !value.is_empty()).collect();
        let (mut filter, mut wrong) = (Filter::default(), Vec::new());
        for (name, value) in &values {
            // PostgreSQL has no text with NUL in it.
            if value.contains('\0') || filter.set(name, value, zone).is_none() {
                wrong.push(*name);
            }
        }
        let read = if wrong.is_empty() {
            Ok(filter)
        } else {
            Err(wrong)
        };
        Self { values, read }
    }

    /// `None`: something is wrong, and nothing is shown.
    pub(super) fn filter(&self) -> Option<&Filter> {
        self.read.as_ref().ok()
    }

    /// The names of the fields that are wrong.
    pub(super) fn wrong(&self) -> &[&'static str] {
        self.read.as_ref().err().map_or(&[], Vec::as_slice)
    }

    /// A field as it was sent; empty if it was not.
    pub(super) fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// For the addresses of other pages.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        self.values.clone()
    }
}

impl Filter {
    /// `None`: that is no value of this field.
    fn set(&mut self, name: &str, value: &str, zone: Tz) -> Option<()> {
        match name {
            "kind" => self.kind = Some(kind(value)?),
            "who" => self.who = Some(value.to_owned()),
            "action" => self.action = Some(action(value)?),
            "model" => {
                let (app, model) = value.split_once('.')?;
                self.model = Some((app.to_owned(), model.to_owned()));
            }
            "object" => self.object = Some(value.to_owned()),
            "ip" => self.ip = Some(value.parse::<IpAddr>().ok()?.to_canonical()),
            "since" => self.since = Some(moment(value, zone, 0)?),
            _ => self.until = Some(moment(value, zone, 1)?),
        }
        Some(())
    }

    /// Whether only changes can be meant.
    pub(super) fn is_about_objects(&self) -> bool {
        self.action.is_some() || self.model.is_some() || self.object.is_some()
    }
}

fn kind(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}

fn action(name: &str) -> Option<ActionFlag> {
    let all = [
        ActionFlag::Addition,
        ActionFlag::Change,
        ActionFlag::Deletion,
    ];
    all.into_iter().find(|flag| flag.name() == name)
}

/// A day, or a day and a time. A day alone is its beginning, so many days later.
fn moment(text: &str, zone: Tz, later: u64) -> Option<DateTime<Utc>> {
    let local = match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(day) => day
            .checked_add_days(Days::new(later))?
            .and_time(NaiveTime::MIN),
        Err(_) => day_and_time(text)?,
    };
    // What no database can hold.
    if !(2..9999).contains(&local.year()) {
        return None;
    }
    Some(zone.from_local_datetime(&local).earliest()?.to_utc())
}

fn day_and_time(text: &str) -> Option<NaiveDateTime> {
    let formats = [
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S",
    ];
    let read = |format| NaiveDateTime::parse_from_str(text, format).ok();
    formats.into_iter().find_map(read)
}

/// Where in each source a page begins: before the row with this key; `None`: at the newest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor(pub(super) [Option<i64>; 3]);

impl Cursor {
    /// What is no cursor is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut ids = [None; 3];
        for id in &mut ids {
            let part = parts.next()?;
            if !part.is_empty() {
                *id = Some(i64::from(part.parse::<u32>().ok()?).min(i64::from(i32::MAX)));
            }
        }
        parts.next().is_none().then_some(Self(ids))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self
            .0
            .map(|id| id.map_or_else(String::new, |id| id.to_string()));
        f.write_str(&text.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(query: &str) -> Asked {
        let query = QueryDict::parse(query.as_bytes(), 99).expect("a query");
        Asked::read(&query, Tz::Europe__Vienna)
    }

    #[test]
    fn fields_are_read() {
        let asked = asked(
            "kind=failure&who=+ada+&ip=%3A%3Affff%3A203.0.113.7&since=2026-01-01&until=2026-01-31&x=1",
        );
        let filter = asked.filter().expect("nothing is wrong");
        assert_eq!(
            (filter.kind, filter.who.as_deref()),
            (Some(Kind::Failure), Some("ada"))
        );
        assert_eq!(
            filter.ip.map(|ip| ip.to_string()).as_deref(),
            Some("203.0.113.7")
        );
        let since = filter.since.expect("a moment").to_rfc3339();
        let until = filter.until.expect("a moment").to_rfc3339();
        assert_eq!(
            (&*since, &*until),
            ("2025-12-31T23:00:00+00:00", "2026-01-31T23:00:00+00:00")
        );
        assert_eq!(asked.parameters().len(), 5);
    }

    #[test]
    fn what_is_wrong_is_named_and_shows_nothing() {
        for (query, wrong) in [
            ("kind=x", "kind"),
            ("action=9", "action"),
            ("model=user", "model"),
            ("ip=1.2.3", "ip"),
            ("since=yesterday", "since"),
            ("until=99999-01-01", "until"),
            ("until=9999-12-31", "until"),
            ("since=0000-01-01", "since"),
            // The hour that the clocks leave out.
            ("since=2026-03-29T02:30", "since"),
            ("who=a%00b", "who"),
        ] {
            let asked = asked(query);
            assert_eq!(asked.wrong(), [wrong], "{query}");
            assert!(asked.filter().is_none(), "{query}");
        }
        assert!(asked("kind=&since=++").filter() == Some(&Filter::default()));
    }

    #[test]
    fn cursors_are_read_as_they_are_written() {
        for ids in [[None; 3], [Some(1), None, Some(i64::from(i32::MAX))]] {
            assert_eq!(Cursor::parse(&Cursor(ids).to_string()), Some(Cursor(ids)));
        }
        for text in [
            "",
            "1",
            "1-2",
            "1-2-3-4",
            "a--",
            "1--9999999999",
            "--1 OR 1=1",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(name in "kind|who|ip|since|until|model|action", value in "\\PC{0,30}", before in "[0-9-]{0,20}") {
            let query = djauth::http::urlencode([(&*name, &*value)]);
            let asked = asked(&query);
            prop_assert_eq!(asked.filter().is_some(), asked.wrong().is_empty());
            let _ = Cursor::parse(&before);
        }
    }
}
