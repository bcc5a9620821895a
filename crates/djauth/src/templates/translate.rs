//! `t`, `lang` and `dir` in templates.

use minijinja::value::Kwargs;
use minijinja::{Environment, HtmlEscape, State, Value, context};

use crate::i18n::{Language, gettext, gettext_html};

/// Gives the templates `t`, and the language where a page says none.
pub(super) fn install(environment: &mut Environment<'static>, language: Language) {
    environment.add_function("t", translate);
    environment.add_global("lang", language.code());
    environment.add_global("dir", language.dir());
}

/// The language of one page.
pub(super) fn values(language: Language) -> Value {
    context! { lang => language.code(), dir => language.dir() }
}

/// `t("key", name=value)`. With a value that is safe HTML the whole is: everything else is escaped then.
#[expect(
    clippy::needless_pass_by_value,
    reason = "minijinja gives named arguments by value"
)]
fn translate(state: &State, key: &str, values: Kwargs) -> Result<Value, minijinja::Error> {
    let lang = state.lookup("lang");
    let language = lang
        .as_ref()
        .and_then(Value::as_str)
        .and_then(Language::find);
    let language = language.unwrap_or_default();
    let mut params = Vec::new();
    for name in values.args() {
        params.push((name, values.get::<Value>(name)?));
    }
    if !params.iter().any(|(_, value)| value.is_safe()) {
        let params: Vec<_> = params
            .iter()
            .map(|(name, value)| (*name, value.to_string()))
            .collect();
        return Ok(Value::from(gettext(language, key, &params)));
    }
    let params: Vec<_> = params
        .iter()
        .map(|(name, value)| (*name, escaped(value)))
        .collect();
    let text = gettext_html(language, key, &params);
    Ok(Value::from_safe_string(text))
}

fn escaped(value: &Value) -> String {
    let text = value.to_string();
    if value.is_safe() {
        text
    } else {
        HtmlEscape(&text).to_string()
    }
}
