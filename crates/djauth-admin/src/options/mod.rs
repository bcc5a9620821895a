//! Pages of one object: the views of `ModelAdmin` in `django/contrib/admin/options.py`.

mod change_form;
mod delete;
mod history;
mod password;
mod response;
mod seen;

use djauth::forms::Form;
use djauth::http::QueryDict;
use minijinja::{Value, context};

pub(crate) use self::change_form::{add_view, change_view};
pub(crate) use self::delete::delete_view;
pub(crate) use self::history::history_view;
pub(crate) use self::password::user_change_password;
pub(crate) use self::seen::{Change, Merged, Seen, Wanted, hidden, merged};
use crate::messages::Level;
use crate::model::{Actor, Editing, ModelId, Object, Registered, Rights, capfirst};
use crate::request::{AdminRequest, Answer, Route};
use crate::sites::SiteInner;

/// The field of an address that would ask for an object by another field than its key.
const TO_FIELD: &str = "_to_field";

/// A page of a model, and who asks for it.
#[derive(Clone, Copy)]
pub(crate) struct Page<'a> {
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
    pub(crate) rights: Rights,
}

impl<'a> Page<'a> {
    pub(crate) fn new(
        site: &'a SiteInner,
        model: &'a Registered,
        request: &'a AdminRequest,
        actor: &'a Actor,
    ) -> Self {
        let rights = actor.rights(model.id);
        Self {
            site,
            model,
            request,
            actor,
            rights,
        }
    }

    /// Objects are only asked for by their key: other fields could be read out by trying.
    fn asks_by_other_field(&self) -> bool {
        let asked = [self.request.data(), self.request.query()];
        let asked = asked.into_iter().filter_map(|data| data.get(TO_FIELD));
        let pk = &self.model.info.pk;
        let mut others = asked.filter(|name| !name.is_empty() && *name != pk);
        let asks = others.next().is_some();
        if asks {
            tracing::error!(
                target: "django.security.DisallowedModelAdminToField",
                "objects are only asked for by their key"
            );
        }
        asks
    }

    fn editing(&self, fields: Vec<&'a str>, data: Option<&'a QueryDict>) -> Editing<'a> {
        Editing {
            request: self.request,
            actor: self.actor,
            data,
            fields,
            seen: data.map(Seen::of).unwrap_or_default(),
        }
    }

    fn name(&self) -> String {
        let info = &self.model.info;
        info.verbose_name.in_language(self.request.language)
    }

    /// The list with the query that it had, or the first page for who may not see the list.
    fn list_or_index(&self, may: bool) -> String {
        if !may {
            return self.request.url(&Route::Index);
        }
        let url = self.request.url(&Route::List(self.model.id));
        match self.request.preserved_filters() {
            Some(kept) => format!("{url}?{kept}"),
            None => url,
        }
    }

    /// Nobody has this key, or nobody has it any more.
    pub(crate) fn missing(&self, key: &str) -> Answer {
        let params = [("name", self.name()), ("key", key.to_owned())];
        let text = self.request.t("admin_form.missing", &params);
        self.request.messages.add(Level::Warning, text);
        Answer::Redirect(self.request.url(&Route::Index))
    }

    /// What every page of an object knows.
    pub(crate) fn context(&self, title: String, object: Option<&Object>) -> Value {
        let info = &self.model.info;
        let plural = info.verbose_name_plural.in_language(self.request.language);
        let url = |route: fn(ModelId, String) -> Route, object: &Object| {
            self.request
                .url_keeping_filters(&route(self.model.id, object.key.clone()))
        };
        context! {
            title,
            opts => context! {
                app_label => &info.app_label,
                model_name => &info.model_name,
                app_name => info.app_name.in_language(self.request.language),
                verbose_name => self.name(),
                verbose_name_plural => capfirst(&plural),
            },
            original => object.map(|object| &object.repr),
            app_url => self.request.url(&Route::AppList(info.app_label.clone())),
            list_url => self.rights.view.then(|| self.list_or_index(true)),
            change_url => object.map(|object| url(Route::Change, object)),
            history_url => object.map(|object| url(Route::History, object)),
            object_tools => object.map(|object| self.tools(object)),
            delete_url => object
                .filter(|_| self.rights.delete && !self.request.is_popup())
                .map(|object| url(Route::Delete, object)),
            has_view_permission => self.rights.view,
            has_add_permission => self.rights.add,
            has_change_permission => self.rights.change,
            has_delete_permission => self.rights.delete,
        }
    }
}

impl Page<'_> {
    /// Pages about an object that Django does not have, for who may see them: each `name` and `url`.
    fn tools(&self, object: &Object) -> Value {
        let is_user = self.model.id == ModelId::Users;
        let key = || object.key.clone();
        let rights = (
            "admin_more.rights",
            self.rights.view,
            Route::Effective(key()),
        );
        let sessions = (
            "admin_more.sessions",
            self.rights.change,
            Route::Sessions(key()),
        );
        let tools = [rights, sessions]
            .into_iter()
            .filter(|(_, may, _)| is_user && *may);
        let tool = |(name, _, route): (_, _, Route)| {
            context! { name => self.request.t(name, &[]), url => self.request.url(&route) }
        };
        tools.map(tool).collect()
    }
}

/// The form for a template, with the hidden fields by which it remembers what it showed.
fn form_value(page: &Page<'_>, form: &Form, hidden: &[(String, String)]) -> Value {
    let hidden = hidden.iter().map(|(name, value)| context! { name, value });
    context! {
        form => form.value(page.request.language),
        hidden => hidden.collect::<Value>(),
    }
}
