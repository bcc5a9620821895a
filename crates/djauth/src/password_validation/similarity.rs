use std::collections::HashMap;

use super::{PasswordUser, PasswordValidator};
use crate::Error;
use crate::i18n::{Language, gettext};
use crate::validators::{ValidationError, is_word};

/// Not too much like what the user is called.
#[derive(Clone, Debug)]
pub struct UserAttributeSimilarityValidator {
    user_attributes: Vec<String>,
    max_similarity: f64,
}

impl UserAttributeSimilarityValidator {
    /// Compares with these fields; a ratio of `max_similarity` (at least 0.1; Django's default is
    /// 0.7) is too much.
    ///
    /// # Errors
    /// For a `max_similarity` below 0.1.
    pub fn new(user_attributes: &[impl AsRef<str>], max_similarity: f64) -> Result<Self, Error> {
        if max_similarity.is_nan() || max_similarity < 0.1 {
            return Err(Error::value("max_similarity must be at least 0.1"));
        }
        let user_attributes = user_attributes
            .iter()
            .map(|a| a.as_ref().to_owned())
            .collect();
        Ok(Self {
            user_attributes,
            max_similarity,
        })
    }

    fn too_similar(&self, password: &Letters, value: &str) -> bool {
        let value = value.to_lowercase();
        let parts = value.split(|c| !is_word(c)).filter(|part| !part.is_empty());
        parts.chain([&*value]).any(|part| {
            let length = part.chars().count();
            !self.is_out_of_reach(password.total, length)
                && password.quick_ratio(part, length) >= self.max_similarity
        })
    }

    /// A part this much shorter than the password cannot reach the ratio. This also bounds the
    /// work (CVE-2021-45115).
    fn is_out_of_reach(&self, password: usize, part: usize) -> bool {
        let bound = self.max_similarity / 2.0 * password as f64;
        password >= 10 * part && (part as f64) < bound
    }
}

/// The characters of the password, counted once.
struct Letters {
    counts: HashMap<char, usize>,
    total: usize,
}

impl Letters {
    fn new(text: &str) -> Self {
        let mut letters = Letters {
            counts: HashMap::new(),
            total: 0,
        };
        for c in text.chars() {
            *letters.counts.entry(c).or_default() += 1;
            letters.total += 1;
        }
        letters
    }

    /// `SequenceMatcher.quick_ratio`: twice the shared characters over all, whatever their order.
    fn quick_ratio(&self, other: &str, length: usize) -> f64 {
        let all = self.total + length;
        if all == 0 {
            return 1.0;
        }
        let mut used = HashMap::<char, usize>::new();
        let shared = other.chars().filter(|c| {
            let used = used.entry(*c).or_default();
            *used += 1;
            *used <= self.counts.get(c).copied().unwrap_or(0)
        });
        2.0 * shared.count() as f64 / all as f64
    }
}

impl PasswordValidator for UserAttributeSimilarityValidator {
    fn validate(
        &self,
        password: &str,
        user: Option<&dyn PasswordUser>,
    ) -> Result<(), ValidationError> {
        let Some(user) = user else { return Ok(()) };
        let password = Letters::new(&password.to_lowercase());
        let offended = self.user_attributes.iter().find(|attribute| {
            let value = user.text(attribute).filter(|value| !value.is_empty());
            value.is_some_and(|value| self.too_similar(&password, &value))
        });
        let Some(attribute) = offended else {
            return Ok(());
        };
        let error = ValidationError::of("password_too_similar");
        Err(error.field_param("verbose_name", attribute))
    }

    fn get_help_text(&self, language: Language) -> String {
        gettext(language, "help.password_too_similar", &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CVE-2021-45115. The cases are answers of Django 6.1's `exceeds_maximum_length_ratio`: length of
    /// the password, `max_similarity`, length of the part.
    #[test]
    fn cve_2021_45115_short_parts_of_long_passwords_are_skipped() {
        for (password, max_similarity, part, skipped) in [
            (20, 0.1, 2, false),
            (20, 0.1, 1, false),
            (100, 0.1, 4, true),
            (100, 0.1, 5, false),
            (100, 0.7, 10, true),
            (100, 0.7, 11, false),
            (9, 0.7, 0, true),
            (29, 0.1, 3, false),
        ] {
            let validator = UserAttributeSimilarityValidator::new(&["x"], max_similarity).unwrap();
            let case = (password, max_similarity, part);
            assert_eq!(
                validator.is_out_of_reach(password, part),
                skipped,
                "{case:?}"
            );
        }
    }

    /// CVE-2021-45115: a comparison of each character with each would not end.
    #[test]
    fn cve_2021_45115_long_passwords_are_compared_in_one_pass() {
        let validator = UserAttributeSimilarityValidator::new(&["x"], 0.6).unwrap();
        let (password, value) = ("ab".repeat(1_000_000), "ab-".repeat(700_000));
        let user: [(&str, &str); 1] = [("x", &value)];
        assert!(validator.validate(&password, Some(&user)).is_err());
    }
}
