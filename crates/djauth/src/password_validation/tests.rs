use super::*;
use crate::i18n::Language;

fn codes(password: &str, user: Option<&dyn PasswordUser>) -> Vec<&'static str> {
    let validators = get_password_validators(&Configured::startproject()).unwrap();
    let errors = validate_password(password, user, &validators)
        .err()
        .unwrap_or_default();
    errors.iter().map(ValidationError::code).collect()
}

const USER: [(&str, &str); 4] = [
    ("username", "testclient"),
    ("first_name", "Test"),
    ("last_name", "Client"),
    ("email", "testclient@example.com"),
];

fn similar(password: &str, max: f64) -> Option<String> {
    let fields = ["username", "first_name", "last_name", "email"];
    let validator = UserAttributeSimilarityValidator::new(&fields, max).unwrap();
    let error = validator.validate(password, Some(&USER)).err()?;
    assert_eq!(error.code(), "password_too_similar");
    Some(error.params()[0].1.clone())
}

#[test]
fn all_rules_speak_in_order() {
    assert_eq!(
        codes("12345", None),
        [
            "password_too_short",
            "password_too_common",
            "password_entirely_numeric"
        ]
    );
    assert_eq!(codes("sljfwefwe", None), [""; 0]);
    let expected = ["password_too_similar", "password_too_common"];
    assert_eq!(
        codes("password", Some(&[("username", "password1")])),
        expected
    );
}

/// Measured with Django 6.1.
#[test]
fn similarity_as_django() {
    assert_eq!(similar("testclient", 0.7).as_deref(), Some("username"));
    assert_eq!(similar("tEsTcLiEnT99", 0.7).as_deref(), Some("username"));
    assert_eq!(
        similar("example.com", 0.7).as_deref(),
        Some("email address")
    );
    assert_eq!(similar("client12", 0.7).as_deref(), Some("last name"));
    assert_eq!(similar("tceilctset", 0.7).as_deref(), Some("username"));
    assert_eq!(similar("ample.com1", 0.7), None);
    assert_eq!(similar("testclient", 1.0).as_deref(), Some("username"));
    assert_eq!(similar("testclient1", 1.0), None);
}

#[test]
fn short_attributes_of_long_passwords_are_skipped() {
    let validator = UserAttributeSimilarityValidator::new(&["username"], 0.1).unwrap();
    let user: [(&str, &str); 1] = [("username", "aaa")];
    let check = |length| validator.validate(&"a".repeat(length), Some(&user)).is_ok();
    assert!(check(200));
    assert!(!check(29));
    assert!(UserAttributeSimilarityValidator::new(&["x"], 0.09).is_err());
    assert!(UserAttributeSimilarityValidator::new(&["x"], f64::NAN).is_err());
}

#[test]
fn common_passwords() {
    let validator = CommonPasswordValidator::default();
    assert_eq!(
        format!("{validator:?}"),
        "CommonPasswordValidator { passwords: 19640 }"
    );
    for password in ["godzilla", "  PassWord\n", "123456"] {
        assert!(validator.validate(password, None).is_err(), "{password:?}");
    }
    assert!(validator.validate("a-safe-password", None).is_ok());
}

#[test]
fn a_list_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.txt");
    std::fs::write(&path, "from-my-custom-list\r\n  other \n").unwrap();
    let validator = CommonPasswordValidator::from_file(&path).unwrap();
    assert!(validator.validate("From-My-Custom-List", None).is_err());
    assert!(validator.validate("other", None).is_err());
    assert!(validator.validate("godzilla", None).is_ok());
    assert!(CommonPasswordValidator::from_file(&folder.path().join("none")).is_err());
}

#[test]
fn lengths_are_code_points() {
    let validator = MinimumLengthValidator { min_length: 8 };
    assert!(validator.validate("éééééééé", None).is_ok());
    let error = validator.validate("ééééééé", None).unwrap_err();
    assert_eq!(error.params(), [("min_length", "8".to_owned())]);
}

#[test]
fn digits_of_any_script() {
    for password in ["0", "٠١٢٣٤٥٦٧", "１２３４", "²³"] {
        assert!(
            NumericPasswordValidator.validate(password, None).is_err(),
            "{password}"
        );
    }
    for password in ["", "½½½½", "12a", "1 2", "-1"] {
        assert!(
            NumericPasswordValidator.validate(password, None).is_ok(),
            "{password}"
        );
    }
}

#[test]
fn every_rule_has_a_help_text() {
    let validators = get_password_validators(&Configured::startproject()).unwrap();
    let texts = password_validators_help_texts(&validators, Language::ENGLISH);
    assert_eq!(texts.len(), 4);
    assert!(texts.iter().all(|text| !text.is_empty()));
}

/// The names are `verbose_name`s of Django 6.1; what holds no text is skipped, as is what does not exist.
#[test]
fn a_user_model_is_compared_field_by_field() {
    let user = crate::User {
        id: 12_345_678,
        username: "shakespeare".into(),
        first_name: "Williamson".into(),
        last_name: "Featherstone".into(),
        email: "penandink@example.com".into(),
        ..crate::User::blank()
    };
    let attributes = [
        "id",
        "date_joined",
        "is_staff",
        "none",
        "username",
        "first_name",
        "last_name",
        "email",
    ];
    let validator = UserAttributeSimilarityValidator::new(&attributes, 0.7).unwrap();
    for (password, name) in [
        ("Shakespeare1", "username"),
        ("williamson7", "first name"),
        ("featherstone", "last name"),
        ("penandink", "email address"),
        ("example.com", "email address"),
    ] {
        let error = validator.validate(password, Some(&user)).unwrap_err();
        assert_eq!(
            error.params(),
            [("verbose_name", name.to_owned())],
            "{password}"
        );
    }
    for password in ["12345678", "1970-01-01", "false", "none"] {
        assert!(
            validator.validate(password, Some(&user)).is_ok(),
            "{password}"
        );
    }
}

/// A rule that remembers.
#[derive(Debug, Default)]
struct History(parking_lot::Mutex<Vec<String>>);

impl PasswordValidator for History {
    fn validate(&self, _: &str, _: Option<&dyn PasswordUser>) -> Result<(), ValidationError> {
        Ok(())
    }

    fn password_changed(&self, password: &str, user: Option<&dyn PasswordUser>) {
        let name = user.and_then(|user| user.text("username"));
        self.0.lock().push(format!("{name:?} {password}"));
    }

    fn get_help_text(&self, _: Language) -> String {
        String::new()
    }
}

#[test]
fn every_rule_hears_of_a_changed_password() {
    let (first, second) = (Arc::new(History::default()), Arc::new(History::default()));
    let rules: PasswordValidators = Arc::new([first.clone(), second.clone()]);
    password_changed("new", Some(&USER), &rules);
    password_changed("newer", None, &rules);
    let heard = [r#"Some("testclient") new"#, "None newer"];
    assert_eq!(*first.0.lock(), heard);
    assert_eq!(*second.0.lock(), heard);
}
