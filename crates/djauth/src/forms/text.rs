use std::sync::Arc;

use super::field::capfirst;
use crate::base_user::UserMeta;
use crate::i18n::{Language, field_name, gettext};
use crate::password_validation::PasswordValidator;

/// Words for people: of the catalogue, or an application's own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Text {
    /// A key of the catalogue.
    Key(&'static str),
    /// The name of a model's field, with a capital letter.
    Field(String),
    /// What a rule for passwords says before one is chosen.
    Rule(Arc<dyn PasswordValidator>),
    /// Words that are the same in every language.
    Literal(String),
}

impl Text {
    /// The label of a model's field: its `verbose_name`, or else its name.
    #[must_use]
    pub fn field(user: &UserMeta, name: &str) -> Self {
        let given = user
            .field(name)
            .and_then(|field| field.verbose_name.as_deref());
        match given {
            Some(given) => Text::Literal(capfirst(given)),
            None => Text::Field(name.to_owned()),
        }
    }

    /// The words in a language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        match self {
            Text::Key(key) => gettext(language, key, &[]),
            Text::Field(name) => capfirst(&field_name(language, name)),
            Text::Rule(rule) => rule.get_help_text(language),
            Text::Literal(words) => words.clone(),
        }
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Text::Literal(words.to_owned())
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Text::Literal(words)
    }
}
