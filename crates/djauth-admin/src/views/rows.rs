//! Rows as the list shows them.

use chrono_tz::Tz;
use djauth_db::Value as Stored;
use minijinja::{Value, context};

use crate::model::{Object, Registered};
use crate::request::{AdminRequest, Route};

/// What is the same for every row.
pub(super) struct Shown<'a> {
    model: &'a Registered,
    zone: Tz,
    links: &'a [String],
    request: &'a AdminRequest,
    yes: String,
    no: String,
    /// What every link carries.
    kept: String,
}

impl<'a> Shown<'a> {
    pub(super) fn new(model: &'a Registered, request: &'a AdminRequest) -> Self {
        let options = &model.options;
        let links = match options.list_display_links.as_slice() {
            [] => options.list_display.get(..1).unwrap_or_default(),
            links => links,
        };
        let here = request.url(&request.route);
        let kept = request.url_keeping_filters(&request.route);
        Self {
            model,
            zone: request.zone,
            links,
            request,
            yes: request.t("admin_list.yes", &[]),
            no: request.t("admin_list.no", &[]),
            kept: kept.strip_prefix(&here).unwrap_or_default().to_owned(),
        }
    }

    pub(super) fn row(&self, object: &Object) -> Value {
        let route = Route::Change(self.model.id, object.key.clone());
        let url = format!("{}{}", self.request.url(&route), self.kept);
        let names = self.model.options.list_display.iter();
        let cells = names.map(|name| {
            let cell = self.cell(object, name);
            let url = self.links.contains(name).then_some(&url);
            context! { url, ..cell }
        });
        context! {
            pk => &object.key,
            name => &object.repr,
            cells => cells.collect::<Value>(),
        }
    }

    fn cell(&self, object: &Object, name: &str) -> Value {
        if let Some(text) = object.computed.get(name) {
            return self.text(text);
        }
        let name = if name == "pk" {
            &self.model.info.pk
        } else {
            name
        };
        match object.values.get(name) {
            Some(Stored::Bool(true)) => context! { kind => "yes", text => &self.yes },
            Some(Stored::Bool(false)) => context! { kind => "no", text => &self.no },
            Some(value) => self.text(&text_of(value, self.zone)),
            None if name == "__str__" => self.text(&object.repr),
            None => self.text(""),
        }
    }

    /// A text that is empty, or looks so, is shown as the mark for nothing.
    fn text(&self, text: &str) -> Value {
        match text.trim() {
            "" => context! { kind => "none", text => &self.model.options.empty_value_display },
            _ => context! { kind => "", text },
        }
    }
}

fn text_of(value: &Stored<'_>, zone: Tz) -> String {
    match value {
        Stored::Null => String::new(),
        Stored::Bool(value) => value.to_string(),
        Stored::Int(number) => number.to_string(),
        Stored::Real(number) => number.to_string(),
        Stored::Text(text) => text.to_string(),
        Stored::Bytes(bytes) => format!("{} B", bytes.len()),
        Stored::Timestamp(moment) => {
            let local = moment.with_timezone(&zone);
            local.format("%Y-%m-%d %H:%M").to_string()
        }
        Stored::Uuid(uuid) => uuid.to_string(),
    }
}
