use super::super::catalogue::Column;
use super::*;
use crate::base_user::{FieldInfo, FieldKind, UserMeta};

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        sql_type: "integer".to_owned(),
        required: true,
    }
}

/// A database that Django has made for these apps.
fn made_by_django(apps: &[App]) -> Catalogue {
    let mut found = Catalogue::default();
    let (recorder, columns) = RECORDER_COLUMNS;
    add(&mut found, recorder, columns);
    for app in apps {
        for (table, columns) in schema::tables_of(*app, false) {
            add(&mut found, table, columns);
        }
    }
    for (app, name) in apps::in_django_order(apps, false) {
        found.applied.push((app.to_owned(), name.to_owned()));
    }
    found
}

fn add(found: &mut Catalogue, table: &str, columns: &[&str]) {
    found.tables.insert(
        table.to_owned(),
        columns.iter().map(|name| column(name)).collect(),
    );
}

fn wanted() -> Wanted {
    Wanted {
        apps: App::ALL.into(),
        user: UserTable::stock(),
        allow_other_tables: false,
    }
}

fn decide(found: &Catalogue, wanted: &Wanted) -> Result<Work, Vec<SchemaProblem>> {
    work(found, wanted, Dialect::Sqlite)
}

fn refused(found: &Catalogue, wanted: &Wanted) -> Vec<SchemaProblem> {
    decide(found, wanted).expect_err("refused")
}

fn names(work: &Work) -> Vec<&str> {
    work.tables
        .iter()
        .map(|table| table.name.as_str())
        .collect()
}

#[test]
fn an_empty_database_gets_everything() {
    let work = decide(&Catalogue::default(), &wanted()).expect("accepted");
    assert!(work.recorder);
    assert_eq!(work.migrations.len(), 19);
    assert_eq!(work.tables.len(), 15);
    assert_eq!(work.along.len(), 10);
    let position = |name| names(&work).iter().position(|table| *table == name);
    assert!(position("auth_user") < position("django_admin_log"));
    assert!(position("django_content_type") < position("auth_permission"));
}

#[test]
fn a_table_of_migrations_that_is_empty_is_as_good_as_none() {
    let work = decide(&made_by_django(&[]), &wanted()).expect("accepted");
    assert!(!work.recorder);
    assert_eq!(work.migrations.len(), 19);
}

#[test]
fn a_complete_database_needs_nothing() {
    let work = decide(&made_by_django(&App::ALL), &wanted()).expect("accepted");
    assert!(work.migrations.is_empty() && work.tables.is_empty() && !work.recorder);
}

#[test]
fn what_is_not_djangos_comes_along_only_where_the_database_is_ours() {
    let mut found = made_by_django(&App::ALL);
    assert!(
        decide(&found, &wanted())
            .expect("accepted")
            .along
            .is_empty()
    );
    add(&mut found, LOGIN_ATTEMPTS, &["counter"]);
    let work = decide(&found, &wanted()).expect("accepted");
    assert_eq!((work.along.len(), work.tables.len()), (10, 5));
    let mut begun = found.clone();
    add(&mut begun, "axes_accesslog", &["id"]);
    assert!(
        decide(&begun, &wanted())
            .expect("accepted")
            .along
            .is_empty()
    );
    found
        .applied
        .push(("axes".to_owned(), "0001_initial".to_owned()));
    assert!(
        decide(&found, &wanted())
            .expect("accepted")
            .along
            .is_empty()
    );
}

#[test]
fn missing_apps_are_added() {
    let found = made_by_django(&[App::ContentTypes, App::Auth]);
    let work = decide(&found, &wanted()).expect("accepted");
    assert_eq!(names(&work), ["django_session", "django_admin_log"]);
    assert_eq!(work.migrations.len(), 4);
    assert_eq!(work.migrations[0].0, "admin");
}

#[test]
fn an_app_brings_what_it_needs() {
    let only_admin = Wanted {
        apps: vec![App::Admin],
        ..wanted()
    };
    let work = decide(&Catalogue::default(), &only_admin).expect("accepted");
    assert_eq!(work.new, [App::Admin, App::Auth, App::ContentTypes]);
}

#[test]
fn an_old_schema_is_refused_by_name() {
    let mut found = made_by_django(&App::ALL);
    found
        .applied
        .retain(|(_, name)| !name.starts_with("0012") && !name.starts_with("0011"));
    let missing = "0011_update_proxy_permissions";
    assert_eq!(
        refused(&found, &wanted()),
        [SchemaProblem::Outdated {
            app: App::Auth,
            missing
        }]
    );
}

#[test]
fn an_unknown_migration_is_refused_by_name() {
    let mut found = made_by_django(&App::ALL);
    found
        .applied
        .push(("auth".to_owned(), "0013_future".to_owned()));
    let name = "0013_future".to_owned();
    assert_eq!(
        refused(&found, &wanted()),
        [SchemaProblem::UnknownMigration {
            app: App::Auth,
            name
        }]
    );
}

#[test]
fn migrations_of_other_apps_are_nobodys_business() {
    let mut found = made_by_django(&App::ALL);
    found
        .applied
        .push(("shop".to_owned(), "0001_initial".to_owned()));
    add(&mut found, "shop_item", &["id"]);
    assert!(
        decide(&found, &wanted())
            .expect("accepted")
            .migrations
            .is_empty()
    );
}

#[test]
fn a_strange_database_is_refused_unless_it_is_allowed() {
    let mut found = Catalogue::default();
    add(&mut found, "notes", &["id"]);
    assert_eq!(
        refused(&found, &wanted()),
        [SchemaProblem::NotDjango {
            tables: vec!["notes".to_owned()]
        }]
    );
    let allowing = Wanted {
        allow_other_tables: true,
        ..wanted()
    };
    assert_eq!(
        decide(&found, &allowing)
            .expect("accepted")
            .migrations
            .len(),
        19
    );
    add(&mut found, "auth_user", &["id"]);
    assert!(matches!(
        refused(&found, &allowing)[..],
        [SchemaProblem::NotDjango { .. }]
    ));
}

#[test]
fn a_table_of_migrations_that_is_not_djangos_is_refused() {
    let mut found = made_by_django(&App::ALL);
    add(&mut found, RECORDER, &["id", "version"]);
    assert!(matches!(
        refused(&found, &wanted())[..],
        [SchemaProblem::NotDjango { .. }]
    ));
}

#[test]
fn a_table_that_nobody_recorded_is_a_clash() {
    let mut found = made_by_django(&[App::ContentTypes, App::Auth]);
    add(&mut found, "django_session", &["session_key"]);
    let clash = SchemaProblem::Clash {
        app: App::Sessions,
        table: "django_session".to_owned(),
    };
    assert_eq!(refused(&found, &wanted()), [clash]);
}

#[test]
fn a_table_that_an_interrupted_run_announced_is_none() {
    let mut found = made_by_django(&[]);
    add(
        &mut found,
        "django_session",
        &["session_key", "session_data", "expire_date"],
    );
    found
        .applied
        .push((MARK.to_owned(), "django_session".to_owned()));
    let sessions = Wanted {
        apps: vec![App::ContentTypes],
        ..wanted()
    };
    let work = decide(&found, &sessions).expect("accepted");
    assert_eq!(work.new, [App::ContentTypes, App::Sessions]);
}

#[test]
fn recorded_tables_that_are_gone_are_named() {
    let mut found = made_by_django(&App::ALL);
    found.tables.remove("auth_group");
    add(
        &mut found,
        "auth_permission",
        &["id", "name", "content_type_id"],
    );
    let table = "auth_permission".to_owned();
    let expected = [
        SchemaProblem::MissingColumn {
            table,
            column: "codename".to_owned(),
        },
        SchemaProblem::MissingTable("auth_group".to_owned()),
    ];
    assert_eq!(refused(&found, &wanted()), expected);
}

#[test]
fn an_own_user_replaces_djangos() {
    let own = Wanted {
        user: UserTable::own("accounts", "account"),
        ..wanted()
    };
    let missing = SchemaProblem::MissingUserTable("accounts_account".to_owned());
    assert_eq!(refused(&Catalogue::default(), &own), [missing]);

    let without_log = Wanted {
        apps: vec![App::Auth, App::Sessions],
        ..own.clone()
    };
    let work = decide(&Catalogue::default(), &without_log).expect("accepted");
    assert_eq!(
        names(&work),
        [
            "django_content_type",
            "django_session",
            "auth_permission",
            "auth_group",
            "auth_group_permissions",
            "djauth_login_attempts",
            "axes_accessattempt",
            "axes_accessattemptexpiration",
            "axes_accessfailurelog",
            "axes_accesslog"
        ]
    );

    let mut found = Catalogue::default();
    add(&mut found, "accounts_account", &["id", "email"]);
    let work = decide(&found, &own).expect("accepted");
    let log = work
        .tables
        .iter()
        .find(|table| table.name == "django_admin_log");
    let log = &log.expect("is made").statements[0];
    assert!(
        log.contains("REFERENCES \"accounts_account\" (\"id\")"),
        "{log}"
    );
    assert_eq!(work.migrations[14], ("admin", "0001_initial"));
}

/// With known fields its tables are made, before the log that points at them; not where Django has recorded the
/// migrations of the app.
#[test]
fn the_tables_of_an_own_user_are_made_in_time() {
    let meta = UserMeta::declared::<crate::User>();
    let mut user = UserTable::of(&meta).table("people");
    (user.swapped, user.app_label) = (true, "clubs".to_owned());
    let own = Wanted { user, ..wanted() };
    let work = decide(&Catalogue::default(), &own).expect("accepted");
    let place = |name: &str| {
        let found = names(&work).iter().position(|table| *table == name);
        found.unwrap_or_else(|| panic!("{name} is not made"))
    };
    assert!(place("auth_group") < place("people") && place("auth_permission") < place("people"));
    assert!(place("people") < place("people_groups"));
    assert!(place("people_user_permissions") < place("django_admin_log"));
    assert!(place("people") < place("usersessions_usersession"));
    assert_eq!(work.own.len(), 3);

    let mut found = Catalogue::default();
    found
        .applied
        .push(("clubs".to_owned(), "0001_initial".to_owned()));
    let missing = SchemaProblem::MissingUserTable("people".to_owned());
    assert!(refused(&found, &own).contains(&missing));

    let mut odd = own;
    odd.user
        .fields
        .push(FieldInfo::new("fee", FieldKind::Decimal));
    let unknown = SchemaProblem::UnknownFieldType {
        table: "people".to_owned(),
        field: "fee".to_owned(),
    };
    assert!(refused(&Catalogue::default(), &odd).contains(&unknown));
}

/// The table of sessions is made where ours is, once, and never for a Django.
#[test]
fn the_table_of_sessions_is_made_in_our_own_databases() {
    let mut found = made_by_django(&App::ALL);
    assert!(
        decide(&found, &wanted())
            .expect("accepted")
            .tables
            .is_empty()
    );
    add(&mut found, LOGIN_ATTEMPTS, &["counter"]);
    // Nor is the log of logins looked at here.
    let axes = ("axes".to_owned(), "0001_initial".to_owned());
    found.applied.push(axes);
    let work = decide(&found, &wanted()).expect("accepted");
    assert_eq!(names(&work), [USER_SESSIONS]);
    assert_eq!(work.migrations, [USER_SESSIONS_MIGRATION]);
    let (app, name) = USER_SESSIONS_MIGRATION;
    found.applied.push((app.to_owned(), name.to_owned()));
    add(&mut found, USER_SESSIONS, &["id"]);
    let work = decide(&found, &wanted()).expect("accepted");
    assert!(work.tables.is_empty() && work.migrations.is_empty());
}
