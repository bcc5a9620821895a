//! The admin's data and decisions, against those of a live Django.

use djauth::admin::{
    AddView, AfterAdding, Fieldset, GroupAdmin, IS_POPUP_VAR, PasswordForm, PasswordView, Rights,
    UserAdmin,
};
use serde_json::{Value as Json, json};

fn vectors() -> Json {
    serde_json::from_str(include_str!("../data/admin.json")).expect("JSON")
}

fn cases(of: &str) -> Vec<Json> {
    let cases = vectors()[of].as_array().expect("a list").clone();
    assert!(!cases.is_empty());
    cases
}

fn fieldsets(all: &[Fieldset]) -> Json {
    let one =
        |set: &Fieldset| json!({"name": set.name, "fields": set.fields, "classes": set.classes});
    all.iter().map(one).collect()
}

#[test]
fn users_are_shown_as_djangos_admin_shows_them() {
    let (users, django) = (UserAdmin::default(), &vectors()["user"]);
    let ours = json!({
        "list_display": users.list_display,
        "list_filter": users.list_filter,
        "search_fields": users.search_fields,
        "ordering": users.ordering,
        "filter_horizontal": users.filter_horizontal,
        "form": users.form.name(),
        "add_form": users.add_form.name(),
        "change_password_form": users.change_password_form.name(),
        "add_form_template": users.add_form_template,
        "change_user_password_template": users.change_user_password_template,
        "fieldsets": fieldsets(users.get_fieldsets(false)),
        "add_fieldsets": fieldsets(users.get_fieldsets(true)),
        "get_form": {"adding": users.get_form(true).name(), "changing": users.get_form(false).name()},
        "urls": users.get_urls(),
        "lookups": django["lookups"],
    });
    assert_eq!(&ours, django);
}

/// Django's names for a model `house.Member` with a `UserAdmin` of its own.
#[test]
fn an_own_user_model_has_its_own_addresses() {
    let users = UserAdmin::default();
    let names = users.get_urls_of("house.member").map(|(_, name)| name);
    let expected = [
        "auth_user_password_change",
        "house_member_changelist",
        "house_member_add",
        "house_member_history",
        "house_member_delete",
        "house_member_change",
    ];
    assert_eq!(names, expected);
    let stock = users.get_urls_of("auth.user");
    let stock = stock.each_ref().map(|(path, name)| (*path, name.as_str()));
    assert_eq!(stock, users.get_urls());
}

#[test]
fn groups_are_shown_as_djangos_admin_shows_them() {
    let groups = GroupAdmin::default();
    let ours = json!({
        "search_fields": groups.search_fields,
        "ordering": groups.ordering,
        "filter_horizontal": groups.filter_horizontal,
        "select_related": {"permissions": groups.formfield_for_manytomany("permissions")},
    });
    assert_eq!(ours, vectors()["group"]);
    assert!(groups.formfield_for_manytomany("user_set").is_empty());
    assert_eq!(IS_POPUP_VAR, vectors()["IS_POPUP_VAR"]);
}

#[test]
fn only_djangos_lookups_are_allowed() {
    let (users, vectors) = (UserAdmin::default(), vectors());
    for (lookup, allowed) in vectors["user"]["lookups"].as_object().expect("a map") {
        assert_eq!(users.lookup_allowed(lookup), *allowed, "{lookup}");
    }
    let mut wider = UserAdmin::default();
    wider.list_filter.push("groups__name");
    assert!(wider.lookup_allowed("groups__name__startswith"));
    assert!(!wider.lookup_allowed("groups__permissions__name"));
}

#[test]
fn who_may_add_users_must_be_able_to_change_them() {
    for case in cases("add_view") {
        let flag = |name: &str| case[name] == true;
        let (add, change) = (flag("add"), flag("change"));
        let answer = UserAdmin::default().add_view(Rights { add, change }, flag("debug"));
        let status = match answer {
            AddView::Form => 200,
            AddView::Forbidden => 403,
            AddView::Explained => 404,
        };
        assert_eq!(case["status"], status, "{case}");
    }
}

#[test]
fn an_added_user_is_changed_next() {
    for case in cases("response_add") {
        let posted = case["posted"].as_array().expect("a list").iter();
        let posted: Vec<&str> = posted.filter_map(Json::as_str).collect();
        let goes_to = match UserAdmin::default().response_add(&posted) {
            AfterAdding::Change => "/admin/auth/user/<id>/change/",
            AfterAdding::AddAnother => "/admin/auth/user/add/",
            AfterAdding::ClosePopup => "popup",
        };
        assert_eq!(case["goes_to"], goes_to, "{case}");
    }
}

#[test]
fn the_password_page_decides_as_djangos() {
    for case in cases("user_change_password") {
        let flag = |name: &str| case[name] == true;
        let answer = UserAdmin::default().user_change_password(PasswordForm {
            may_change: flag("change"),
            exists: flag("exists"),
            // Where no password shall be, the two fields are not looked at.
            is_valid: flag("valid") || flag("disable"),
            disables: flag("disable"),
            unset_password: flag("unset"),
        });
        let (status, goes_to, log) = match answer {
            PasswordView::Forbidden => (403, "", json!([])),
            PasswordView::NotFound => (404, "", json!([])),
            PasswordView::Form => (200, "", json!([])),
            PasswordView::Conflict => (302, "/admin/auth/user/<id>/password/", json!([])),
            PasswordView::Done => (302, "/admin/auth/user/<id>/change/", json!([2])),
        };
        let django = (&case["status"], &case["goes_to"], &case["log"]);
        assert_eq!((&json!(status), &json!(goes_to), &log), django, "{case}");
    }
}
