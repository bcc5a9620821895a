use super::*;
use crate::base_user::UserMeta;
use crate::http::QueryDict;
use crate::i18n::Language;
use crate::models::User;

fn codes(result: Result<String, Vec<ValidationError>>) -> Vec<&'static str> {
    result
        .err()
        .unwrap_or_default()
        .iter()
        .map(ValidationError::code)
        .collect()
}

#[test]
fn usernames_are_stripped_and_normalised() {
    let field = UsernameField {
        max_length: Some(150),
    };
    assert_eq!(field.clean("  alice\t").unwrap(), "alice");
    assert_eq!(field.clean("Ｏｌｅ").unwrap(), "Ole");
    assert_eq!(field.clean("testΩ\u{2126}").unwrap(), "testΩΩ");
    assert_eq!(codes(field.clean(" \n")), ["required"]);
    assert_eq!(codes(field.clean("a\0b")), ["null_characters_not_allowed"]);
}

/// CVE-2023-46695, CVE-2025-27556: a name that is too long is refused before it is normalised.
#[test]
fn cve_2023_46695_long_usernames_are_not_normalised() {
    let field = UsernameField {
        max_length: Some(4),
    };
    assert_eq!(codes(field.clean("abcde")), ["max_length"]);
    assert_eq!(field.to_python("ﬀﬀﬀﬀﬀ"), "ﬀﬀﬀﬀﬀ");
    // Not too long as sent, but as normalised.
    assert_eq!(codes(field.clean("ﬀﬀﬀﬀ")), ["max_length"]);
    assert_eq!(
        codes(field.clean(&"\u{fdfa}".repeat(1 << 20))),
        ["max_length"]
    );
}

#[test]
fn fields_are_those_of_django_in_its_order() {
    let data = QueryDict::parse(b"username=%22%3E%3Cx&password=s3cret", 10).unwrap();
    let form = AuthenticationForm::new(&UserMeta::declared::<User>(), &data);
    let names: Vec<_> = form.form().fields().iter().map(Field::name).collect();
    assert_eq!(names, ["username", "password"]);
    let html = form.form().value(Language::ENGLISH).to_string();
    assert!(html.contains("maxlength=") && html.contains("150"));
    assert!(!html.contains("s3cret"), "a password is never rendered");
    assert!(!html.contains("><x"), "values are escaped");
    assert!(!format!("{form:?}").contains("s3cret"));
}

#[test]
fn the_button_beside_a_stored_password_says_what_it_does() {
    let words =
        |usable| ReadOnlyPasswordHashWidget::button_label(usable).in_language(Language::ENGLISH);
    assert_eq!(
        (&*words(true), &*words(false)),
        ("Reset password", "Set password")
    );
    let shown = Form::new([ReadOnlyPasswordHashField::new("password", true)], None);
    assert!(!shown.fields()[0].is_required());
    let data = QueryDict::parse(b"password=sent", 10).unwrap();
    let mut form = Form::new(
        [ReadOnlyPasswordHashField::new("password", false)],
        Some(&data),
    );
    form.clean_fields();
    assert!(form.is_valid() && form.text("password").is_none());
}
