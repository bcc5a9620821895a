//! The settings as TOML.

use std::fmt::Write;

use serde_json::Value as Json;

use super::answer::Answer;
use super::sheet::Sheet;
use super::sources;

/// The file: values by the sections of the reference page, then what has no counterpart.
pub(super) fn write(sheet: &Sheet, answer: &Answer, secrets: bool) -> String {
    let (major, minor) = answer.django;
    let mut text = format!(
        "# Settings of djauth beside a Django {major}.{minor} site, made by `djauth settings --from`\n\
         # from {}. What is not here has the value of the site too.\n",
        one_line(&answer.module)
    );
    let mut section = "";
    for (definition, value) in &sheet.rows {
        if definition.section != section {
            section = definition.section;
            let _ = write!(text, "\n# {section}\n");
        }
        for (_, remark) in sheet
            .remarks
            .iter()
            .filter(|(name, _)| *name == definition.name)
        {
            let _ = writeln!(text, "# {}", one_line(remark));
        }
        if definition.secret && !secrets {
            let name = definition.name;
            let _ = writeln!(
                text,
                "# {name} is a secret: --output FILE or --secrets shows it"
            );
        } else {
            let _ = writeln!(text, "{} = {}", definition.name, toml_of(value));
        }
    }
    missing(&mut text, sheet);
    let others = sources::others(answer).collect::<Vec<_>>();
    if !others.is_empty() {
        let others = one_line(&others.join(", "));
        let _ = write!(
            text,
            "\n# Set by the project, and of no concern here: {others}\n"
        );
    }
    text
}

fn missing(text: &mut String, sheet: &Sheet) {
    for (index, (name, why)) in sheet.missing().enumerate() {
        if index == 0 {
            text.push_str("\n# Without a counterpart:\n");
        }
        let _ = writeln!(text, "# - {}: {}", one_line(name), one_line(why));
    }
}

/// The values alone, secrets included, to be judged.
pub(super) fn values(sheet: &Sheet) -> String {
    let lines = sheet.rows.iter();
    lines
        .map(|(definition, value)| format!("{} = {}\n", definition.name, toml_of(value)))
        .collect()
}

/// A comment ends with its line, so nothing in it may begin another.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A value on one line. Where nothing is meant, TOML has only the empty text to say so.
fn toml_of(json: &Json) -> String {
    value_of(json).to_string()
}

fn value_of(json: &Json) -> toml::Value {
    match json {
        Json::Null => toml::Value::String(String::new()),
        Json::Bool(flag) => (*flag).into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, float) => float.unwrap_or_default().into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().map(value_of).collect::<Vec<_>>().into(),
        Json::Object(map) => {
            let pairs = map
                .iter()
                .map(|(key, value)| (key.clone(), value_of(value)));
            toml::Value::Table(pairs.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_on_one_line() {
        for (json, toml) in [
            (json!(null), r#""""#),
            (json!([1, "a"]), r#"[1, "a"]"#),
            (json!({"a": {"b": 2}}), "{ a = { b = 2 } }"),
            (json!(0.7), "0.7"),
        ] {
            assert_eq!(toml_of(&json), toml);
        }
    }

    #[test]
    fn a_name_cannot_write_settings_of_its_own() {
        assert_eq!(one_line("a\nDEBUG = true\r\u{85}b"), "a DEBUG = true  b");
    }

    proptest! {
        /// Whatever a project's text is, it comes back as the same text, and nothing else with it.
        #[test]
        fn any_text_comes_back(text in "(?s).{0,40}") {
            let line = format!("NAME = {}\n", toml_of(&json!([text, {"OPTIONS": {"key": text}}])));
            let table: toml::Table = line.parse().unwrap();
            prop_assert_eq!(table.len(), 1);
            let items = table["NAME"].as_array().unwrap();
            prop_assert_eq!(items[0].as_str(), Some(text.as_str()));
            prop_assert_eq!(items[1]["OPTIONS"]["key"].as_str(), Some(text.as_str()));
        }
    }
}
