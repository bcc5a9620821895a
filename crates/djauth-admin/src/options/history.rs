//! The history of an object.

use minijinja::{Value, context};

use super::Page;
use crate::model::{Actor, Made, Registered};
use crate::models::{ActionFlag, LogEntry, LogPage, get_change_message};
use crate::request::{AdminRequest, Answer};
use crate::sites::SiteInner;

/// The entries of the log about an object. As in Django, it is looked for before anybody's rights are.
pub(crate) fn history_view<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
    key: &'a str,
) -> Made<'a, Answer> {
    Box::pin(async move {
        let page = Page::new(site, model, request, actor);
        let Some(object) = model.edited.get(key).await? else {
            return Ok(page.missing(key));
        };
        if !page.rights.view {
            return Ok(Answer::Forbidden);
        }
        let number = request.query().get("p").and_then(|p| p.parse().ok());
        let found = site
            .log
            .of_object(&model.info, &object.key, number.unwrap_or(1));
        let log = found.await?;
        let params = [("name", page.name())];
        let title = request.t("admin_form.title_history", &params);
        let values = context! {
            subtitle => &object.repr,
            entries => log.entries.iter().map(|entry| entry_value(&page, &log, entry)).collect::<Value>(),
            zone => request.zone.name(),
            page => log.page,
            pages => log.pages,
        };
        let values = context! { ..values, ..page.context(title, Some(&object)) };
        let template = site.template(model, "object_history.html");
        Ok(Answer::page(template, values))
    })
}

fn entry_value(page: &Page<'_>, log: &LogPage, entry: &LogEntry) -> Value {
    let at = entry.action_time.with_timezone(&page.request.zone);
    let name = log.names.get(&entry.user_id);
    let language = page.request.language;
    let what = match entry.action_flag {
        Some(ActionFlag::Deletion) if entry.change_message.is_empty() => {
            page.request.t("admin_log.deleted", &[])
        }
        _ => get_change_message(language, &entry.change_message),
    };
    context! {
        time => at.format("%Y-%m-%d %H:%M").to_string(),
        datetime => at.to_rfc3339(),
        user => name.unwrap_or(&entry.user_id),
        action => entry.action_flag.map(ActionFlag::name),
        message => what,
        repr => &entry.object_repr,
    }
}
