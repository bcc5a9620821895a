//! Checks of the user model and of permissions: `django/contrib/auth/checks.py`.

use std::collections::HashSet;

use super::{CheckMessage, Level};
use crate::base_user::UserMeta;
use crate::management::ModelMeta;
use crate::settings::Settings;

/// The one backend that finds users by a name that must be unique.
const MODEL_BACKEND: &str = "django.contrib.auth.backends.ModelBackend";

/// Looks at a user model.
///
/// What the types rule out cannot be found: fields of the wrong type (`auth.E001`), and methods in
/// place of the flags `is_anonymous` and `is_authenticated` (`auth.C009`, `auth.C010`).
pub fn check_user_model(meta: &UserMeta, settings: &Settings) -> Vec<CheckMessage> {
    let label = meta.label();
    let listed = meta.required_fields.contains(&meta.username_field);
    let listed = listed.then(|| {
        let text = format!(
            "USERNAME_FIELD {:?} must not be one of REQUIRED_FIELDS",
            meta.username_field
        );
        CheckMessage::new(Level::Error, "auth.E002", text).object(label.as_str())
    });
    listed
        .into_iter()
        .chain(not_unique(meta, settings, &label))
        .collect()
}

/// `auth.E003` if users are found by the stock backend alone, `auth.W004` otherwise. A model that
/// says nothing of its columns cannot be judged.
fn not_unique(meta: &UserMeta, settings: &Settings, label: &str) -> Option<CheckMessage> {
    if meta.username()?.unique {
        return None;
    }
    let alone = settings.authentication_backends == [MODEL_BACKEND];
    let (level, id) = if alone {
        (Level::Error, "auth.E003")
    } else {
        (Level::Warning, "auth.W004")
    };
    let text = format!(
        "{:?} is what people log in with, so it should be unique",
        meta.username_field
    );
    Some(CheckMessage::new(level, id, text).object(label))
}

/// The most characters of `auth_permission.name`.
const LONGEST_NAME: usize = 255;
/// The most characters of `auth_permission.codename`.
const LONGEST_CODENAME: usize = 100;

/// Looks at the permissions of registered models.
pub fn check_models_permissions(models: &[ModelMeta]) -> Vec<CheckMessage> {
    models.iter().flat_map(check_model).collect()
}

fn check_model(model: &ModelMeta) -> Vec<CheckMessage> {
    let object = format!("{}.{}", model.app_label, model.model_name);
    let error =
        |id, text: String| CheckMessage::new(Level::Error, id, text).object(object.as_str());
    let mut found = Vec::new();
    let all = model.all_permissions();
    let builtin = &all[..all.len() - model.permissions.len()];
    if builtin
        .iter()
        .any(|(_, name)| name.chars().count() > LONGEST_NAME)
    {
        found.push(error(
            "auth.E007",
            format!(
                "the model's name makes a permission's name longer than {LONGEST_NAME} characters"
            ),
        ));
    }
    if builtin
        .iter()
        .any(|(codename, _)| codename.chars().count() > LONGEST_CODENAME)
    {
        found.push(error(
            "auth.E011",
            format!("the model's name makes a codename longer than {LONGEST_CODENAME} characters"),
        ));
    }
    let builtin: HashSet<_> = builtin.iter().map(|(codename, _)| codename).collect();
    let mut seen = HashSet::new();
    for (codename, name) in &model.permissions {
        if name.chars().count() > LONGEST_NAME {
            found.push(error(
                "auth.E008",
                format!("the name of {codename:?} is longer than {LONGEST_NAME} characters"),
            ));
        }
        if codename.chars().count() > LONGEST_CODENAME {
            found.push(error(
                "auth.E012",
                format!("the codename {codename:?} is longer than {LONGEST_CODENAME} characters"),
            ));
        }
        if builtin.contains(codename) {
            found.push(error(
                "auth.E005",
                format!("the codename {codename:?} is that of a built-in permission"),
            ));
        } else if !seen.insert(codename) {
            found.push(error(
                "auth.E006",
                format!("the codename {codename:?} is there twice"),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::User;

    fn ids(messages: &[CheckMessage]) -> Vec<&'static str> {
        messages.iter().map(|message| message.id).collect()
    }

    #[test]
    fn the_stock_user_and_django_s_permissions_are_right() {
        let settings = Settings::new(djauth_signing::crypto::get_random_secret_key());
        assert_eq!(
            ids(&check_user_model(&UserMeta::declared::<User>(), &settings)),
            [""; 0]
        );
        assert_eq!(
            ids(&check_models_permissions(&[ModelMeta::new(
                "reports", "Report"
            )])),
            [""; 0]
        );
    }

    /// The identifiers are those that `check_models_permissions` of Django 6.1 gave for models with the
    /// same `Meta`, each tried there.
    #[test]
    fn permissions_that_cannot_be_are_found() {
        let model = || ModelMeta::new("reports", "Report");
        let found = |model: ModelMeta| ids(&check_models_permissions(&[model]));
        assert_eq!(
            found(model().permission("add_report", "Mine")),
            ["auth.E005"]
        );
        assert_eq!(
            found(model().permission("a", "A").permission("a", "B")),
            ["auth.E006"]
        );
        assert_eq!(found(model().verbose_name("v".repeat(250))), ["auth.E007"]);
        assert_eq!(
            found(model().permission("a", "n".repeat(256))),
            ["auth.E008"]
        );
        assert_eq!(
            found(ModelMeta::new("reports", &"M".repeat(100)).verbose_name("m")),
            ["auth.E011"]
        );
        assert_eq!(
            found(model().permission("c".repeat(101), "A")),
            ["auth.E012"]
        );
        // As in Django the clash with a built-in one wins over the repetition.
        let both = model()
            .permission("add_report", "A")
            .permission("add_report", "B");
        assert_eq!(found(both), ["auth.E005", "auth.E005"]);
    }
}
