//! `render_password_as_hash`: `django/contrib/auth/templatetags/auth.py`.
//!
//! Every template of [`Templates`](crate::templates::Templates) has it as a function:
//! `{{ render_password_as_hash(password) }}`.

use std::sync::Arc;

use djauth_hashers::Hashers;
use djauth_hashers::is_password_usable;
use minijinja::{Environment, HtmlEscape, State, Value};

use crate::i18n::{Language, gettext};

/// What may be shown of a stored password, as HTML: the algorithm, its costs, and of salt and hash the
/// first characters alone. A value without a usable password, and one that cannot be read, say so and
/// show nothing.
#[must_use]
pub fn render_password_as_hash(hashers: &Hashers, language: Language, encoded: &str) -> String {
    let whole = |key| {
        let text = gettext(language, key, &[]);
        format!("<p><strong>{}</strong></p>", HtmlEscape(&text))
    };
    if encoded.is_empty() || !is_password_usable(encoded) {
        return whole("password_hash.none");
    }
    let Ok(summary) = hashers.safe_summary(encoded) else {
        return whole("password_hash.unknown");
    };
    let items = summary.iter().map(|(label, value)| {
        let label = gettext(language, &key(label), &[]);
        let (label, value) = (HtmlEscape(&label), HtmlEscape(value));
        format!("<strong>{label}</strong>: <bdi>{value}</bdi>")
    });
    format!("<p>{}</p>", items.collect::<Vec<_>>().join(" "))
}

/// `memory cost` stands in the catalogues as `password_hash.memory_cost`.
fn key(label: &str) -> String {
    format!("password_hash.{}", label.replace(' ', "_"))
}

/// Gives the templates the function. It takes the text of the column; nothing counts as no password.
pub(crate) fn install(environment: &mut Environment<'static>, hashers: Hashers) {
    let hashers = Arc::new(hashers);
    let render = move |state: &State, encoded: Value| {
        let lang = state.lookup("lang");
        let language = lang
            .as_ref()
            .and_then(Value::as_str)
            .and_then(Language::find);
        let encoded = encoded.as_str().unwrap_or_default();
        let html = render_password_as_hash(&hashers, language.unwrap_or_default(), encoded);
        Value::from_safe_string(html)
    };
    environment.add_function("render_password_as_hash", render);
}
