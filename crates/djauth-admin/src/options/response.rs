//! Where a form leads after it is saved: `response_add`, `response_change`, `response_delete`.

use djauth::admin::{AfterAdding, UserAdmin};
use djauth::i18n::gettext_html;
use minijinja::{HtmlEscape, Value, context};
use serde_json::json;

use super::Page;
use crate::messages::Level;
use crate::model::{ModelId, Object};
use crate::request::{Answer, Route};

/// What became of an object, for the message about it.
#[derive(Clone, Copy)]
pub(super) enum Done {
    Added,
    AddedOn,
    AddedAnother,
    Changed,
    ChangedOn,
    ChangedAnother,
}

pub(super) fn response_add(page: &Page<'_>, object: &Object) -> Answer {
    let id = page.model.id;
    match after_adding(page) {
        Some(AfterAdding::ClosePopup) => {
            let data = json!({ "value": object.key, "obj": object.repr });
            popup(page, &data.to_string())
        }
        Some(AfterAdding::Change) => {
            tell(page, object, Done::AddedOn);
            let route = Route::Change(id, object.key.clone());
            Answer::Redirect(page.request.url_keeping_filters(&route))
        }
        Some(AfterAdding::AddAnother) => {
            tell(page, object, Done::AddedAnother);
            Answer::Redirect(page.request.url_keeping_filters(&Route::Add(id)))
        }
        None => {
            tell(page, object, Done::Added);
            Answer::Redirect(page.list_or_index(page.rights.view))
        }
    }
}

/// The way on: of users as [`UserAdmin`] says, as their other fields are still empty; of groups also to
/// their list.
fn after_adding(page: &Page<'_>) -> Option<AfterAdding> {
    let names: Vec<_> = page.request.data().iter().map(|(name, _)| name).collect();
    let after = UserAdmin::default().response_add(&names);
    let goes_on = page.model.id == ModelId::Users || names.contains(&"_continue");
    Some(after).filter(|after| *after != AfterAdding::Change || goes_on)
}

pub(super) fn response_change(page: &Page<'_>, object: &Object) -> Answer {
    let (id, data) = (page.model.id, page.request.data());
    if page.request.is_popup() {
        let data = json!({
            "action": "change",
            "value": object.key,
            "obj": object.repr,
            "new_value": object.key,
        });
        return popup(page, &data.to_string());
    }
    if data.contains("_continue") {
        tell(page, object, Done::ChangedOn);
        let route = Route::Change(id, object.key.clone());
        return Answer::Redirect(page.request.url_keeping_filters(&route));
    }
    if data.contains("_addanother") {
        tell(page, object, Done::ChangedAnother);
        return Answer::Redirect(page.request.url_keeping_filters(&Route::Add(id)));
    }
    tell(page, object, Done::Changed);
    Answer::Redirect(page.list_or_index(page.rights.view))
}

/// After a deletion; Django asks for the right to change here.
pub(super) fn response_delete(page: &Page<'_>, object: &Object) -> Answer {
    if page.request.is_popup() {
        let data = json!({ "action": "delete", "value": object.key });
        return popup(page, &data.to_string());
    }
    let params = [("name", page.name()), ("object", object.repr.clone())];
    let text = page.request.t("admin_form.deleted", &params);
    page.request.messages.add(Level::Success, text);
    Answer::Redirect(page.list_or_index(page.rights.change))
}

/// A page that hands the object to the window which opened this one.
fn popup(page: &Page<'_>, data: &str) -> Answer {
    let template = page.site.template(page.model, "popup_response.html");
    let title = page.request.t("admin_form.popup_done", &[]);
    Answer::page(template, context! { title, popup_response_data => data })
}

/// The message about what was done, with a link to the object for who may see it.
fn tell(page: &Page<'_>, object: &Object, done: Done) {
    let name = HtmlEscape(&page.name()).to_string();
    let repr = HtmlEscape(&object.repr);
    let link = match page.rights.view {
        true => {
            let route = Route::Change(page.model.id, object.key.clone());
            let url = page.request.url_keeping_filters(&route);
            format!("<a href=\"{}\"><bdi>{repr}</bdi></a>", HtmlEscape(&url))
        }
        false => format!("<bdi>{repr}</bdi>"),
    };
    let params = [("name", name), ("object", link)];
    let language = page.request.language;
    let html = match done {
        Done::Added => gettext_html(language, "admin_form.added", &params),
        Done::AddedOn => gettext_html(language, "admin_form.added_on", &params),
        Done::AddedAnother => gettext_html(language, "admin_form.added_another", &params),
        Done::Changed => gettext_html(language, "admin_form.changed", &params),
        Done::ChangedOn => gettext_html(language, "admin_form.changed_on", &params),
        Done::ChangedAnother => gettext_html(language, "admin_form.changed_another", &params),
    };
    let html = Value::from_safe_string(html);
    page.request.messages.add_safe(Level::Success, html);
}
