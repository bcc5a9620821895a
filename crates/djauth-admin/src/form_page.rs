//! A form as a page: `django/contrib/admin/helpers.py`.

use djauth::forms::{Field, FieldKind, Form};
use djauth::i18n::gettext;
use minijinja::{Value, context};

use crate::model::{Object, Registered, Set, capfirst};
use crate::request::AdminRequest;

/// What the lines of a form are made of.
pub(crate) struct Lines<'a> {
    pub(crate) request: &'a AdminRequest,
    pub(crate) model: &'a Registered,
    pub(crate) form: &'a Form,
    /// Fields that are only shown.
    pub(crate) read_only: Option<&'a Form>,
    pub(crate) object: Option<&'a Object>,
    pub(crate) may_change: bool,
    /// Where another group can be made.
    pub(crate) add_group: Option<String>,
}

/// The sets of fields for `includes/fieldset.html`: each has `title`, `classes` and `lines`.
pub(crate) fn fieldsets(lines: &Lines<'_>, sets: &[Set]) -> Value {
    let language = lines.request.language;
    let fields = lines.form.value(language);
    let fields: Vec<Value> = fields
        .get_attr("fields")
        .and_then(|fields| Ok(fields.try_iter()?.collect()))
        .unwrap_or_default();
    let set = |set: &Set| {
        let line = |name: &String| lines.line(name, &fields);
        context! {
            title => set.name.as_deref().map(|name| lines.title(name)),
            classes => set.classes.join(" "),
            lines => set.fields.iter().filter_map(line).collect::<Value>(),
        }
    };
    sets.iter().map(set).collect()
}

impl Lines<'_> {
    /// The title of a set: ours for Django's sets, otherwise its name in words.
    fn title(&self, name: &str) -> String {
        let language = self.request.language;
        match name {
            "personal_info" => gettext(language, "admin_form.set_personal_info", &[]),
            "permissions" => gettext(language, "admin_form.set_permissions", &[]),
            "important_dates" => gettext(language, "admin_form.set_important_dates", &[]),
            name => capfirst(&name.replace('_', " ")),
        }
    }

    fn line(&self, name: &str, fields: &[Value]) -> Option<Value> {
        if name == "password" {
            return self.password();
        }
        let place = self.form.fields().iter().position(|f| f.name() == name);
        match place.and_then(|place| fields.get(place)) {
            Some(field) => Some(self.input(name, field)),
            None => self.shown(name),
        }
    }

    fn input(&self, name: &str, field: &Value) -> Value {
        let picker = self.model.options.filter_horizontal.iter();
        context! {
            field,
            picker => picker.into_iter().any(|known| known == name),
            add_url => self.add_group.as_ref().filter(|_| name == "groups"),
            zone => self.request.zone.name(),
        }
    }

    /// The summary of a stored password, and for who may change users the way to another one.
    fn password(&self) -> Option<Value> {
        let stored = self.object?.password.as_ref()?;
        Some(context! {
            password => stored.expose(),
            label => capfirst(&djauth::i18n::field_name(self.request.language, "password")),
            link => self.may_change,
        })
    }

    /// A value that cannot be changed.
    fn shown(&self, name: &str) -> Option<Value> {
        let field = self.read_only?.fields().iter().find(|f| f.name() == name)?;
        let ticked = field.initial_values().iter().any(|value| value == "true");
        Some(context! {
            readonly => true,
            label => field.label_in(self.request.language),
            boolean => (field.kind() == FieldKind::Checkbox).then_some(ticked),
            values => display_for_field(field, self.request),
            empty => &self.model.options.empty_value_display,
        })
    }
}

/// The values of a field as people read them: chosen rows by their names.
fn display_for_field(field: &Field, request: &AdminRequest) -> Vec<String> {
    let label = |value: &String| {
        let choice = field.choices().iter().find(|choice| choice.value == *value);
        let Some(choice) = choice else {
            return value.clone();
        };
        let label = choice.label.in_language(request.language);
        match &choice.group {
            Some(group) => format!("{group} | {label}"),
            None => label,
        }
    };
    let values = field.initial_values().iter();
    values
        .filter(|value| !value.is_empty())
        .map(label)
        .collect()
}
