use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::kind::Kind;
use super::{AuthUserModel, UserModel};
use crate::base_user::{FieldDefault, FieldKind, UserFlag};
use crate::db::Value;

/// A model as `settings --from` would write it.
pub(crate) fn account() -> Json {
    json!({
        "label": "accounts.Account",
        "USERNAME_FIELD": "email",
        "REQUIRED_FIELDS": ["full_name"],
        "is_staff": "is_admin",
        "fields": [
            {"name": "id", "type": "UUIDField", "primary_key": true, "default": "uuid4"},
            {"name": "password", "type": "CharField", "max_length": 128},
            {"name": "last_login", "type": "DateTimeField", "null": true, "blank": true},
            {"name": "is_superuser", "type": "BooleanField", "default": false},
            {"name": "email", "type": "CharField", "max_length": 254, "unique": true},
            {"name": "full_name", "type": "CharField", "max_length": 100, "column": "name"},
            {"name": "born", "type": "DateField", "default": "2000-01-01"},
            {"name": "is_admin", "type": "BooleanField", "default": true},
            {"name": "joined", "type": "DateTimeField", "default": "now"},
            {"name": "points", "type": "IntegerField", "default": 7}
        ],
        "groups": {"table": "memberships", "user": "member_id", "group": "group_id"},
        "user_permissions": {"table": "rights", "user": "member_id", "permission": "permission_id"}
    })
}

fn read(json: &Json) -> Result<AuthUserModel, String> {
    UserModel::read(json)
}

#[test]
fn a_described_model_is_read_and_shown() {
    let model = read(&account()).expect("a model");
    assert_eq!(model.label(), "accounts.account");
    let meta = model.description().expect("described").clone();
    assert_eq!(meta.db_table, "accounts_account");
    assert_eq!(meta.pk, "id");
    assert_eq!(meta.column("full_name"), "name");
    assert_eq!(meta.is_active, UserFlag::Always(true));
    assert_eq!(meta.is_staff, UserFlag::Field("is_admin".into()));
    let links = meta.links.as_ref().expect("links");
    assert_eq!(links.groups.table, "memberships");
    let field = |name| meta.field(name).expect("a field");
    assert_eq!(field("born").kind, FieldKind::Date);
    assert_eq!(field("joined").default, Some(FieldDefault::Now));
    let seven = FieldDefault::Value(Value::Int(7));
    assert_eq!(field("points").default, Some(seven));
    assert_eq!(read(&UserModel::show(&model)), Ok(model));
}

#[test]
fn a_name_alone_is_read_and_shown() {
    let model = read(&json!("shop.Customer")).expect("a name");
    assert_eq!(model.label(), "shop.customer");
    assert!(!model.is_default() && AuthUserModel::default().is_default());
    assert_eq!(UserModel::show(&model), json!("shop.Customer"));
    for wrong in ["", "User", "a.b.c", ".User", "a b.User"] {
        assert!(read(&json!(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let without = |change: fn(&mut Json)| {
        let mut json = account();
        change(&mut json);
        read(&json).expect_err("refused")
    };
    for (change, part) in [
        (
            (|json| json["lable"] = "x".into()) as fn(&mut Json),
            "lable: is not known",
        ),
        (|json| json["label"] = "x".into(), "label"),
        (|json| json["fields"] = json!([]), "primary_key"),
        (|json| json["USERNAME_FIELD"] = "nick".into(), "nick"),
        (|json| json["REQUIRED_FIELDS"] = json!(["nick"]), "nick"),
        (|json| json["groups"] = Json::Null, "both or neither"),
        (|json| json["is_active"] = "email".into(), "is_active"),
        (
            |json| json["fields"][1]["name"] = "passwort".into(),
            "\"password\" is missing",
        ),
        (
            |json| json["fields"][4]["type"] = "PointField".into(),
            "fields[4].type",
        ),
        (
            |json| json["fields"][4]["colum"] = "x".into(),
            "fields[4].colum",
        ),
        (
            |json| json["fields"][9]["default"] = "many".into(),
            "fields[9].default",
        ),
        (
            |json| json["fields"][4]["name"] = "id".into(),
            "there twice",
        ),
        (
            |json| json["fields"][0]["type"] = "CharField".into(),
            "integer or a UUID",
        ),
        (
            |json| json["fields"][1]["primary_key"] = true.into(),
            "more than one",
        ),
        (
            |json| json["groups"]["user"] = "".into(),
            "groups.user: expected a name",
        ),
    ] {
        let error = without(change);
        assert!(error.contains(part), "{part}: {error}");
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::hash_map(
                prop_oneof![
                    Just("fields".to_owned()),
                    Just("label".to_owned()),
                    Just("groups".to_owned()),
                    ".{0,4}"
                ],
                inner,
                0..4
            )
            .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_description_panics(json in any_json()) {
        let _ = read(&json);
    }

    #[test]
    fn one_changed_key_is_refused_or_reads_back(at in 0..10_usize, key in "[a-z_]{2,11}", value in any_json()) {
        let mut json = account();
        json["fields"][at][&key] = value;
        if let Ok(model) = read(&json) {
            prop_assert_eq!(read(&UserModel::show(&model)), Ok(model));
        }
    }
}
