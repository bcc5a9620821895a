//! `PERMISSIONS`.

use serde_json::{Map, Value as Json, json};

use super::kind::{Kind, expected, list};
use crate::management::ModelMeta;

/// A permission of the application that the settings declare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CustomPermission {
    /// Label of the app, the first half of `content_type`.
    pub app_label: String,
    /// Name of the model in lower case, the second half.
    pub model: String,
    /// The code, which together with the app's label names the permission: `reports.publish_report`.
    pub codename: String,
    /// What people read.
    pub name: String,
}

impl CustomPermission {
    /// A permission of the content type `<app_label>.<model>`.
    pub fn new(
        app_label: impl Into<String>,
        model: impl Into<String>,
        codename: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            app_label: app_label.into(),
            model: model.into(),
            codename: codename.into(),
            name: name.into(),
        }
    }

    /// The declared permissions as models that have these and no automatic ones.
    pub(crate) fn models(all: &[Self]) -> Vec<ModelMeta> {
        let mut models: Vec<ModelMeta> = Vec::new();
        for one in all {
            let model = ModelMeta::new(one.app_label.clone(), &one.model);
            let same = |known: &&mut ModelMeta| {
                known.app_label == model.app_label && known.model_name == model.model_name
            };
            let permission = (one.codename.clone(), one.name.clone());
            match models.iter_mut().find(same) {
                Some(known) => known.permissions.push(permission),
                None => {
                    let model = model.default_permissions([""; 0]);
                    models.push(model.permission(permission.0, permission.1));
                }
            }
        }
        models
    }

    fn content_type(&self) -> String {
        format!("{}.{}", self.app_label, self.model)
    }
}

/// `PERMISSIONS`.
pub(super) struct Permissions;

impl Kind for Permissions {
    type Value = Vec<CustomPermission>;
    const EXPECTED: &'static str = "a list of tables, such as [{\"content_type\": \"reports.report\", \
        \"codename\": \"publish_report\", \"name\": \"Can publish report\"}]";

    fn read(json: &Json) -> Result<Self::Value, String> {
        list::<Self>(json)?.iter().map(read).collect()
    }

    fn show(value: &Self::Value) -> Json {
        let table = |one: &CustomPermission| json!({"content_type": one.content_type(), "codename": one.codename, "name": one.name});
        value.iter().map(table).collect()
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        value.iter().try_for_each(check)?;
        let mut seen = std::collections::HashSet::new();
        let twice = value
            .iter()
            .find(|one| !seen.insert((one.content_type(), &one.codename)));
        twice.map_or(Ok(()), |one| {
            Err(format!(
                "{}: {:?} is declared twice",
                one.content_type(),
                one.codename
            ))
        })
    }
}

fn read(json: &Json) -> Result<CustomPermission, String> {
    let table = json.as_object().ok_or_else(expected::<Permissions>)?;
    let known = ["content_type", "codename", "name"];
    if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!(
            "{key:?} is not known; {}",
            expected::<Permissions>()
        ));
    }
    let content_type = text(table, "content_type")?;
    let (app_label, model) = content_type.split_once('.').ok_or_else(|| {
        format!(
            "{content_type:?} is no content type; {}",
            expected::<Permissions>()
        )
    })?;
    Ok(CustomPermission::new(
        app_label,
        model,
        text(table, "codename")?,
        text(table, "name")?,
    ))
}

fn text<'a>(table: &'a Map<String, Json>, key: &str) -> Result<&'a str, String> {
    let text = table.get(key).and_then(Json::as_str);
    text.ok_or_else(|| format!("{key:?} is missing; {}", expected::<Permissions>()))
}

/// The widths are those of Django's columns.
fn check(one: &CustomPermission) -> Result<(), String> {
    let identifier = |text: &str| {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        (1..=100).contains(&text.len()) && text.chars().all(good)
    };
    let content_type = one.content_type();
    if !identifier(&one.app_label) || !identifier(&one.model) {
        return Err(format!(
            "{content_type:?} is no content type: expected app.model in small letters"
        ));
    }
    let within = |text: &str, most| (1..=most).contains(&text.chars().count());
    let spaced = |c: char| c.is_whitespace() || c.is_control();
    if !within(&one.codename, 100) || one.codename.contains(spaced) {
        return Err(format!(
            "{content_type}: a codename has 1 to 100 characters and no spaces"
        ));
    }
    if !within(&one.name, 255) || one.name.contains(char::is_control) {
        return Err(format!(
            "{content_type}: a name has 1 to 255 characters on one line"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_of_one_model_come_together() {
        let of = |model, code| CustomPermission::new("reports", model, code, "Can do it");
        let models = CustomPermission::models(&[of("a", "x"), of("b", "x"), of("a", "y")]);
        assert_eq!(models.len(), 2);
        let codes: Vec<_> = models[0]
            .all_permissions()
            .into_iter()
            .map(|(code, _)| code)
            .collect();
        assert_eq!(codes, ["x", "y"]);
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        let good =
            json!({"content_type": "reports.report", "codename": "publish", "name": "Can publish"});
        assert!(Permissions::check(&Permissions::read(&json!([good])).unwrap()).is_ok());
        assert!(Permissions::check(&Permissions::read(&json!([good, good])).unwrap()).is_err());
        for (key, value) in [
            ("content_type", json!("reports")),
            ("content_type", json!("reports.Report")),
            ("content_type", json!("a.b.c")),
            ("codename", json!("")),
            ("codename", json!("two words")),
            ("codename", json!("x".repeat(101))),
            ("name", json!("")),
            ("name", json!("two\nlines")),
            ("name", json!(null)),
            ("colour", json!("red")),
        ] {
            let mut wrong = good.clone();
            wrong[key] = value;
            let read = Permissions::read(&json!([wrong]));
            assert!(
                read.and_then(|list| Permissions::check(&list)).is_err(),
                "{wrong}"
            );
        }
    }
}
