//! The log as a file.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use chrono::SecondsFormat;
use djauth::Error;
use djauth::i18n::{Language, gettext};
use futures_util::Stream;
use futures_util::stream;

use super::csv::{self, BOM};
use super::filter::{Asked, Cursor};
use super::sources::{Detail, Entry, Merged};
use super::{may_read, message_text};
use crate::model::{Actor, Made};
use crate::models::ActionFlag;
use crate::request::{AdminRequest, Answer};
use crate::sites::SiteInner;

/// Rows of a source in memory at once, and rows that are sent together.
const BATCH: usize = 500;
/// Rows of a file.
const MOST: usize = 1_000_000;

/// The first row.
const HEADER: [&str; 12] = [
    "time",
    "kind",
    "who",
    "action",
    "model",
    "object_id",
    "object",
    "message",
    "ip",
    "user_agent",
    "path",
    "logged_out",
];

/// The rows that the same query shows on the page, newest first, as CSV. Times are in UTC. The file is read from the
/// database as the client takes it.
pub(crate) fn export_view<'a>(
    site: &'a SiteInner,
    request: &'a AdminRequest,
    actor: &'a Actor,
) -> Made<'a, Answer> {
    Box::pin(async move {
        if !may_read(actor) {
            return Ok(Answer::Forbidden);
        }
        let asked = Asked::read(request.query(), request.zone);
        let Some(filter) = asked.filter() else {
            return Ok(Answer::BadRequest);
        };
        site.events.written().await;
        let merged = Merged::new(&site.events, filter.clone(), Cursor::default(), BATCH);
        let rows = rows(merged, request.language, MOST);
        let day = site.clock.now().format("%Y-%m-%d").to_string();
        Ok(Answer::Response(file(Body::from_stream(rows), &day)))
    })
}

fn file(body: Body, day: &str) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(CONTENT_TYPE, kind);
    let name = format!("attachment; filename=\"log-{day}.csv\"");
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}

/// A file on its way.
struct Export {
    merged: Merged,
    language: Language,
    left: usize,
    started: bool,
    ended: bool,
}

fn rows(
    merged: Merged,
    language: Language,
    most: usize,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    let export = Export {
        merged,
        language,
        left: most,
        started: false,
        ended: false,
    };
    stream::try_unfold(export, |mut export| async move {
        let part = export.part().await?;
        Ok((!part.is_empty()).then(|| (Bytes::from(part), export)))
    })
}

impl Export {
    /// The next rows; empty at the end. A failure in the middle breaks the answer off, so that no part passes for
    /// the whole.
    async fn part(&mut self) -> Result<String, Error> {
        let mut text = String::new();
        if !std::mem::replace(&mut self.started, true) {
            text.push_str(BOM);
            text.push_str(&csv::row(HEADER));
        }
        for _ in 0..BATCH.min(self.left) {
            let Some(entry) = self.next().await? else {
                break;
            };
            text.push_str(&row(&entry, self.language));
            self.left -= 1;
        }
        if self.left == 0 && !std::mem::replace(&mut self.ended, true) {
            text.push_str(&self.last().await?);
        }
        Ok(text)
    }

    /// Says at the end of a full file that there is more.
    async fn last(&mut self) -> Result<String, Error> {
        let Some(entry) = self.next().await? else {
            return Ok(String::new());
        };
        let at = entry.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let limit = gettext(self.language, "admin_events.export_limit", &[]);
        let cell = |name| match name {
            "time" => at.as_str(),
            "message" => &*limit,
            _ => "",
        };
        Ok(csv::row(HEADER.map(cell)))
    }

    async fn next(&mut self) -> Result<Option<Entry>, Error> {
        let next = self.merged.next().await;
        next.inspect_err(|error| {
            tracing::error!(target: "django.request", %error, "the export of the log was broken off");
        })
    }
}

fn row(entry: &Entry, language: Language) -> String {
    let moment =
        |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let (at, who) = (moment(entry.at), entry.who.as_deref().unwrap_or_default());
    let first = [&*at, entry.kind().name(), who];
    match &entry.detail {
        Detail::Change(change) => {
            let model = change.model.as_ref();
            let model = model.map(|(app, model)| format!("{app}.{model}"));
            let rest = [
                change.flag.map_or("", ActionFlag::name),
                model.as_deref().unwrap_or_default(),
                change.object_id.as_deref().unwrap_or_default(),
                &change.object_repr,
                &message_text(language, change),
                "",
                "",
                "",
                "",
            ];
            csv::row(first.into_iter().chain(rest))
        }
        Detail::Login(visit) | Detail::Failure(visit) => {
            let ended = visit.ended.map(moment).unwrap_or_default();
            let ip = visit.ip.as_deref().unwrap_or_default();
            let rest = [
                "",
                "",
                "",
                "",
                "",
                ip,
                &visit.user_agent,
                &visit.path,
                &ended,
            ];
            csv::row(first.into_iter().chain(rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use djauth::db::Executor;
    use djauth::{Auth, SecretKey, Settings};
    use futures_util::TryStreamExt;
    use test_databases::TestDatabase;

    use super::super::filter::Filter;
    use super::super::reader::Reader;
    use super::*;

    /// A file with at most so many of three failures.
    async fn exported(auth: &Auth, most: usize) -> String {
        let (filter, from) = (Filter::default(), Cursor::default());
        let merged = Merged::new(&Arc::new(Reader::new(auth)), filter, from, BATCH);
        let parts = rows(merged, Language::ENGLISH, most).try_collect::<Vec<_>>();
        let parts = parts.await.expect("is read").concat();
        String::from_utf8(parts).expect("UTF-8")
    }

    #[tokio::test]
    async fn a_file_that_is_full_says_so() {
        let database = TestDatabase::sqlite();
        let key = SecretKey::new("for tests only, ".repeat(4)).expect("is long enough");
        let auth = Auth::connect(database.url(), Settings::new(key)).await;
        let auth: Auth = auth.expect("connects");
        auth.migrate().await.expect("migrates");
        let transaction = auth.db().begin().await.expect("begins");
        for name in ["ada", "bob", "eve"] {
            let insert = format!(
                "INSERT INTO axes_accessfailurelog (user_agent, username, http_accept, path_info, attempt_time, locked_out) \
                 VALUES ('', '{name}', '', '/', '2026-01-01 00:00:00', 0)"
            );
            transaction.execute_script(&insert).await.expect("inserts");
        }
        transaction.commit().await.expect("commits");
        for (most, rows, is_full) in [(2, 4, true), (3, 4, false), (4, 4, false)] {
            let text = exported(&auth, most).await;
            assert_eq!(text.lines().count(), rows, "{text}");
            assert_eq!(text.contains("a million entries"), is_full, "{text}");
            assert_eq!(text.contains("ada"), !is_full, "{text}");
        }
        auth.db().close().await;
    }
}
