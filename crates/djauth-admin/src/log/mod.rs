//! The log of logins and changes: what `django_admin_log` and the tables of django-axes say, merged by time.
//!
//! A login and its logout are one entry, with two times, at the place of the login.

mod csv;
mod export;
mod filter;
mod reader;
mod sources;

use djauth::http::urlencode;
use djauth::i18n::{Language, gettext};
use minijinja::{Value, context};

pub(crate) use self::export::export_view;
use self::filter::{Asked, Cursor};
pub(crate) use self::reader::Reader;
use self::sources::{Detail, Entry, Merged};
use crate::model::{Actor, Made, ModelId, Registered, capfirst};
use crate::models::{ActionFlag, get_change_message};
use crate::request::{AdminRequest, Answer, Route};
use crate::sites::SiteInner;

/// Who may read the log.
const PERMISSION: &str = "admin.view_logentry";
/// Entries on a page.
const PER_PAGE: usize = 100;
/// The parameter that says where a page begins.
const BEFORE: &str = "before";

/// Whether somebody may read the log.
pub(crate) fn may_read(actor: &Actor) -> bool {
    actor.may(PERMISSION)
}

/// A page of the log, newest first.
pub(crate) fn log_view<'a>(
    site: &'a SiteInner,
    request: &'a AdminRequest,
    actor: &'a Actor,
) -> Made<'a, Answer> {
    Box::pin(async move {
        if !may_read(actor) {
            return Ok(Answer::Forbidden);
        }
        let asked = Asked::read(request.query(), request.zone);
        let cursor = request.query().get(BEFORE).and_then(Cursor::parse);
        let (entries, older) = match asked.filter() {
            Some(filter) => page(site, filter.clone(), cursor).await?,
            None => (Vec::new(), None),
        };
        let entry = |entry: &Entry| entry_value(site, request, entry);
        let values = context! {
            title => request.t("admin_events.title", &[]),
            subtitle => (),
            entries => entries.iter().map(entry).collect::<Value>(),
            zone => request.zone.name(),
            form => form_value(site, request, &asked),
            links => links_value(request, &asked, cursor, older),
        };
        Ok(Answer::page("admin/log.html", values))
    })
}

/// The entries of a page, and where the next one begins if there is one.
fn page<'a>(
    site: &'a SiteInner,
    filter: filter::Filter,
    cursor: Option<Cursor>,
) -> Made<'a, (Vec<Entry>, Option<Cursor>)> {
    Box::pin(async move {
        site.events.written().await;
        let mut merged = Merged::new(
            &site.events,
            filter,
            cursor.unwrap_or_default(),
            PER_PAGE + 1,
        );
        let mut entries = Vec::new();
        while entries.len() < PER_PAGE {
            match merged.next().await? {
                Some(entry) => entries.push(entry),
                None => return Ok((entries, None)),
            }
        }
        let older = merged.cursor();
        let more = merged.next().await?.is_some();
        Ok((entries, more.then_some(older)))
    })
}

fn links_value(
    request: &AdminRequest,
    asked: &Asked,
    cursor: Option<Cursor>,
    older: Option<Cursor>,
) -> Value {
    let here = request.url(&Route::Log);
    let at = |before: Option<Cursor>| {
        let before = before.map(|cursor| (BEFORE, cursor.to_string()));
        let all: Vec<_> = asked.parameters().into_iter().chain(before).collect();
        match all.is_empty() {
            true => here.clone(),
            false => format!("{here}?{}", urlencode(all)),
        }
    };
    let export = format!(
        "{}?{}",
        request.url(&Route::Export),
        urlencode(asked.parameters())
    );
    context! {
        here => &here,
        newest => cursor.is_some().then(|| at(None)),
        older => older.map(|older| at(Some(older))),
        export => asked.filter().is_some().then_some(export),
        is_filtered => !asked.parameters().is_empty(),
    }
}

/// The fields of the filter: what was asked for, what may be, what is wrong.
fn form_value(site: &SiteInner, request: &AdminRequest, asked: &Asked) -> Value {
    let choice = |name: &str, value: String, label: String| {
        let chosen = asked.value(name) == value;
        context! { value, label, chosen }
    };
    let kinds = filter::Kind::ALL.map(|kind| {
        let label = kind_label(request, kind);
        choice("kind", kind.name().to_owned(), label)
    });
    let actions = [
        ActionFlag::Addition,
        ActionFlag::Change,
        ActionFlag::Deletion,
    ]
    .map(|flag| {
        choice(
            "action",
            flag.name().to_owned(),
            action_label(request, flag),
        )
    });
    let models = site.models.iter().map(|model| {
        let label = model.info.verbose_name_plural.in_language(request.language);
        choice("model", model_path(model), capfirst(&label))
    });
    context! {
        kinds => kinds.to_vec(),
        actions => actions.to_vec(),
        models => models.collect::<Value>(),
        who => asked.value("who"),
        object => asked.value("object"),
        ip => asked.value("ip"),
        since => asked.value("since"),
        until => asked.value("until"),
        wrong => asked.wrong().to_vec(),
    }
}

fn model_path(model: &Registered) -> String {
    format!("{}.{}", model.info.app_label, model.info.model_name)
}

fn kind_label(request: &AdminRequest, kind: filter::Kind) -> String {
    let key = match kind {
        filter::Kind::Change => "admin_events.change",
        filter::Kind::Login => "admin_events.login",
        filter::Kind::Logout => "admin_events.logout",
        filter::Kind::Failure => "admin_events.failure",
    };
    request.t(key, &[])
}

fn action_label(request: &AdminRequest, flag: ActionFlag) -> String {
    let key = match flag {
        ActionFlag::Addition => "admin_events.added",
        ActionFlag::Change => "admin_events.changed",
        ActionFlag::Deletion => "admin_events.deleted",
    };
    request.t(key, &[])
}

fn entry_value(site: &SiteInner, request: &AdminRequest, entry: &Entry) -> Value {
    let at = entry.at.with_timezone(&request.zone);
    let kind = entry.kind();
    let who = entry.who.as_deref();
    let of = |name: &str| format!("?{}", urlencode([("who", name)]));
    let values = context! {
        kind => kind.name(),
        label => kind_label(request, kind),
        time => at.format("%Y-%m-%d %H:%M:%S").to_string(),
        datetime => at.to_rfc3339(),
        who,
        who_url => who.map(of),
    };
    context! { ..detail_value(site, request, entry), ..values }
}

fn detail_value(site: &SiteInner, request: &AdminRequest, entry: &Entry) -> Value {
    match &entry.detail {
        Detail::Change(change) => context! {
            object => &change.object_repr,
            url => change_url(site, change),
            model => change.model.as_ref().map(|(app, model)| model_label(site, request, app, model)),
            message => message_text(request.language, change),
        },
        Detail::Login(visit) | Detail::Failure(visit) => context! {
            ip => &visit.ip,
            agent => &visit.user_agent,
            path => &visit.path,
            ended => visit.ended.map(|at| {
                at.with_timezone(&request.zone).format("%Y-%m-%d %H:%M:%S").to_string()
            }),
        },
    }
}

/// Where an object is that is still there, as far as the log knows.
fn change_url(site: &SiteInner, change: &sources::Change) -> Option<String> {
    let (app, name) = change.model.as_ref()?;
    let key = change.object_id.as_ref()?;
    if change.flag == Some(ActionFlag::Deletion) {
        return None;
    }
    let url = |id: ModelId| site.info.url(&Route::Change(id, key.clone()));
    registered(site, app, name).map(|model| url(model.id))
}

fn registered<'a>(site: &'a SiteInner, app: &str, name: &str) -> Option<&'a Registered> {
    let is_it = |model: &&Registered| model.info.app_label == app && model.info.model_name == name;
    site.models.iter().find(is_it)
}

fn model_label(site: &SiteInner, request: &AdminRequest, app: &str, name: &str) -> String {
    registered(site, app, name).map_or_else(
        || format!("{app}.{name}"),
        |model| capfirst(&model.info.verbose_name.in_language(request.language)),
    )
}

/// What was done, in words.
fn message_text(language: Language, change: &sources::Change) -> String {
    match change.flag {
        Some(ActionFlag::Deletion) if change.message.is_empty() => {
            gettext(language, "admin_log.deleted", &[])
        }
        _ => get_change_message(language, &change.message),
    }
}
