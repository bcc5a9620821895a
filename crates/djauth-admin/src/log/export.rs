//! The log as a file.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use chrono::SecondsFormat;
use djauth::Error;
use djauth::i18n::Language;
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
        let rows = rows(merged, request.language);
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
}

fn rows(
    merged: Merged,
    language: Language,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    let export = Export {
        merged,
        language,
        left: MOST,
        started: false,
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
        Ok(text)
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
