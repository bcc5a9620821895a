//! `LANGUAGES`: the languages that a site offers.

use serde_json::Value as Json;

use super::kind::{Kind, expected, list};
use crate::i18n::{Language, is_language_code};

/// Language codes. In files each may stand with its name, as Django writes them; the names have no use
/// here.
pub(super) struct Languages;

impl Languages {
    /// Every language that texts exist in.
    pub(super) fn shipped() -> Vec<String> {
        Language::all()
            .map(|language| language.code().into())
            .collect()
    }
}

impl Kind for Languages {
    type Value = Vec<String>;
    const EXPECTED: &'static str =
        "a list of language codes, such as [\"en\", \"pt-br\"], or of [code, name]";

    fn read(json: &Json) -> Result<Vec<String>, String> {
        let codes = list::<Self>(json)?.iter().map(code);
        codes.collect::<Option<_>>().ok_or_else(expected::<Self>)
    }

    fn show(value: &Vec<String>) -> Json {
        value.clone().into()
    }

    fn check(value: &Vec<String>) -> Result<(), String> {
        let good = value.iter().all(|code| is_language_code(code));
        if good {
            Ok(())
        } else {
            Err(expected::<Self>())
        }
    }
}

fn code(json: &Json) -> Option<String> {
    let code = match json {
        Json::Array(pair) if pair.len() == 2 && pair[1].is_string() => pair[0].as_str(),
        other => other.as_str(),
    };
    code.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_with_and_without_names() {
        let read = Languages::read(&json!(["en", ["pt-br", "Português"]])).unwrap();
        assert_eq!(read, ["en", "pt-br"]);
        assert!(Languages::check(&read).is_ok());
        for wrong in [json!("en"), json!([1]), json!([["en"]]), json!([["en", 1]])] {
            assert!(Languages::read(&wrong).is_err(), "{wrong}");
        }
        assert!(Languages::check(&vec!["no code".to_owned()]).is_err());
        assert!(Languages::check(&Languages::shipped()).is_ok());
    }
}
