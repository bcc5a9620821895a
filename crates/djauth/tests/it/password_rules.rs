//! Own rules for passwords, and when they hear of a changed one.

use std::sync::Arc;

use djauth::i18n::Language;
use djauth::password_validation::{
    PasswordUser, PasswordValidator, password_validators_help_text_html,
};
use djauth::validators::ValidationError;
use djauth::{Auth, User};
use parking_lot::Mutex;
use test_databases::TestDatabase;

use crate::auth_support::settings;

/// Refuses passwords that were there before.
#[derive(Clone, Debug, Default)]
struct NoRepeats(Arc<Mutex<Vec<(String, String)>>>);

impl PasswordValidator for NoRepeats {
    fn validate(
        &self,
        password: &str,
        _: Option<&dyn PasswordUser>,
    ) -> Result<(), ValidationError> {
        let known = self.0.lock().iter().any(|(_, old)| old == password);
        if known {
            return Err(ValidationError::new("repeated", "You had this one before."));
        }
        Ok(())
    }

    fn password_changed(&self, password: &str, user: Option<&dyn PasswordUser>) {
        let name = user.and_then(|user| user.text("username")).expect("a name");
        self.0.lock().push((name.into_owned(), password.to_owned()));
    }

    fn get_help_text(&self, _: Language) -> String {
        "Not an <old> one & not \"yours\".".into()
    }
}

impl NoRepeats {
    fn heard(&self) -> Vec<String> {
        self.0
            .lock()
            .drain(..)
            .map(|(name, password)| format!("{name}:{password}"))
            .collect()
    }
}

async fn with_rule(database: &TestDatabase) -> (Auth, NoRepeats) {
    let rule = NoRepeats::default();
    let auth = Auth::builder(settings()).password_validator(rule.clone());
    let auth = auth.connect(database.url()).await.expect("connects");
    auth.migrate().await.expect("migrates");
    (auth, rule)
}

/// As in Django: `set_password` and any save tells, once; making a user and renewing a hash do not.
#[tokio::test]
async fn rules_hear_of_a_password_when_it_is_saved() {
    for database in TestDatabase::all() {
        let (auth, rule) = with_rule(&database).await;
        let users = auth.users();
        let mut alice = users
            .create_user("alice", "", Some("zero"))
            .await
            .expect("made");
        assert!(rule.heard().is_empty(), "create_user");

        auth.set_password(&mut alice, "one").await.expect("is set");
        assert!(rule.heard().is_empty(), "before it is saved");
        let copy = alice.clone();
        users.save(&mut alice).await.expect("is saved");
        assert_eq!(rule.heard(), ["alice:one"]);
        users.save(&mut alice).await.expect("is saved");
        users
            .save_fields(&copy, &["password"])
            .await
            .expect("is saved");
        assert!(rule.heard().is_empty(), "told already");

        auth.set_password(&mut alice, "two").await.expect("is set");
        auth.save_password(&alice).await.expect("is saved");
        assert_eq!(rule.heard(), ["alice:two"]);
        auth.set_password(&mut alice, "three")
            .await
            .expect("is set");
        users
            .save_fields(&alice, &["password"])
            .await
            .expect("is saved");
        assert_eq!(rule.heard(), ["alice:three"]);

        auth.set_password(&mut alice, "four").await.expect("is set");
        auth.set_unusable_password(&mut alice)
            .await
            .expect("is set");
        auth.save_password(&alice).await.expect("is saved");
        assert!(rule.heard().is_empty(), "it never was the password");
        auth.db().close().await;
    }
}

/// A hash that is renewed at login is no new password.
#[tokio::test]
async fn rules_do_not_hear_of_a_renewed_hash() {
    let database = TestDatabase::sqlite();
    let (auth, rule) = with_rule(&database).await;
    let mut alice = auth
        .users()
        .create_user("alice", "", None)
        .await
        .expect("made");
    // A salt that is too short is outdated.
    let encoded = djauth_hashers::PasswordHasher::encode(
        &djauth_hashers::MD5PasswordHasher,
        b"secret",
        "short",
    );
    alice.base.password = encoded.expect("a hash");
    auth.save_password(&alice).await.expect("is saved");
    let before = alice.base.password.clone();
    assert!(
        auth.check_password(&mut alice, "secret")
            .await
            .expect("judges")
    );
    assert_ne!(alice.base.password, before, "it was renewed");
    auth.users().save(&mut alice).await.expect("is saved");
    assert!(rule.heard().is_empty());
    auth.db().close().await;
}

#[tokio::test]
async fn own_rules_come_after_those_of_the_settings() {
    let mut settings = settings();
    settings.auth_password_validators.truncate(2);
    let rule = NoRepeats::default();
    rule.0.lock().push(("alice".into(), "short".into()));
    let database = TestDatabase::sqlite();
    let auth: Auth<User> = Auth::builder(settings)
        .password_validator(rule)
        .connect(database.url())
        .await
        .expect("connects");
    let errors = auth
        .validate_password("short", None)
        .await
        .expect_err("is refused");
    let codes: Vec<_> = errors.iter().map(ValidationError::code).collect();
    assert_eq!(codes, ["password_too_short", "repeated"]);
    let help = password_validators_help_text_html(auth.password_validators(), Language::ENGLISH);
    assert!(
        help.starts_with("<ul><li>") && help.ends_with("</li></ul>"),
        "{help}"
    );
    assert!(
        help.contains("Not an &lt;old&gt; one &amp; not &quot;yours&quot;."),
        "{help}"
    );
    let none = password_validators_help_text_html(&[].into(), Language::ENGLISH);
    assert_eq!(none, "");
}
