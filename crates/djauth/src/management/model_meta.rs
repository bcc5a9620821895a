//! What content types and permissions need to know of a model: Django's `Model._meta`.

use std::borrow::Cow;

/// The permissions that each model has unless it says otherwise.
pub const DEFAULT_PERMISSIONS: [&str; 4] = ["add", "change", "delete", "view"];

/// The part of a model's `_meta` that becomes a content type and permissions.
///
/// ```
/// use djauth::management::ModelMeta;
///
/// let report = ModelMeta::new("reports", "MonthlyReport").permission("publish_report", "Can publish a report");
/// assert_eq!(report.model_name, "monthlyreport");
/// assert_eq!(report.all_permissions()[0], ("add_monthlyreport".to_owned(), "Can add monthly report".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelMeta {
    /// Label of the app, at most 100 characters.
    pub app_label: Cow<'static, str>,
    /// The model's name in lower case, at most 100 characters.
    pub model_name: String,
    /// Untranslated name for people; it becomes part of the permissions' names.
    pub verbose_name: String,
    /// The actions of the automatic permissions: `add`, `change`, `delete`, `view` unless set.
    pub default_permissions: Vec<Cow<'static, str>>,
    /// The model's own permissions as (codename, name).
    pub permissions: Vec<(String, String)>,
}

impl ModelMeta {
    /// A model by its app's label and its class name, with Django's defaults for all else: the name in lower case,
    /// and a name for people made by splitting the class name at its capitals.
    pub fn new(app_label: impl Into<Cow<'static, str>>, class_name: &str) -> Self {
        ModelMeta {
            app_label: app_label.into(),
            model_name: class_name.to_lowercase(),
            verbose_name: camel_case_to_spaces(class_name),
            default_permissions: DEFAULT_PERMISSIONS.map(Cow::Borrowed).into(),
            permissions: Vec::new(),
        }
    }

    /// `Meta.verbose_name`, untranslated.
    #[must_use]
    pub fn verbose_name(mut self, name: impl Into<String>) -> Self {
        self.verbose_name = name.into();
        self
    }

    /// `Meta.default_permissions`; an empty list means that only the model's own permissions exist.
    #[must_use]
    pub fn default_permissions<A: Into<Cow<'static, str>>>(
        mut self,
        actions: impl IntoIterator<Item = A>,
    ) -> Self {
        self.default_permissions = actions.into_iter().map(Into::into).collect();
        self
    }

    /// Adds one of the model's own permissions (`Meta.permissions`).
    #[must_use]
    pub fn permission(mut self, codename: impl Into<String>, name: impl Into<String>) -> Self {
        self.permissions.push((codename.into(), name.into()));
        self
    }

    /// Codename and name of every permission: the automatic ones first, then the model's own.
    #[must_use]
    pub fn all_permissions(&self) -> Vec<(String, String)> {
        let automatic = self.default_permissions.iter().map(|action| {
            (
                format!("{action}_{}", self.model_name),
                format!("Can {action} {}", self.verbose_name),
            )
        });
        automatic.chain(self.permissions.iter().cloned()).collect()
    }

    /// What keeps this model from being stored, in words; `None` if nothing does. Django's checks `auth.E005` to
    /// `auth.E008` and the widths of the columns.
    pub(super) fn problem(&self) -> Option<String> {
        let named = |what: &str| Some(format!("{}.{}: {what}", self.app_label, self.model_name));
        if self.app_label.chars().count() > 100 || self.model_name.chars().count() > 100 {
            return named("the app label or model name is longer than 100 characters");
        }
        let all = self.all_permissions();
        if let Some((code, _)) = all.iter().find(|(code, _)| code.chars().count() > 100) {
            return named(&format!(
                "codename {code:?} is longer than 100 characters (auth.E008)"
            ));
        }
        if let Some((code, _)) = all.iter().find(|(_, name)| name.chars().count() > 255) {
            return named(&format!(
                "the name of permission {code:?} is longer than 255 characters (auth.E007)"
            ));
        }
        let mut seen = std::collections::HashSet::new();
        let twice = all.iter().find(|(code, _)| !seen.insert(code.as_str()))?;
        named(&format!(
            "permission {:?} is declared twice (auth.E005, auth.E006)",
            twice.0
        ))
    }
}

/// `django.utils.text.camel_case_to_spaces`: a space before a capital that follows a small ASCII letter, and before
/// one that begins a word (a capital that another capital or the end does not follow); then trimmed, in lower case.
fn camel_case_to_spaces(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut spaced = String::with_capacity(name.len() + 8);
    for (i, letter) in letters.iter().enumerate() {
        let after_small = i > 0 && letters[i - 1].is_ascii_lowercase();
        let begins_word = letters
            .get(i + 1)
            .is_some_and(|next| !next.is_ascii_uppercase());
        if letter.is_ascii_uppercase() && (after_small || begins_word) {
            spaced.push(' ');
        }
        spaced.push(*letter);
    }
    spaced.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of Django 6.1.
    #[test]
    fn names_are_split_as_django_splits_them() {
        for (class, verbose) in [
            ("LogEntry", "log entry"),
            ("ContentType", "content type"),
            ("HTTPServer", "http server"),
            ("UserID", "user id"),
            ("aB", "a b"),
            ("ABc", "a bc"),
            ("Item2Part", "item2 part"),
            ("Über", "über"),
            ("Z", "z"),
            ("", ""),
        ] {
            assert_eq!(camel_case_to_spaces(class), verbose, "{class}");
        }
    }

    #[test]
    fn unusable_models_are_named() {
        let model =
            |build: fn(ModelMeta) -> ModelMeta| build(ModelMeta::new("shop", "Item")).problem();
        assert_eq!(model(|m| m), None);
        let refused = |build, part: &str| {
            let problem = model(build).expect("a problem");
            assert!(
                problem.starts_with("shop.item: ") && problem.contains(part),
                "{problem}"
            );
        };
        refused(|m| m.permission("add_item", "x"), "declared twice");
        refused(|m| m.permission("x".repeat(101), "x"), "auth.E008");
        refused(|m| m.permission("x", "n".repeat(256)), "auth.E007");
        assert!(ModelMeta::new("a".repeat(101), "Item").problem().is_some());
    }

    #[test]
    fn an_empty_list_of_actions_leaves_the_own_permissions() {
        let model = ModelMeta::new("shop", "Item")
            .default_permissions([""; 0])
            .permission("sell", "Can sell");
        assert_eq!(
            model.all_permissions(),
            [("sell".to_owned(), "Can sell".to_owned())]
        );
    }
}
