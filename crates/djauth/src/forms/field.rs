//! Single fields: what they are, and how `django.forms.fields` cleans them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::datetime::{parse_datetime, parse_split_datetime};
use super::email::validate_email;
use super::text::Text;
use crate::http::strip;
use crate::i18n::Language;
use crate::validators::ValidationError;

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// A line of text, stripped.
    Text,
    /// A username: stripped, and brought into the form NFKC ([`UsernameField`]).
    Username,
    /// An e-mail address.
    Email,
    /// A password: never stripped, never shown again.
    Password,
    /// Yes or no.
    Checkbox,
    /// One of some values.
    Radio,
    /// Any of some rows, which are offered by their keys.
    SelectMultiple,
    /// A moment.
    DateTime,
    /// A moment in two inputs, `<name>_0` for the date and `<name>_1` for the time; mirrors Django's
    /// `SplitDateTimeField`.
    SplitDateTime,
    /// The summary of a stored password (`read_only_password_hash`).
    ReadOnlyPasswordHash,
}

/// One of the values that a field offers.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: Text,
    /// What it stands under, among others.
    pub group: Option<String>,
}

/// A field of a form, as data.
///
/// ```
/// use djauth::forms::{Field, FieldKind};
///
/// let code = Field::new("code", FieldKind::Text)
///     .label("Code")
///     .help_text("The six digits that your phone shows.")
///     .max_length(6)
///     .autocomplete("one-time-code");
/// # let _ = code;
/// ```
#[derive(Clone, Debug)]
pub struct Field {
    pub(super) name: String,
    pub(super) kind: FieldKind,
    pub(super) label: Text,
    pub(super) help_texts: Vec<Text>,
    pub(super) required: bool,
    pub(super) disabled: bool,
    pub(super) max_length: Option<usize>,
    /// Whether more than `max_length` is an error.
    pub(super) limited: bool,
    pub(super) autofocus: bool,
    pub(super) autocomplete: Option<&'static str>,
    pub(super) initial: Vec<String>,
    pub(super) choices: Vec<Choice>,
    /// The zone of moments without an offset.
    pub(super) zone: Tz,
}

/// What a field made of what was sent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cleaned {
    /// Text; empty where nothing was sent.
    Text(Zeroizing<String>),
    /// Whether a box was ticked.
    Bool(bool),
    /// The chosen values.
    Many(Vec<String>),
    /// A moment, or none.
    DateTime(Option<DateTime<Utc>>),
}

impl Field {
    /// A field that must be filled in.
    pub fn new(name: impl Into<String>, kind: FieldKind) -> Self {
        let name = name.into();
        Self {
            label: Text::Field(name.clone()),
            name,
            kind,
            help_texts: Vec::new(),
            required: true,
            disabled: false,
            max_length: None,
            limited: true,
            autofocus: false,
            autocomplete: None,
            initial: Vec::new(),
            choices: Vec::new(),
            zone: Tz::UTC,
        }
    }

    /// The label.
    #[must_use]
    pub fn label(mut self, label: impl Into<Text>) -> Self {
        self.label = label.into();
        self
    }

    /// What people should know before they fill it in. Several make a list.
    #[must_use]
    pub fn help_text(mut self, text: impl Into<Text>) -> Self {
        self.help_texts.push(text.into());
        self
    }

    /// It may stay empty.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// At most so many characters.
    #[must_use]
    pub fn max_length(mut self, characters: usize) -> Self {
        self.max_length = Some(characters);
        self
    }

    /// The cursor is in it when the page opens.
    #[must_use]
    pub fn autofocus(mut self) -> Self {
        self.autofocus = true;
        self
    }

    /// What browsers and password managers may fill in: a value of HTML's `autocomplete`.
    #[must_use]
    pub fn autocomplete(mut self, hint: &'static str) -> Self {
        self.autocomplete = Some(hint);
        self
    }

    /// What it holds before anybody fills it in.
    #[must_use]
    pub fn initial(mut self, value: impl Into<String>) -> Self {
        self.initial.push(value.into());
        self
    }

    /// The zone of moments that are written without an offset; UTC otherwise.
    #[must_use]
    pub fn time_zone(mut self, zone: Tz) -> Self {
        self.zone = zone;
        self
    }

    /// A value that it offers.
    #[must_use]
    pub fn choice(mut self, value: impl Into<String>, label: impl Into<Text>) -> Self {
        let (value, label) = (value.into(), label.into());
        let group = None;
        self.choices.push(Choice {
            value,
            label,
            group,
        });
        self
    }

    /// A value that it offers, under a heading: those of one heading follow each other.
    #[must_use]
    pub fn choice_of(
        mut self,
        group: impl Into<String>,
        value: impl Into<String>,
        label: impl Into<Text>,
    ) -> Self {
        let (value, label, group) = (value.into(), label.into(), Some(group.into()));
        self.choices.push(Choice {
            value,
            label,
            group,
        });
        self
    }

    /// What it takes instead.
    #[must_use]
    pub fn of_kind(mut self, kind: FieldKind) -> Self {
        self.kind = kind;
        self
    }

    /// What it holds before anybody fills it in, in place of what was said before.
    pub fn set_initial(&mut self, values: Vec<String>) {
        self.initial = values;
    }

    /// What it holds before anybody fills it in.
    #[must_use]
    pub fn initial_values(&self) -> &[String] {
        &self.initial
    }

    /// The values that it offers.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// What it is called, in a language.
    #[must_use]
    pub fn label_in(&self, language: Language) -> String {
        self.label.in_language(language)
    }

    /// The name in the form's data.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it takes.
    #[must_use]
    pub fn kind(&self) -> FieldKind {
        self.kind
    }

    /// Whether it must be filled in.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// The id of the `<input>`: Django's `id_<name>`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("id_{}", self.name)
    }

    /// What was sent, as a value; or everything that is wrong with it.
    pub(super) fn clean(
        &self,
        sent: &[Zeroizing<String>],
    ) -> Result<Cleaned, Vec<ValidationError>> {
        let last = sent.last().map_or("", |value| value);
        match self.kind {
            FieldKind::Text | FieldKind::Email => self.clean_text(strip(last).to_owned()),
            FieldKind::Password => self.clean_text(last.to_owned()),
            FieldKind::Username => self.clean_text(self.username().to_python(last)),
            FieldKind::Checkbox => Ok(Cleaned::Bool(is_ticked(last))),
            FieldKind::Radio => self.clean_choice(last),
            FieldKind::SelectMultiple => self.clean_choices(sent),
            FieldKind::DateTime => self.clean_datetime(strip(last)),
            FieldKind::SplitDateTime => self.clean_split(sent),
            FieldKind::ReadOnlyPasswordHash => Ok(Cleaned::Text(Zeroizing::default())),
        }
    }

    fn username(&self) -> UsernameField {
        UsernameField {
            max_length: self.max_length,
        }
    }

    /// The validators of `CharField` and `EmailField`, in Django's order.
    fn clean_text(&self, value: String) -> Result<Cleaned, Vec<ValidationError>> {
        let value = Zeroizing::new(value);
        if value.is_empty() {
            return self.unless_required(Cleaned::Text(value));
        }
        let mut errors = Vec::new();
        if self.kind == FieldKind::Email {
            errors.extend(validate_email(&value).err());
        }
        errors.extend(too_long(&value, self.max_length.filter(|_| self.limited)));
        errors.extend(with_nul(&value));
        ok_unless(errors, Cleaned::Text(value))
    }

    fn unless_required(&self, value: Cleaned) -> Result<Cleaned, Vec<ValidationError>> {
        if self.required {
            Err(vec![required()])
        } else {
            Ok(value)
        }
    }

    fn clean_choice(&self, value: &str) -> Result<Cleaned, Vec<ValidationError>> {
        let cleaned = Cleaned::Text(Zeroizing::new(value.to_owned()));
        if value.is_empty() {
            return self.unless_required(cleaned);
        }
        ok_unless(self.not_offered(value).into_iter().collect(), cleaned)
    }

    fn clean_choices(&self, sent: &[Zeroizing<String>]) -> Result<Cleaned, Vec<ValidationError>> {
        let values: Vec<_> = sent.iter().map(|value| value.to_string()).collect();
        if values.is_empty() {
            return self.unless_required(Cleaned::Many(values));
        }
        let wrong = values.iter().find_map(|value| self.not_offered(value));
        ok_unless(wrong.into_iter().collect(), Cleaned::Many(values))
    }

    fn not_offered(&self, value: &str) -> Option<ValidationError> {
        let offered = self.choices.iter().any(|choice| choice.value == value);
        // Rows are offered by their keys, which are numbers.
        let code = match self.kind {
            FieldKind::SelectMultiple if value.trim().parse::<i64>().is_err() => "invalid_pk_value",
            _ => "invalid_choice",
        };
        (!offered).then(|| ValidationError::of(code))
    }

    /// Date and time, as [`Form`](super::Form) hands them over.
    fn clean_split(&self, sent: &[Zeroizing<String>]) -> Result<Cleaned, Vec<ValidationError>> {
        let part = |at: usize| sent.get(at).map_or("", |text| strip(text));
        let (date, time) = (part(0), part(1));
        match (date.is_empty(), time.is_empty()) {
            (true, true) => self.unless_required(Cleaned::DateTime(None)),
            (false, false) => parse_split_datetime(date, time, self.zone)
                .map(|moment| Cleaned::DateTime(Some(moment)))
                .map_err(|error| vec![error]),
            (true, false) => Err(vec![ValidationError::of("invalid_date")]),
            (false, true) => Err(vec![ValidationError::of("invalid_time")]),
        }
    }

    fn clean_datetime(&self, value: &str) -> Result<Cleaned, Vec<ValidationError>> {
        if value.is_empty() {
            return self.unless_required(Cleaned::DateTime(None));
        }
        let moment = parse_datetime(value, self.zone);
        moment
            .map(|at| Cleaned::DateTime(Some(at)))
            .map_err(|error| vec![error])
    }
}

pub(super) fn required() -> ValidationError {
    ValidationError::of("required")
}

fn too_long(value: &str, limit: Option<usize>) -> Option<ValidationError> {
    let limit = limit.filter(|&limit| value.chars().nth(limit).is_some())?;
    Some(ValidationError::of("max_length").param("limit_value", limit))
}

fn with_nul(value: &str) -> Option<ValidationError> {
    let code = "null_characters_not_allowed";
    value.contains('\0').then(|| ValidationError::of(code))
}

fn ok_unless(
    errors: Vec<ValidationError>,
    value: Cleaned,
) -> Result<Cleaned, Vec<ValidationError>> {
    if errors.is_empty() {
        Ok(value)
    } else {
        Err(errors)
    }
}

/// `CheckboxInput.value_from_datadict`.
fn is_ticked(value: &str) -> bool {
    !value.is_empty() && !value.eq_ignore_ascii_case("false")
}

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
        if too_long(value, self.max_length).is_some() {
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
        let mut field = Field::new("username", FieldKind::Username);
        field.max_length = self.max_length;
        match field.clean(&[Zeroizing::new(value.to_owned())])? {
            Cleaned::Text(text) => Ok(text.to_string()),
            _ => Ok(String::new()),
        }
    }
}

/// Capitalises the first letter: Django's `capfirst`.
pub(super) fn capfirst(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}
