//! What a template shows of a form.

use minijinja::{HtmlEscape, Value, context};

use super::field::{Field, FieldKind};
use super::form::Form;
use crate::i18n::{Language, gettext};
use crate::validators::ValidationError;

/// The longest value that is sent back, in bytes.
const LONGEST_SHOWN: usize = 1024;

impl Form {
    /// The form for a template, in a language.
    ///
    /// `fields`, `errors` (of the form as a whole), `invalid`. A field has `name`, `id`, `label`,
    /// `kind`, `required`, `help_texts` with the id `help_id`, `errors` (each with `code` and
    /// `message`) with the id `error_id`, `attributes` (of its `<input>`, escaped) and, where it offers
    /// values, `choices`. `forms/form.html` shows all of it.
    #[must_use]
    pub fn value(&self, language: Language) -> Value {
        let field = |field| self.field_value(field, language);
        context! {
            fields => self.fields().iter().map(field).collect::<Value>(),
            errors => errors_value(self.non_field_errors(), language),
            invalid => self.is_bound() && !self.is_valid(),
        }
    }

    fn field_value(&self, field: &Field, language: Language) -> Value {
        let help: Vec<_> = field
            .help_texts
            .iter()
            .map(|text| text.in_language(language))
            .collect();
        context! {
            name => field.name.as_str(),
            id => field.id(),
            label => field.label.in_language(language),
            kind => kind(field.kind),
            required => field.required,
            help_texts => help,
            help_id => help_id(field),
            errors => errors_value(self.errors(&field.name), language),
            error_id => error_id(field),
            attributes => Value::from_safe_string(self.attributes(field, language)),
            choices => self.choices(field, language),
            parts => self.parts(field),
        }
    }

    fn choices(&self, field: &Field, language: Language) -> Value {
        let chosen = self.shown(field);
        let choices = field.choices.iter().enumerate();
        let value = |(number, choice): (usize, &super::Choice)| {
            context! {
                id => format!("{}_{number}", field.id()),
                value => choice.value.as_str(),
                label => choice.label.in_language(language),
                checked => chosen.contains(&choice.value.as_str()),
                group => choice.group.as_deref(),
            }
        };
        choices.map(value).collect()
    }

    /// What stands in a field: what was sent, or else its first value.
    fn shown<'a>(&'a self, field: &'a Field) -> Vec<&'a str> {
        if self.is_bound() && !field.disabled {
            return self
                .sent(&field.name)
                .iter()
                .map(|value| value.as_str())
                .collect();
        }
        field.initial.iter().map(String::as_str).collect()
    }

    /// The attributes of the two inputs of a moment: `date` and `time`.
    fn parts(&self, field: &Field) -> Value {
        if field.kind != FieldKind::SplitDateTime {
            return Value::UNDEFINED;
        }
        let part = |kind: &str, at: usize| {
            let mut attributes = Attributes::default();
            attributes.set("type", kind);
            attributes.set("name", &format!("{}_{at}", field.name));
            attributes.set("id", &format!("{}_{at}", field.id()));
            let value = self.shown_part(field, at);
            if !value.is_empty() && value.len() <= LONGEST_SHOWN {
                attributes.set("value", value);
            }
            if kind == "time" {
                attributes.set("step", "1");
            }
            attributes.flag("required", field.required);
            self.described_by(field, &mut attributes);
            Value::from_safe_string(attributes.0)
        };
        context! { date => part("date", 0), time => part("time", 1) }
    }

    /// What stands in an input of a moment; the first value has a blank between date and time.
    fn shown_part<'a>(&'a self, field: &'a Field, at: usize) -> &'a str {
        if self.is_bound() && !field.disabled {
            return self.sent_parts(&field.name)[at];
        }
        let initial = field.initial.last().map_or("", String::as_str);
        let (date, time) = initial.split_once(' ').unwrap_or((initial, ""));
        if at == 0 { date } else { time }
    }

    /// The attributes of the field's `<input>` but those of single choices.
    fn attributes(&self, field: &Field, language: Language) -> String {
        let mut attributes = Attributes::default();
        attributes.set("type", input_type(field.kind));
        attributes.set("name", &field.name);
        attributes.set("id", &field.id());
        self.value_attribute(field, &mut attributes);
        if let Some(limit) = field.max_length {
            attributes.set("maxlength", &limit.to_string());
        }
        if field.kind == FieldKind::Username {
            attributes.set("autocapitalize", "none");
            attributes.set("spellcheck", "false");
        }
        if field.kind == FieldKind::Password {
            attributes.set("data-show", &gettext(language, "form.show_password", &[]));
            attributes.set("data-hide", &gettext(language, "form.hide_password", &[]));
        }
        if let Some(hint) = field.autocomplete {
            attributes.set("autocomplete", hint);
        }
        attributes.flag("autofocus", field.autofocus);
        attributes.flag(
            "required",
            field.required && field.kind != FieldKind::Checkbox,
        );
        attributes.flag("disabled", field.disabled);
        self.described_by(field, &mut attributes);
        attributes.0
    }

    fn value_attribute(&self, field: &Field, attributes: &mut Attributes) {
        let shown = self.shown(field);
        let value = shown.last().copied().unwrap_or_default();
        match field.kind {
            FieldKind::Password => {}
            FieldKind::Checkbox => attributes.flag("checked", !matches!(value, "" | "false")),
            // More than fits is not sent back.
            _ if !value.is_empty() && value.len() <= LONGEST_SHOWN => {
                attributes.set("value", value);
            }
            _ => {}
        }
    }

    fn described_by(&self, field: &Field, attributes: &mut Attributes) {
        let wrong = !self.errors(&field.name).is_empty();
        if wrong {
            attributes.set("aria-invalid", "true");
        }
        let help = (!field.help_texts.is_empty()).then(|| help_id(field));
        let ids: Vec<_> = wrong
            .then(|| error_id(field))
            .into_iter()
            .chain(help)
            .collect();
        if !ids.is_empty() {
            attributes.set("aria-describedby", &ids.join(" "));
        }
    }
}

#[derive(Default)]
struct Attributes(String);

impl Attributes {
    fn set(&mut self, name: &str, value: &str) {
        let separator = if self.0.is_empty() { "" } else { " " };
        let escaped = HtmlEscape(value);
        self.0.push_str(&format!("{separator}{name}=\"{escaped}\""));
    }

    fn flag(&mut self, name: &str, on: bool) {
        if on {
            self.0.push(' ');
            self.0.push_str(name);
        }
    }
}

fn help_id(field: &Field) -> String {
    format!("{}_helptext", field.id())
}

fn error_id(field: &Field) -> String {
    format!("{}_error", field.id())
}

fn kind(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Radio => "radio",
        FieldKind::SelectMultiple => "multiple",
        FieldKind::Checkbox => "checkbox",
        FieldKind::ReadOnlyPasswordHash => "password_hash",
        FieldKind::SplitDateTime => "datetime",
        _ => "input",
    }
}

fn input_type(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Email => "email",
        FieldKind::Password => "password",
        FieldKind::Checkbox => "checkbox",
        FieldKind::Radio => "radio",
        _ => "text",
    }
}

fn errors_value(errors: &[ValidationError], language: Language) -> Value {
    let value = |error: &ValidationError| {
        let message = error.message_in(language);
        context! { code => error.code(), message => message.to_string() }
    };
    errors.iter().map(value).collect()
}
