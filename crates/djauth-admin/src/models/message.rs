//! What an entry of the log says, for people.

use djauth::i18n::Language;

/// The message of an entry in a language.
#[must_use]
pub fn get_change_message(language: Language, text: &str) -> String {
    let _ = language;
    text.to_owned()
}
