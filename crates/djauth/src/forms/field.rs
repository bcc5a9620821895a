//! Single fields: cleaning as `CharField` does it, and what a template shows of them.

use minijinja::{HtmlEscape, Value, context};
use unicode_normalization::UnicodeNormalization;

use crate::http::strip;
use crate::validators::ValidationError;

/// The form field of a username.
#[derive(Clone, Copy, Debug)]
pub struct UsernameField {
    /// The longest name in characters, if there is a limit.
    pub max_length: Option<usize>,
}

impl UsernameField {
    /// The name as it is looked up: stripped, and in the form NFKC. A name that is too long
    /// already is not brought into that form, which could take long (CVE-2023-46695).
    pub fn to_python(&self, value: &str) -> String {
        let value = strip(value);
        if self.is_too_long(value) {
            value.to_owned()
        } else {
            value.nfkc().collect()
        }
    }

    /// [`to_python`](Self::to_python), and the rules of a required text.
    ///
    /// # Errors
    /// With the codes `required`, `max_length` and `null_characters_not_allowed`.
    pub fn clean(&self, value: &str) -> Result<String, Vec<ValidationError>> {
        let value = self.to_python(value);
        let mut errors = Vec::new();
        if let Some(limit) = self.max_length.filter(|_| self.is_too_long(&value)) {
            let message = format!("Use at most {limit} characters.");
            errors.push(ValidationError::new("max_length", message));
        }
        required_text(value, errors)
    }

    fn is_too_long(&self, value: &str) -> bool {
        self.max_length
            .is_some_and(|limit| value.chars().nth(limit).is_some())
    }
}

/// A password as it was typed, never stripped.
pub(super) fn clean_password(value: &str) -> Result<String, Vec<ValidationError>> {
    required_text(value.to_owned(), Vec::new())
}

fn required_text(
    value: String,
    mut errors: Vec<ValidationError>,
) -> Result<String, Vec<ValidationError>> {
    if value.is_empty() {
        return Err(vec![ValidationError::new(
            "required",
            "Please fill in this field.",
        )]);
    }
    if value.contains('\0') {
        let message = "The null character is not allowed.";
        errors.push(ValidationError::new("null_characters_not_allowed", message));
    }
    if errors.is_empty() {
        Ok(value)
    } else {
        Err(errors)
    }
}

/// A field as a template shows it: `name`, `label`, `id`, `errors` (each with `code` and
/// `message`) and `attributes`, the escaped attributes of its `<input>`.
#[derive(Clone, Debug)]
pub struct BoundField {
    /// The name in the form's data.
    pub name: &'static str,
    /// The label.
    pub label: String,
    /// What is wrong with the value.
    pub errors: Vec<ValidationError>,
    attributes: Vec<(&'static str, String)>,
}

impl BoundField {
    pub(super) fn new(name: &'static str, label: impl Into<String>, kind: &str) -> Self {
        let field = Self {
            name,
            label: label.into(),
            errors: Vec::new(),
            attributes: Vec::new(),
        };
        let id = field.id();
        field
            .attribute("type", kind)
            .attribute("name", name)
            .attribute("id", id)
    }

    pub(super) fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    pub(super) fn errors(mut self, errors: &[ValidationError]) -> Self {
        self.errors = errors.to_vec();
        if errors.is_empty() {
            return self;
        }
        let id = format!("{}_error", self.id());
        self.attribute("aria-invalid", "true")
            .attribute("aria-describedby", id)
    }

    /// The id of the `<input>`: Django's `id_<name>`.
    pub fn id(&self) -> String {
        format!("id_{}", self.name)
    }

    fn html(&self) -> String {
        let mut html = String::new();
        for (name, value) in &self.attributes {
            let escaped = HtmlEscape(value);
            let separator = if html.is_empty() { "" } else { " " };
            html.push_str(&match value.is_empty() {
                true if *name != "value" => format!("{separator}{name}"),
                _ => format!("{separator}{name}=\"{escaped}\""),
            });
        }
        html
    }
}

/// For templates.
impl From<&BoundField> for Value {
    fn from(field: &BoundField) -> Self {
        context! {
            name => field.name,
            label => field.label.clone(),
            id => field.id(),
            errors => errors_value(&field.errors),
            attributes => Value::from_safe_string(field.html()),
        }
    }
}

pub(super) fn errors_value(errors: &[ValidationError]) -> Value {
    let value =
        |error: &ValidationError| context! { code => error.code(), message => error.message() };
    errors.iter().map(value).collect()
}

/// Capitalises the first letter: Django's `capfirst`.
pub(super) fn capfirst(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A field's name for people; Django's `verbose_name` unless a model sets its own.
pub(super) fn verbose_name(field: &str) -> String {
    match field {
        "email" => "email address".into(),
        _ => field.replace('_', " "),
    }
}
