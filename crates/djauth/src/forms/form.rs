//! `django.forms.Form`: fields, what was sent, what it means, and what is wrong with it.

use std::fmt;
use std::net::IpAddr;

use indexmap::IndexMap;
use zeroize::Zeroizing;

use super::field::{Cleaned, Field};
use super::steps::{FormError, Steps};
use crate::Error;
use crate::backends::Context;
use crate::base_user::BaseUser;
use crate::http::{QueryDict, Request};
use crate::validators::ValidationError;

/// The key under which errors of the form as a whole stand.
pub const NON_FIELD_ERRORS: &str = "__all__";

/// A form: Django's `forms.Form`. The forms of this module are made of one.
///
/// ```
/// use djauth::forms::{Field, FieldKind, Form};
/// use djauth::http::QueryDict;
///
/// let fields = [Field::new("email", FieldKind::Email), Field::new("note", FieldKind::Text).optional()];
/// let sent = QueryDict::parse(b"email=nobody", 10).unwrap();
/// let mut form = Form::new(fields, Some(&sent));
/// form.clean_fields();
/// assert_eq!(form.errors("email")[0].code(), "invalid");
/// assert_eq!(form.text("note"), Some(""));
/// ```
#[derive(Clone)]
pub struct Form {
    fields: Vec<Field>,
    data: Option<Data>,
    cleaned: IndexMap<String, Cleaned>,
    errors: IndexMap<String, Vec<ValidationError>>,
    /// Who sent it, as far as that is known.
    sender: Option<IpAddr>,
}

type Data = IndexMap<String, Vec<Zeroizing<String>>>;

impl Form {
    /// A form with what was sent, or an empty one to show.
    pub fn new(fields: impl IntoIterator<Item = Field>, data: Option<&QueryDict>) -> Self {
        let mut form = Self {
            fields: Vec::new(),
            data: None,
            cleaned: IndexMap::new(),
            errors: IndexMap::new(),
            sender: None,
        };
        form.data = data.map(|data| {
            let values = |name: &str| data.get_list(name).iter().cloned().map(Zeroizing::new);
            let pairs = data.iter();
            pairs
                .map(|(name, _)| (name.to_owned(), values(name).collect()))
                .collect()
        });
        form.fields.extend(fields);
        form
    }

    /// Whether something was sent.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.data.is_some()
    }

    /// Whether something was sent and nothing is wrong with it so far.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.is_bound() && self.errors.is_empty()
    }

    /// The fields, in order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// A field, to change it before the form is cleaned.
    pub fn field_mut(&mut self, name: &str) -> Option<&mut Field> {
        self.fields.iter_mut().find(|field| field.name == name)
    }

    /// Adds a field at the end.
    pub fn add_field(&mut self, field: Field) {
        self.fields.push(field);
    }

    /// Adds a field at a place, counted from 0.
    pub fn insert_field(&mut self, place: usize, field: Field) {
        self.fields.insert(place.min(self.fields.len()), field);
    }

    /// Takes a field away.
    pub fn remove_field(&mut self, name: &str) {
        self.fields.retain(|field| field.name != name);
    }

    pub(super) fn sent(&self, name: &str) -> &[Zeroizing<String>] {
        let values = self.data.as_ref().and_then(|data| data.get(name));
        values.map_or(&[], Vec::as_slice)
    }

    /// The address that sent what was cleaned.
    pub(super) fn sender(&self) -> Option<IpAddr> {
        self.sender
    }

    /// Cleans each field; what fails is missing from the cleaned data and has errors instead.
    pub fn clean_fields(&mut self) {
        if !self.is_bound() {
            return;
        }
        for field in self.fields.clone() {
            self.clean_field(&field);
        }
    }

    /// [`clean_fields`](Self::clean_fields), each followed by its step
    /// [`clean_field`](Steps::clean_field).
    pub(crate) async fn clean_fields_with<U: BaseUser, S: Steps<U>>(
        &mut self,
        context: &Context<'_, U>,
        steps: &S,
    ) -> Result<(), Error> {
        if !self.is_bound() {
            return Ok(());
        }
        self.sender = context.request.and_then(Request::client_address);
        for field in self.fields.clone() {
            self.clean_field(&field);
            let Some(value) = self.text(&field.name).map(str::to_owned) else {
                continue;
            };
            let step = steps.clean_field(context, self, &field.name, value);
            match step.await {
                Ok(value) => self.set_text(&field.name, value),
                Err(error) => self.refuse(&field.name, error)?,
            }
        }
        Ok(())
    }

    /// The step [`clean`](Steps::clean).
    pub(crate) async fn clean_with<U: BaseUser, S: Steps<U>>(
        &mut self,
        context: &Context<'_, U>,
        steps: &S,
    ) -> Result<(), Error> {
        if !self.is_bound() {
            return Ok(());
        }
        match steps.clean(context, self).await {
            Ok(()) => Ok(()),
            Err(error) => self.refuse(NON_FIELD_ERRORS, error),
        }
    }

    /// What was sent under the name of a field; empty if nothing was.
    pub fn sent_values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.sent(name).iter().map(|value| value.as_str())
    }

    /// What was sent in the two inputs of a moment.
    pub(super) fn sent_parts(&self, name: &str) -> [&str; 2] {
        ["_0", "_1"].map(|part| {
            let sent = self.sent(&format!("{name}{part}"));
            sent.last().map_or("", |value| value.as_str())
        })
    }

    fn clean_field(&mut self, field: &Field) {
        let cleaned = match field.kind {
            super::FieldKind::SplitDateTime => {
                let parts = self.sent_parts(&field.name);
                field.clean(&parts.map(|part| Zeroizing::new(part.to_owned())))
            }
            _ => field.clean(self.sent(&field.name)),
        };
        match cleaned {
            Ok(_) if field.disabled => {}
            Ok(value) => drop(self.cleaned.insert(field.name.clone(), value)),
            Err(errors) => drop(self.errors.insert(field.name.clone(), errors)),
        }
    }

    /// Adds what a step answered; a failure is none of the form's.
    pub(crate) fn refuse(&mut self, name: &str, error: FormError) -> Result<(), Error> {
        match error {
            FormError::Failed(error) => Err(error),
            FormError::Invalid(errors) => {
                for error in errors {
                    self.add_error(Some(name), error);
                }
                Ok(())
            }
        }
    }

    /// Adds an error to a field, whose value then counts as missing; without a name, to the form.
    pub fn add_error(&mut self, name: Option<&str>, error: ValidationError) {
        let name = name.unwrap_or(NON_FIELD_ERRORS);
        self.cleaned.shift_remove(name);
        self.errors.entry(name.to_owned()).or_default().push(error);
    }

    /// What a field's value means; `None` when it is wrong, or nothing was sent at all.
    #[must_use]
    pub fn cleaned(&self, name: &str) -> Option<&Cleaned> {
        self.cleaned.get(name)
    }

    /// The text of a field; `None` when it is wrong, or no text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.cleaned.get(name)? {
            Cleaned::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether a box was ticked.
    #[must_use]
    pub fn is_ticked(&self, name: &str) -> bool {
        self.cleaned.get(name) == Some(&Cleaned::Bool(true))
    }

    fn set_text(&mut self, name: &str, value: String) {
        self.set(name, Cleaned::Text(Zeroizing::new(value)));
    }

    pub(super) fn set(&mut self, name: &str, value: Cleaned) {
        self.cleaned.insert(name.to_owned(), value);
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.cleaned.shift_remove(name);
    }

    /// The names of the fields that were understood, in order.
    pub fn cleaned_names(&self) -> impl Iterator<Item = &str> {
        self.cleaned.keys().map(String::as_str)
    }

    /// What is wrong with a field.
    #[must_use]
    pub fn errors(&self, name: &str) -> &[ValidationError] {
        self.errors.get(name).map_or(&[], Vec::as_slice)
    }

    /// What is wrong with the form as a whole.
    #[must_use]
    pub fn non_field_errors(&self) -> &[ValidationError] {
        self.errors(NON_FIELD_ERRORS)
    }

    /// Every error: first those of the form ([`NON_FIELD_ERRORS`]), then those of the fields in order.
    pub fn all_errors(&self) -> impl Iterator<Item = (&str, &[ValidationError])> {
        let names = self.fields.iter().map(|field| field.name.as_str());
        let all = std::iter::once(NON_FIELD_ERRORS).chain(names);
        all.map(|name| (name, self.errors(name)))
            .filter(|(_, errors)| !errors.is_empty())
    }
}

/// Shows nothing that was sent.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes = |errors: &[ValidationError]| -> Vec<_> {
            errors.iter().map(ValidationError::code).collect()
        };
        let errors = self
            .all_errors()
            .map(|(name, errors)| (name, codes(errors)));
        f.debug_struct("Form")
            .field("bound", &self.is_bound())
            .field("errors", &errors.collect::<IndexMap<_, _>>())
            .finish_non_exhaustive()
    }
}

/// `form()` and `form_mut()` of a form that is made of one; the path to it, field by field.
macro_rules! has_form {
    ($($field:tt),+) => {
        /// The fields and what is wrong with them.
        pub fn form(&self) -> &$crate::forms::Form {
            &self.$($field).+
        }

        /// The fields, to add some or to change them.
        pub fn form_mut(&mut self) -> &mut $crate::forms::Form {
            &mut self.$($field).+
        }
    };
}
pub(super) use has_form;
