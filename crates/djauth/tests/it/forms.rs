//! The forms against Django's (`interop/vectors/forms.py`), case by case, and saving on each database.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use djauth::backends::Context;
use djauth::forms::{
    AdminPasswordChangeForm, AdminUserCreationForm, AuthenticationForm, BaseUserCreationForm,
    Cleaned, Field, Form, PasswordChangeForm, PasswordResetForm, SetPasswordForm, Standard, Steps,
    UserChangeForm, UserCreationForm, ValidationError,
};
use djauth::http::QueryDict;
use djauth::settings::PasswordValidator;
use djauth::{Auth, User};
use serde_json::{Map, Value, json};
use test_databases::TestDatabase;

use crate::auth_support::{on_each_auth, request, settings};

static DATA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/forms.json")).expect("data"));

const PASSWORD: &str = "correct horse";

/// The users of `forms.py`.
async fn site(database: &TestDatabase) -> Auth {
    let mut settings = settings();
    // Many cases have a wrong old password of the same user.
    settings.login_rate_limit_per_username = None;
    settings.time_zone = chrono_tz::Tz::Europe__Berlin;
    settings.auth_password_validators = PasswordValidator::startproject();
    let auth = Auth::builder(settings)
        .connect(database.url())
        .await
        .expect("connects");
    auth.migrate().await.expect("migrates");
    let named = |user: &mut User| {
        (user.first_name, user.last_name) = ("Alice".into(), "Ash".into());
    };
    let users = auth.users();
    let alice = users.create_user_with("alice", "alice@example.com", Some(PASSWORD), named);
    let alice = alice.await.expect("alice");
    for (name, email, password, is_active) in [
        ("Bob", "BOB@example.com", Some(PASSWORD), true),
        ("nobody", "nobody@example.com", None, true),
        ("gone", "gone@example.com", Some(PASSWORD), false),
        ("\u{f6}mer", "mike@example.org", Some(PASSWORD), true),
        ("twin", "alice@example.com", Some(PASSWORD), true),
    ] {
        let active = |user: &mut User| user.is_active = is_active;
        users
            .create_user_with(name, email, password, active)
            .await
            .expect(name);
    }
    let staff = auth.groups().create("staff").await.expect("a group");
    let groups = auth
        .users()
        .groups(&alice)
        .expect("groups")
        .add(&[staff.id])
        .await;
    groups.expect("joins");
    auth
}

async fn user(auth: &Auth, case: &Value) -> User {
    let name = case["user"].as_str().expect("a name");
    let found = auth.users().get_by_natural_key(name).await.expect("reads");
    found.expect(name)
}

/// What came of a case, in the words of the data.
struct Came {
    form: Form,
    saved: Option<Value>,
}

fn row(user: &User, fits: bool) -> Value {
    json!({
        "username": user.username,
        "email": user.email,
        "usable": user.base.has_usable_password(),
        "fits": fits,
    })
}

/// The row of a user that a form saved, whether the password that was sent fits; then all is as before.
async fn undo(auth: &Auth, data: &QueryDict, saved: &User, before: Option<User>) -> Value {
    let stored = auth
        .users()
        .get(saved.id)
        .await
        .expect("reads")
        .expect("the row");
    let sent = data
        .get("password1")
        .or(data.get("new_password1"))
        .unwrap_or("");
    let verified = auth.hashing().verify(sent, &stored.base.password).await;
    let fits = !sent.is_empty() && verified.expect("hashes").correct;
    match before {
        Some(mut before) => auth.users().save(&mut before).await.expect("saves"),
        None => drop(auth.users().delete(&stored).await.expect("deletes")),
    }
    row(&stored, fits)
}

async fn run(auth: &Auth, name: &str, case: &Value, data: &QueryDict) -> Came {
    match name {
        "BaseUserCreationForm" => {
            let form = BaseUserCreationForm::new(auth, Some(data)).expect("a form");
            create(auth, data, form).await
        }
        "UserCreationForm" => {
            let mut form = UserCreationForm::new(auth, Some(data)).expect("a form");
            let valid = form.is_valid(auth).await.expect("cleans");
            created(auth, data, &form, valid).await
        }
        "AdminUserCreationForm" => {
            let mut form = AdminUserCreationForm::new(auth, Some(data)).expect("a form");
            let names: Vec<_> = form.form().fields().iter().map(Field::name).collect();
            assert_eq!(json!(names), case["fields"]);
            let valid = form.is_valid(auth).await.expect("cleans");
            created(auth, data, &form, valid).await
        }
        "AuthenticationForm" => log_in(auth, data).await,
        "PasswordResetForm" => reset(auth, data).await,
        "SetPasswordForm" => {
            let user = user(auth, case).await;
            let mut form = SetPasswordForm::new(auth, user.clone(), Some(data));
            let valid = form.is_valid(auth).await.expect("cleans");
            let shown = form.form().clone();
            let saved = match valid {
                true => Some(form.save(auth).await.expect("saves")),
                false => None,
            };
            changed(auth, data, shown, saved, user).await
        }
        "PasswordChangeForm" => {
            let user = user(auth, case).await;
            let mut form = PasswordChangeForm::new(auth, user.clone(), Some(data));
            let valid = form.is_valid(auth).await.expect("cleans");
            let shown = form.form().clone();
            let saved = match valid {
                true => Some(form.save(auth).await.expect("saves")),
                false => None,
            };
            changed(auth, data, shown, saved, user).await
        }
        "AdminPasswordChangeForm" => {
            let user = user(auth, case).await;
            let mut form = AdminPasswordChangeForm::new(auth, user.clone(), Some(data));
            let names: Vec<_> = form.form().fields().iter().map(Field::name).collect();
            assert_eq!(json!(names), case["fields"]);
            let valid = form.is_valid(auth).await.expect("cleans");
            assert_eq!(json!(form.changed_data()), case["changed_data"]);
            let shown = form.form().clone();
            let saved = match valid {
                true => Some(form.save(auth).await.expect("saves")),
                false => None,
            };
            changed(auth, data, shown, saved, user).await
        }
        "UserChangeForm" => {
            let user = user(auth, case).await;
            let form = UserChangeForm::new(auth, user.clone(), Some(data)).await;
            let mut form = form.expect("a form");
            let valid = form.is_valid(auth).await.expect("cleans");
            let shown = form.form().clone();
            let saved = match valid {
                true => Some(form.save(auth).await.expect("saves")),
                false => None,
            };
            changed(auth, data, shown, saved, user).await
        }
        other => panic!("no form {other}"),
    }
}

async fn create(auth: &Auth, data: &QueryDict, mut form: BaseUserCreationForm<User>) -> Came {
    let valid = form.is_valid(auth).await.expect("cleans");
    created(auth, data, &form, valid).await
}

async fn created(
    auth: &Auth,
    data: &QueryDict,
    form: &BaseUserCreationForm<User>,
    valid: bool,
) -> Came {
    let saved = match valid {
        true => {
            let user = form.save(auth).await.expect("saves");
            Some(undo(auth, data, &user, None).await)
        }
        false => None,
    };
    let form = form.form().clone();
    Came { form, saved }
}

async fn changed(
    auth: &Auth,
    data: &QueryDict,
    form: Form,
    saved: Option<User>,
    before: User,
) -> Came {
    let saved = match saved {
        Some(user) => Some(undo(auth, data, &user, Some(before)).await),
        None => None,
    };
    Came { form, saved }
}

async fn log_in(auth: &Auth, data: &QueryDict) -> Came {
    let mut form = AuthenticationForm::new(auth.user_meta(), data);
    let found = form
        .clean(auth, &request(auth, None))
        .await
        .expect("cleans");
    let saved = found.map(|user| json!(user.username));
    let form = form.into_form();
    Came { form, saved }
}

async fn reset(auth: &Auth, data: &QueryDict) -> Came {
    let mut form = PasswordResetForm::new(Some(data));
    let valid = form.is_valid(auth).await.expect("cleans");
    let saved = match form.form().text("email") {
        Some(email) if valid => Some(json!(get_users(auth, email).await)),
        _ => None,
    };
    let form = form.form().clone();
    Came { form, saved }
}

async fn get_users(auth: &Auth, email: &str) -> Vec<String> {
    let context = Context::without_request(auth);
    let found = Standard.get_users(&context, email).await.expect("reads");
    found.into_iter().map(|user| user.username).collect()
}

fn codes(form: &Form) -> BTreeMap<String, Vec<&'static str>> {
    let codes = |(name, errors): (&str, &[ValidationError])| {
        (
            name.to_owned(),
            errors.iter().map(ValidationError::code).collect(),
        )
    };
    form.all_errors().map(codes).collect()
}

/// The cleaned data as JSON; nothing of what Django has as `None`, and no stored password.
fn cleaned(form: &Form) -> BTreeMap<String, Value> {
    let value = |name: &str| match form.cleaned(name)? {
        Cleaned::Text(text) => Some(json!(text.as_str())),
        Cleaned::Bool(ticked) => Some(json!(ticked)),
        Cleaned::Many(values) => Some(json!(values)),
        Cleaned::DateTime(moment) => {
            let format = "%Y-%m-%dT%H:%M:%S%.fZ";
            moment.map(|moment| json!(moment.format(format).to_string()))
        }
        _ => None,
    };
    let names = form.cleaned_names();
    names
        .filter_map(|name| Some((name.to_owned(), value(name)?)))
        .collect()
}

fn expected_cleaned(name: &str, cleaned: &Map<String, Value>) -> BTreeMap<String, Value> {
    let kept = cleaned.iter().filter(|(field, value)| {
        let stored = name == "UserChangeForm" && *field == "password";
        !value.is_null() && !stored
    });
    kept.map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

#[tokio::test]
async fn every_form_answers_as_django() {
    let database = TestDatabase::sqlite();
    let auth = site(&database).await;
    let mut count = 0;
    for (name, cases) in DATA["cases"].as_object().expect("cases") {
        for case in cases.as_array().expect("a list") {
            let post = case["post"].as_str().expect("a form");
            let data = QueryDict::parse(post.as_bytes(), 100).expect("fields");
            let came = run(&auth, name, case, &data).await;
            assert_eq!(json!(codes(&came.form)), case["errors"], "{name} {post}");
            let expected = expected_cleaned(name, case["cleaned"].as_object().expect("cleaned"));
            assert_eq!(cleaned(&came.form), expected, "{name} {post}");
            assert_eq!(came.saved.as_ref(), case.get("saved"), "{name} {post}");
            count += 1;
        }
    }
    assert!(count > 700, "{count}");
}

#[tokio::test]
async fn every_form_has_the_fields_of_django() {
    let database = TestDatabase::sqlite();
    let auth = site(&database).await;
    let alice = auth
        .users()
        .get_by_natural_key("alice")
        .await
        .expect("reads")
        .expect("alice");
    let fields = &DATA["fields"];
    let mut forms: Vec<(&str, Form)> = vec![
        (
            "BaseUserCreationForm",
            BaseUserCreationForm::new(&auth, None)
                .unwrap()
                .form()
                .clone(),
        ),
        (
            "UserCreationForm",
            UserCreationForm::new(&auth, None).unwrap().form().clone(),
        ),
        (
            "AdminUserCreationForm",
            AdminUserCreationForm::new(&auth, None)
                .unwrap()
                .form()
                .clone(),
        ),
        (
            "AuthenticationForm",
            AuthenticationForm::unbound(auth.user_meta()).into_form(),
        ),
        (
            "PasswordResetForm",
            PasswordResetForm::new(None).form().clone(),
        ),
    ];
    let set = SetPasswordForm::new(&auth, alice.clone(), None);
    forms.push(("SetPasswordForm", set.form().clone()));
    let change = PasswordChangeForm::new(&auth, alice.clone(), None);
    forms.push(("PasswordChangeForm", change.form().clone()));
    let admin = AdminPasswordChangeForm::new(&auth, alice.clone(), None);
    forms.push(("AdminPasswordChangeForm", admin.form().clone()));
    let user = UserChangeForm::new(&auth, alice, None).await.unwrap();
    forms.push(("UserChangeForm", user.form().clone()));
    assert_eq!(forms.len(), fields.as_object().expect("forms").len());
    for (name, form) in &forms {
        let shown = form.value(djauth::i18n::Language::ENGLISH);
        let expected = fields[name].as_array().expect("fields");
        assert_eq!(form.fields().len(), expected.len(), "{name}");
        for (number, (field, expected)) in form.fields().iter().zip(expected).enumerate() {
            assert_eq!(field.name(), expected[0], "{name}");
            assert_eq!(field.is_required(), expected[1], "{name} {}", field.name());
            let shown = shown
                .get_attr("fields")
                .unwrap()
                .get_item(&number.into())
                .unwrap();
            let attributes = shown.get_attr("attributes").unwrap().to_string();
            assert_eq!(
                attributes.ends_with(" disabled") || attributes.contains(" disabled "),
                expected[2] == true
            );
            for (attribute, value) in expected[3].as_object().expect("attributes") {
                let wanted = match attribute.as_str() {
                    "autofocus" => " autofocus".to_owned(),
                    _ => format!("{attribute}=\"{}\"", value.as_str().expect("text")),
                };
                assert!(attributes.contains(&wanted), "{name} {attributes} {wanted}");
            }
        }
    }
}

fn sent(fields: &[(&str, &str)]) -> QueryDict {
    let mut data = QueryDict::default();
    for (name, value) in fields {
        data.append(*name, *value);
    }
    data
}

#[tokio::test]
async fn users_are_made_and_changed_by_forms() {
    on_each_auth(async |database, auth, _| {
        let at = database.name();
        let staff = auth.groups().create("staff").await.expect("a group");
        let data = sent(&[
            ("username", "  carol "),
            ("email", "Carol@EXAMPLE.com"),
            ("password1", "battery staple"),
            ("password2", "battery staple"),
        ]);
        let fields = ["username", "email"];
        let mut form = UserCreationForm::with_fields(&auth, &fields, Some(&data)).expect("a form");
        assert!(
            form.is_valid(&auth).await.expect("cleans"),
            "{at}: {:?}",
            form.form()
        );
        let carol = form.save(&auth).await.expect("saves");
        let found = auth
            .users()
            .get(carol.id)
            .await
            .expect("reads")
            .expect("carol");
        assert_eq!(
            (found.username.as_str(), found.email.as_str()),
            ("carol", "Carol@example.com")
        );
        assert!(
            found.is_active && !found.is_staff && found.date_joined == auth.now(),
            "{at}"
        );

        let twice = sent(&[
            ("username", "CAROL"),
            ("password1", "x"),
            ("password2", "x"),
        ]);
        let mut form = UserCreationForm::new(&auth, Some(&twice)).expect("a form");
        assert!(!form.is_valid(&auth).await.expect("cleans"));
        assert_eq!(form.form().errors("username")[0].code(), "unique", "{at}");
        form.save(&auth).await.expect_err("nothing is saved");

        let group = staff.id.to_string();
        let data = sent(&[
            ("username", "carla"),
            ("date_joined", "2026-01-02 03:04:05"),
            ("is_staff", "on"),
            ("groups", &group),
        ]);
        let mut form = UserChangeForm::new(&auth, found.clone(), Some(&data))
            .await
            .expect("a form");
        assert!(
            form.is_valid(&auth).await.expect("cleans"),
            "{at}: {:?}",
            form.form()
        );
        let carla = form.save(&auth).await.expect("saves");
        assert_eq!(
            (carla.id, carla.base.password),
            (carol.id, found.base.password),
            "{at}"
        );
        assert!(carla.is_staff && !carla.is_active);
        let groups = auth.users().groups(&carol).expect("groups").ids().await;
        assert_eq!(groups.expect("reads"), [staff.id], "{at}");
    })
    .await;
}

/// The field judges an address of any length at once.
#[test]
fn an_address_beyond_the_limit_is_told_so() {
    let data = sent(&[("email", &format!("{}@b.com", "x".repeat(400)))]);
    let mut form = PasswordResetForm::new(Some(&data));
    form.form_mut().clean_fields();
    let codes: Vec<_> = form
        .form()
        .errors("email")
        .iter()
        .map(ValidationError::code)
        .collect();
    assert_eq!(codes, ["invalid", "max_length"]);
}
