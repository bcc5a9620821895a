//! Where a site stands, and what its data may name.

use axum::Router;
use axum::routing::get;
use djauth::admin::UserAdmin;
use djauth::middleware::LoginRequiredMiddleware;
use djauth_admin::{AdminExt, AdminSite};
use test_databases::TestDatabase;

use crate::support::{AdminBrowser, Kind, PASSWORD, app, connect, person, settings};

#[tokio::test]
async fn a_site_can_stand_elsewhere_under_another_name() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    person(&auth, "ada", Kind::SUPERUSER).await;
    let admin = AdminSite::new(&auth)
        .at("staff")
        .unregister_groups()
        .site_header("The <house>")
        .site_url(None);
    let mut browser = AdminBrowser::new(app(&auth, admin.router()));
    assert_eq!(browser.get("/staff").await.location(), "/staff/");
    assert_eq!(
        browser.get("/staff/").await.location(),
        "/staff/login/?next=/staff/"
    );
    let fields = [
        ("username", "ada"),
        ("password", PASSWORD),
        ("next", "/staff/"),
    ];
    assert_eq!(
        browser.post("/staff/login/", &fields).await.location(),
        "/staff/"
    );
    let page = browser.get("/staff/").await;
    assert!(page.shows("The &lt;house&gt;") && page.leads_to("/staff/auth/user/"));
    assert!(!page.leads_to("/staff/auth/group/"));
    assert_eq!(browser.get("/staff/auth/group/").await.status(), 404);
}

#[tokio::test]
async fn an_application_for_members_alone_opens_the_admin() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    let members = LoginRequiredMiddleware::new()
        .login_not_required("/admin/")
        .login_not_required("/admin/{*rest}");
    let router = Router::new()
        .route("/", get(async || "members"))
        .merge(auth.admin());
    let layer = auth.layer().login_required(members);
    let mut browser = AdminBrowser::new(router.layer(layer));
    assert_eq!(browser.get("/").await.location(), "/accounts/login/?next=/");
    assert_eq!(
        browser.get("/admin/").await.location(),
        "/admin/login/?next=/admin/"
    );
    assert_eq!(browser.get("/admin/login/").await.status(), 200);
}

#[tokio::test]
async fn without_the_layer_the_answer_names_it() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    let answer = AdminBrowser::new(auth.admin()).get("/admin/").await;
    assert_eq!(answer.status(), 500);
    assert!(!answer.shows("<form"));
}

#[tokio::test]
async fn a_place_that_cannot_be_is_found() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    for right in ["", "/", "staff", "/staff/people/"] {
        assert!(AdminSite::new(&auth).at(right).check().is_ok(), "{right}");
    }
    for wrong in [
        "/a//b/",
        "/{a}/",
        "/../",
        "/accounts/",
        "/auth/verify/",
        "/livez/",
    ] {
        let error = AdminSite::new(&auth).at(wrong).check().unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
    }
}

#[tokio::test]
async fn data_that_names_no_field_is_found() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    assert!(AdminSite::new(&auth).check().is_ok());
    let wrong = UserAdmin {
        ordering: vec!["-nickname"],
        ..UserAdmin::default()
    };
    let error = AdminSite::new(&auth)
        .users(wrong.clone())
        .check()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("nickname") && error.contains("ordering") && error.contains("admin.E033"),
        "{error}"
    );
    let mut browser = AdminBrowser::new(app(&auth, AdminSite::new(&auth).users(wrong).router()));
    assert_eq!(browser.get("/admin/").await.status(), 500);
    let own = UserAdmin {
        list_display: vec!["username", "initials"],
        ..UserAdmin::default()
    };
    let column = AdminSite::new(&auth)
        .users(own)
        .column("initials", "Initials", |user| user.username[..1].to_owned());
    assert!(column.check().is_ok());
}

#[tokio::test]
async fn a_relation_stands_only_where_it_can() {
    let database = TestDatabase::sqlite();
    let auth = connect(&database, settings()).await;
    let wrong = |change: fn(&mut UserAdmin)| {
        let mut admin = UserAdmin::default();
        change(&mut admin);
        let checked = AdminSite::new(&auth).users(admin).check();
        checked.err().map(|error| error.to_string())
    };
    type Case = (fn(&mut UserAdmin), &'static str);
    let cases: [Case; 6] = [
        (|admin| admin.list_display.push("groups"), "admin.E109"),
        (|admin| admin.ordering = vec!["-groups"], "admin.E033"),
        (|admin| admin.search_fields.push("=groups"), "admin.E126"),
        (
            |admin| admin.search_fields.push("groups__name"),
            "admin.E126",
        ),
        (|admin| admin.list_filter.push("groups__size"), "admin.E116"),
        (
            |admin| admin.list_filter.push("user_permissions__name"),
            "admin.E116",
        ),
    ];
    for (change, number) in cases {
        let error = wrong(change).expect(number);
        assert!(error.contains(number), "{error}");
    }
    assert_eq!(
        wrong(|admin| admin.list_filter = vec!["groups__name", "groups"]),
        None
    );
    assert_eq!(
        wrong(|admin| admin.search_fields = vec!["username__exact"]),
        None
    );
}
