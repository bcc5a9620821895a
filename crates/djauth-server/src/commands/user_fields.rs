//! The fields of a user as somebody types them: prompts, and what each field refuses.

use djauth::base_user::UserMeta;
use djauth::db::Value;
use djauth::forms::validate_email;
use djauth::validators::UnicodeUsernameValidator;

use crate::failure::Failure;
use crate::terminal;

/// Why a field refuses a text, for people.
pub(crate) type Problem = String;

pub(crate) fn blank(label: &str) -> Problem {
    format!("{} {label} cannot be blank.", article(label))
}

pub(crate) fn taken(label: &str) -> Problem {
    format!("that {label} is already taken.")
}

fn article(label: &str) -> &'static str {
    if label.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    }
}

/// The label with a capital, and in parentheses what an empty answer takes.
pub(crate) fn prompt(label: &str, default: &str) -> String {
    let mut letters = label.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let rest = letters.as_str();
    if default.is_empty() {
        format!("{first}{rest}: ")
    } else {
        format!("{first}{rest} ({default}): ")
    }
}

/// Whether a field takes an empty value.
pub(crate) fn may_be_blank(meta: &UserMeta, name: &str) -> bool {
    meta.field(name).is_some_and(|field| field.blank)
}

/// The value of a required field.
///
/// # Errors
/// What the field refuses.
pub(crate) fn clean(meta: &UserMeta, name: &str, text: &str) -> Result<Value<'static>, Problem> {
    let label = meta.field_label(name);
    if text.is_empty() && !may_be_blank(meta, name) {
        return Err(blank(&label));
    }
    if name == meta.email_field && !text.is_empty() && validate_email(text).is_err() {
        return Err("that is not an e-mail address.".into());
    }
    let Some(field) = meta.field(name) else {
        return Ok(text.to_owned().into());
    };
    let value = field.parse(text);
    value.ok_or_else(|| format!("that is no {label} that can be stored."))
}

/// What the login field refuses: blank, too long, or of the wrong form.
pub(crate) fn username_problem(meta: &UserMeta, username: &str) -> Option<Problem> {
    let label = meta.field_label(&meta.username_field);
    if username.is_empty() {
        return Some(blank(&label));
    }
    let limit = meta.username().and_then(|field| field.max_length);
    let length = username.chars().count();
    if let Some(limit) = limit.filter(|limit| length > *limit as usize) {
        let article = article(&label);
        return Some(format!(
            "{article} {label} has at most {limit} characters, not {length}."
        ));
    }
    if meta.is_stock() {
        let judged = UnicodeUsernameValidator.validate(username);
        return judged.err().map(|problem| problem.to_string());
    }
    clean(meta, &meta.username_field, username).err()
}

/// A required field: what was given, or the first good answer.
pub(crate) async fn ask(
    meta: &UserMeta,
    name: &str,
    given: Option<String>,
) -> Result<Value<'static>, Failure> {
    if let Some(given) = given {
        return clean(meta, name, &given).map_err(Failure::command);
    }
    let prompt = prompt(&meta.field_label(name), "");
    loop {
        match clean(meta, name, &terminal::ask(&prompt).await?) {
            Ok(value) => return Ok(value),
            Err(problem) => eprintln!("Error: {problem}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock() -> UserMeta {
        UserMeta::declared::<djauth::User>()
    }

    #[test]
    fn prompts_and_texts_name_the_field() {
        assert_eq!(prompt(&stock().field_label("email"), ""), "Email address: ");
        assert_eq!(prompt("username", "ann"), "Username (ann): ");
        assert_eq!(blank("username"), "a username cannot be blank.");
        assert_eq!(blank("email address"), "an email address cannot be blank.");
    }

    #[test]
    fn fields_refuse_what_they_cannot_hold() {
        let meta = stock();
        assert!(clean(&meta, "email", "").is_ok());
        assert!(clean(&meta, "email", "nobody").is_err());
        assert!(clean(&meta, "first_name", &"x".repeat(151)).is_err());
        assert!(clean(&meta, "username", "").is_err());
        assert!(clean(&meta, "is_staff", "maybe").is_err());
        assert!(username_problem(&meta, "a b").is_some());
        assert!(username_problem(&meta, &"x".repeat(151)).is_some());
        assert_eq!(username_problem(&meta, "ann"), None);
    }
}
