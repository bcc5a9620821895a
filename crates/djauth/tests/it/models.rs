//! Users, groups and permissions as rows.

use djauth::apps::{Dependant, OnDelete, Referred};
use djauth::base_user::{normalize_email, normalize_username};
use djauth::db::{Executor, Sql, Value};
use djauth::management::ModelMeta;
use djauth::models::Q;
use djauth::{Auth, BaseUser, ErrorKind, User};
use serde_json::Value as Json;
use test_databases::TestDatabase;

use crate::auth_support::{connect, now, on_each_auth, settings};

pub(crate) fn vectors() -> Json {
    serde_json::from_str(include_str!("../data/models.json")).expect("JSON")
}

#[test]
fn names_are_normalised_as_django_does() {
    let vectors = vectors();
    for pair in vectors["emails"].as_array().expect("a list") {
        let given = pair[0].as_str().unwrap_or_default();
        assert_eq!(normalize_email(given), pair[1], "{pair}");
    }
    for pair in vectors["usernames"].as_array().expect("a list") {
        assert_eq!(
            normalize_username(pair[0].as_str().expect("text")),
            pair[1],
            "{pair}"
        );
    }
}

#[tokio::test]
async fn created_users_are_the_rows_that_django_writes() {
    on_each_auth(async |database, auth, _| {
        for case in vectors()["users"].as_array().expect("a list") {
            let username = case["username"].as_str().expect("text");
            let email = case["email"].as_str().unwrap_or_default();
            let password = case["password"].as_str();
            let user = if case["superuser"] == true {
                auth.users()
                    .create_superuser(username, email, password)
                    .await
            } else {
                auth.users().create_user(username, email, password).await
            };
            let made = user.expect("creates");
            let user = auth
                .users()
                .get(made.id)
                .await
                .expect("reads")
                .expect("is there");
            let row = &case["row"];
            assert_eq!(user.username, row["username"], "{}", database.name());
            assert_eq!(user.email, row["email"]);
            assert_eq!(user.first_name, row["first_name"]);
            assert_eq!(user.last_name, row["last_name"]);
            assert_eq!(user.is_staff, row["is_staff"]);
            assert_eq!(user.is_active, row["is_active"]);
            assert_eq!(user.permissions.is_superuser, row["is_superuser"]);
            assert!(user.base.last_login.is_none() && row["last_login"].is_null());
            assert_eq!(user.date_joined, now());
            assert_eq!(user.base.has_usable_password(), row["usable"] == true);
            assert_eq!(user.base.password.len() as u64, row["length"]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_user_needs_a_name_and_a_superuser_its_flags() {
    on_each_auth(async |_, auth, _| {
        let refused = auth
            .users()
            .create_user("", "", None)
            .await
            .expect_err("no name");
        assert_eq!(refused.kind(), &ErrorKind::Value);
        let off = |user: &mut User| user.is_staff = false;
        let refused = auth
            .users()
            .create_superuser_with("root", "", None, off)
            .await;
        assert_eq!(refused.expect_err("not staff").kind(), &ErrorKind::Value);
        assert_eq!(auth.users().all().count().await.expect("counts"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_name_is_taken_once() {
    on_each_auth(async |_, auth, _| {
        auth.users()
            .create_user("alice", "", None)
            .await
            .expect("creates");
        let twice = auth
            .users()
            .create_user("alice", "", None)
            .await
            .expect_err("taken");
        assert!(
            matches!(twice.kind(), ErrorKind::Integrity { .. }),
            "{twice:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn rows_are_filtered_ordered_and_paged() {
    on_each_auth(async |database, auth, _| {
        for n in 0..7 {
            let email = if n % 2 == 0 {
                format!("u{n}@a%b.org")
            } else {
                String::new()
            };
            let name = format!("user{n}");
            auth.users()
                .create_user(&name, &email, None)
                .await
                .expect("creates");
        }
        let names = async |users: Vec<User>| {
            users
                .into_iter()
                .map(|user| user.username)
                .collect::<Vec<_>>()
        };
        let users = || auth.users().all().order_by(&["-username"]);
        let page = users().page(2, 3).all().await.expect("reads");
        assert_eq!(
            names(page).await,
            ["user3", "user2", "user1"],
            "{}",
            database.name()
        );
        let rest = users().offset(5).all().await.expect("reads");
        assert_eq!(names(rest).await, ["user1", "user0"]);
        for beyond in [users().offset(u64::MAX), users().page(u64::MAX, u64::MAX)] {
            assert!(beyond.all().await.expect("reads").is_empty());
        }
        let with = users()
            .filter(Q::icontains("email", "A%B"))
            .all()
            .await
            .expect("reads");
        assert_eq!(names(with).await, ["user6", "user4", "user2", "user0"]);
        let without = users()
            .exclude(Q::contains("email", "%b"))
            .all()
            .await
            .expect("reads");
        assert_eq!(names(without).await, ["user5", "user3", "user1"]);
        let some = Q::in_("username", ["user1", "user2", "nobody"]).and(!Q::eq("email", ""));
        assert_eq!(
            names(users().filter(some).all().await.expect("reads")).await,
            ["user2"]
        );
        let iexact = users().filter(Q::iexact("username", "USER3"));
        assert_eq!(iexact.clone().get().await.expect("one").username, "user3");
        assert!(iexact.exists().await.expect("asks"));
        let never = users()
            .filter(Q::isnull("last_login", true))
            .limit(4)
            .count()
            .await;
        assert_eq!(never.expect("counts"), 4);
        let logged_in = users().filter(Q::lt("last_login", now())).exists().await;
        assert!(!logged_in.expect("asks"));
        // NULL does not equal a moment, so that it is not excluded.
        let not_then = users().exclude(Q::eq("last_login", now())).count().await;
        assert_eq!(not_then.expect("counts"), 7);
        let nobody = users()
            .filter(Q::eq("username", "user\0"))
            .get()
            .await
            .expect_err("nobody");
        assert_eq!(nobody.kind(), &ErrorKind::DoesNotExist);
        let many = users().get().await.expect_err("many");
        assert_eq!(many.kind(), &ErrorKind::MultipleObjectsReturned);
        for unknown in [
            users().filter(Q::eq("passwd", "x")),
            users().order_by(&["id; DROP"]),
        ] {
            let refused = unknown.all().await.expect_err("unknown");
            assert_eq!(refused.kind(), &ErrorKind::Value);
        }
    })
    .await;
}

#[tokio::test]
async fn saves_write_what_they_are_asked_to() {
    on_each_auth(async |_, auth, _| {
        let mut user = auth
            .users()
            .create_user("alice", "", None)
            .await
            .expect("creates");
        let other = auth
            .users()
            .get(user.id)
            .await
            .expect("reads")
            .expect("there");
        user.first_name = "Alice".to_owned();
        user.email = "a@b.c".to_owned();
        auth.users()
            .save_fields(&user, &["first_name"])
            .await
            .expect("saves");
        let row = auth
            .users()
            .get(user.id)
            .await
            .expect("reads")
            .expect("there");
        assert_eq!((row.first_name.as_str(), row.email.as_str()), ("Alice", ""));
        for wrong in ["nickname", "id"] {
            let refused = auth
                .users()
                .save_fields(&user, &[wrong])
                .await
                .expect_err("refused");
            assert_eq!(refused.kind(), &ErrorKind::Value);
        }
        auth.users().save(&mut user).await.expect("saves");
        let row = auth
            .users()
            .get(user.id)
            .await
            .expect("reads")
            .expect("there");
        assert_eq!(row.email, "a@b.c");
        auth.users().delete(&user).await.expect("deletes");
        let gone = auth
            .users()
            .save_fields(&other, &["email"])
            .await
            .expect_err("gone");
        assert_eq!(gone.kind(), &ErrorKind::DoesNotExist);
        // A plain save makes the row again, under its key, as in Django.
        let id = user.id;
        auth.users().save(&mut user).await.expect("saves");
        assert_eq!(
            auth.users()
                .get(id)
                .await
                .expect("reads")
                .expect("there")
                .username,
            "alice"
        );
    })
    .await;
}

#[tokio::test]
async fn two_that_create_at_once_get_the_same_row() {
    on_each_auth(async |database, auth, _| {
        for round in 0..5 {
            let name = format!("group{round}");
            let groups = || auth.groups().get_or_create(&name);
            let (a, b, c) = tokio::join!(groups(), groups(), groups());
            let all = [a, b, c].map(|made| made.expect("one outcome"));
            assert!(
                all.iter().all(|(group, _)| group.id == all[0].0.id),
                "{}",
                database.name()
            );
            assert_eq!(all.iter().filter(|(_, made)| *made).count(), 1);
            let users = || auth.users().get_or_create(&name, |_| {});
            let (a, b) = tokio::join!(users(), users());
            let all = [a, b].map(|made| made.expect("one outcome"));
            assert_eq!(all[0].0.id, all[1].0.id);
            assert!(!all[0].0.base.has_usable_password());
        }
    })
    .await;
}

async fn permission(auth: &Auth, codename: &str) -> i32 {
    let found = auth
        .permissions()
        .get_by_natural_key(codename, "auth", "user")
        .await;
    found.expect("reads").expect("made by migrate").id
}

#[tokio::test]
async fn links_are_followed_back() {
    on_each_auth(async |_, auth, _| {
        let users = auth.users();
        let group = auth.groups().create("staff").await.expect("creates");
        let permissions = auth.permissions().filter(Q::eq("codename", "add_user"));
        let permission = permissions.all().await.expect("reads").remove(0);
        let mut made = Vec::new();
        for name in ["carol", "alice", "bob"] {
            made.push(users.create_user(name, "", None).await.expect("creates"));
        }
        let names = |users: Vec<User>| {
            users
                .into_iter()
                .map(|user| user.username)
                .collect::<Vec<_>>()
        };
        let nobody = auth.groups().users(&group).await.expect("reads");
        assert_eq!(names(nobody), [""; 0]);
        for user in [&made[2], &made[0]] {
            let groups = users.groups(user).expect("has groups");
            groups.add(&[group.id]).await.expect("adds");
        }
        let members = auth.groups().users(&group).await.expect("reads");
        assert_eq!(names(members), ["carol", "bob"]);
        let direct = users.user_permissions(&made[1]).expect("has permissions");
        direct.add(&[permission.id]).await.expect("adds");
        let of_group = auth.groups().permissions(&group);
        of_group.add(&[permission.id]).await.expect("adds");
        let holders = auth.permissions().users(&permission).await.expect("reads");
        assert_eq!(names(holders), ["alice"]);
        let groups = auth.permissions().groups(&permission).await.expect("reads");
        assert_eq!(
            groups.iter().map(|group| &*group.name).collect::<Vec<_>>(),
            ["staff"]
        );
    })
    .await;
}

#[tokio::test]
async fn links_are_added_removed_set_and_cleared() {
    on_each_auth(async |_, auth, _| {
        let user = auth
            .users()
            .create_user("alice", "", None)
            .await
            .expect("creates");
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            ids.push(auth.groups().create(name).await.expect("creates").id);
        }
        let groups = auth.users().groups(&user).expect("has groups");
        groups.add(&[ids[0], ids[1], ids[0]]).await.expect("adds");
        groups.add(&[ids[1]]).await.expect("adds again");
        assert_eq!(groups.ids().await.expect("reads"), &ids[..2]);
        groups.set(&[ids[1], ids[2]]).await.expect("sets");
        assert_eq!(groups.ids().await.expect("reads"), &ids[1..]);
        groups.remove(&[ids[0], ids[2]]).await.expect("removes");
        let left = groups.all().await.expect("reads");
        assert_eq!(
            left.iter()
                .map(|group| group.name.as_str())
                .collect::<Vec<_>>(),
            ["b"]
        );
        let missing = groups
            .add(&[ids[0], 999_999])
            .await
            .expect_err("no such group");
        assert!(
            matches!(missing.kind(), ErrorKind::Integrity { .. }),
            "{missing:?}"
        );
        assert_eq!(
            groups.ids().await.expect("reads"),
            [ids[1]],
            "all or nothing"
        );
        groups.clear().await.expect("clears");
        assert!(groups.ids().await.expect("reads").is_empty());
        let unsaved = auth
            .users()
            .groups(&User::blank())
            .expect("has groups")
            .add(&ids)
            .await;
        assert_eq!(unsaved.expect_err("unsaved").kind(), &ErrorKind::Value);
    })
    .await;
}

static COUNTS: Sql = Sql::new(
    "SELECT (SELECT COUNT(*) FROM auth_user), (SELECT COUNT(*) FROM auth_user_groups), \
     (SELECT COUNT(*) FROM auth_user_user_permissions), (SELECT COUNT(*) FROM auth_group), \
     (SELECT COUNT(*) FROM auth_group_permissions), (SELECT COUNT(*) FROM django_admin_log)",
);

async fn counts(auth: &Auth) -> Vec<i64> {
    let row = auth
        .db()
        .fetch_optional(&COUNTS, &[], |row| (0..6).map(|n| row.get(n)).collect());
    row.await.expect("counts").expect("a row")
}

async fn log_entry(auth: &Auth, user: &User, content_type: i32) {
    static ADD: Sql = Sql::insert(
        "INSERT INTO django_admin_log (action_time, user_id, content_type_id, object_id, \
         object_repr, action_flag, change_message) VALUES (?, ?, ?, '1', 'x', 1, '[]')",
        "id",
    );
    let params = vec![now().into(), user.id.into(), content_type.into()];
    auth.db().insert(&ADD, params).await.expect("inserts");
}

#[tokio::test]
async fn deletes_cascade_as_django_does() {
    on_each_auth(async |_, auth, _| {
        let view = permission(&auth, "view_user").await;
        let change = permission(&auth, "change_user").await;
        let content_type = auth
            .permissions()
            .get(view)
            .await
            .expect("reads")
            .expect("there");
        let content_type = content_type.content_type_id;
        let (staff, other) = (
            auth.groups().create("staff").await.expect("a"),
            auth.groups().create("o").await.expect("b"),
        );
        auth.groups()
            .permissions(&staff)
            .set(&[view, change])
            .await
            .expect("sets");
        let mut users = Vec::new();
        for name in ["a", "b", "c"] {
            let user = auth
                .users()
                .create_user(name, "", None)
                .await
                .expect("creates");
            auth.users()
                .groups(&user)
                .expect("g")
                .set(&[staff.id, other.id])
                .await
                .expect("sets");
            auth.users()
                .user_permissions(&user)
                .expect("p")
                .set(&[view])
                .await
                .expect("sets");
            log_entry(&auth, &user, content_type).await;
            users.push(user);
        }
        assert_eq!(counts(&auth).await, [3, 6, 3, 2, 2, 3]);
        let deleted = auth.users().delete(&users[0]).await.expect("deletes");
        assert_eq!(deleted.total, 5);
        assert_eq!(deleted.tables["auth_user_groups"], 2);
        assert_eq!(deleted.tables["django_admin_log"], 1);
        assert_eq!(counts(&auth).await, [2, 4, 2, 2, 2, 2]);
        assert_eq!(
            auth.groups().delete(&staff).await.expect("deletes").total,
            5
        );
        assert_eq!(counts(&auth).await, [2, 2, 2, 1, 0, 2]);
        let gone = auth
            .permissions()
            .get(view)
            .await
            .expect("reads")
            .expect("there");
        assert_eq!(
            auth.permissions()
                .delete(&gone)
                .await
                .expect("deletes")
                .total,
            3
        );
        assert_eq!(counts(&auth).await, [2, 2, 0, 1, 0, 2]);
        // Three permissions are left, and the log entries stay without a type.
        let deleted = auth
            .permissions()
            .delete_content_type(content_type)
            .await
            .expect("deletes");
        assert_eq!(deleted.total, 4, "{deleted:?}");
        static UNTYPED: Sql =
            Sql::new("SELECT COUNT(*) FROM django_admin_log WHERE content_type_id IS NULL");
        let untyped = auth
            .db()
            .fetch_optional(&UNTYPED, &[], |row| row.get::<i64>(0))
            .await;
        assert_eq!(untyped.expect("counts"), Some(2));
        let all = auth.users().all();
        assert_eq!(
            auth.users().delete_all(all).await.expect("deletes").total,
            6
        );
        assert_eq!(counts(&auth).await, [0, 0, 0, 1, 0, 0]);
        let never = auth
            .users()
            .delete(&User::blank())
            .await
            .expect_err("never saved");
        assert_eq!(never.kind(), &ErrorKind::Value);
    })
    .await;
}

#[tokio::test]
async fn registered_tables_go_with_their_user() {
    for database in TestDatabase::all() {
        let (plain, _) = connect(&database).await;
        let tx = plain.db().begin().await.expect("begins");
        for table in [
            "CREATE TABLE shop_order (id integer PRIMARY KEY, buyer_id integer NOT NULL REFERENCES auth_user (id))",
            "CREATE TABLE shop_note (id integer PRIMARY KEY, author_id integer NULL REFERENCES auth_user (id))",
        ] {
            tx.execute_script(table).await.expect("makes tables");
        }
        tx.commit().await.expect("commits");
        let user = plain
            .users()
            .create_user("buyer", "", None)
            .await
            .expect("creates");
        static ORDER: Sql = Sql::new("INSERT INTO shop_order (id, buyer_id) VALUES (1, ?)");
        static NOTE: Sql = Sql::new("INSERT INTO shop_note (id, author_id) VALUES (1, ?)");
        for sql in [&ORDER, &NOTE] {
            plain
                .db()
                .execute(sql, vec![user.id.into()])
                .await
                .expect("inserts");
        }
        let refused = plain
            .users()
            .delete(&user)
            .await
            .expect_err("still referred to");
        assert!(
            matches!(refused.kind(), ErrorKind::Integrity { .. }),
            "{refused:?}"
        );
        let auth = Auth::builder(settings())
            .dependant(Dependant::new(
                "shop_order",
                "buyer_id",
                Referred::User,
                OnDelete::Cascade,
            ))
            .dependant(Dependant::new(
                "shop_note",
                "author_id",
                Referred::User,
                OnDelete::SetNull,
            ))
            .model(ModelMeta::new("shop", "Order"))
            .database(plain.db().clone())
            .expect("builds");
        assert_eq!(auth.users().delete(&user).await.expect("deletes").total, 2);
        static LEFT: Sql = Sql::new(
            "SELECT (SELECT COUNT(*) FROM shop_order), \
             (SELECT COUNT(*) FROM shop_note WHERE author_id IS NULL)",
        );
        let left = auth
            .db()
            .fetch_optional(&LEFT, &[], |row| Ok((row.get(0)?, row.get(1)?)))
            .await;
        assert_eq!(
            left.expect("counts"),
            Some((0_i64, 1_i64)),
            "{}",
            database.name()
        );
        auth.db().close().await;
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing() {
    on_each_auth(async |_, auth, _| {
        let tx = auth.db().begin().await.expect("begins");
        let users = auth.users().using(&tx);
        let user = users.create_user("alice", "", None).await.expect("creates");
        assert!(users.get(user.id).await.expect("reads").is_some());
        auth.groups().using(&tx).create("g").await.expect("creates");
        drop(tx);
        assert!(!auth.users().all().exists().await.expect("asks"));
        assert!(!auth.groups().all().exists().await.expect("asks"));
    })
    .await;
}

#[tokio::test]
async fn names_that_no_row_can_hold_are_not_found() {
    on_each_auth(async |_, auth, _| {
        auth.users()
            .create_user("0", "", None)
            .await
            .expect("creates");
        auth.users()
            .create_user("alice", "", None)
            .await
            .expect("creates");
        let long = "x".repeat(1_000_000);
        for name in ["", "alice\0", "\0", &long, "\u{10ffff}", "' OR 1=1 --", "1"] {
            let found = auth
                .users()
                .get_by_natural_key(name)
                .await
                .expect("no error");
            assert!(found.is_none(), "{}", &name[..name.len().min(20)]);
        }
        assert!(
            auth.groups()
                .get_by_natural_key("a\0")
                .await
                .expect("no error")
                .is_none()
        );
    })
    .await;
}

/// A number must not match text: MySQL would read `alice` as 0.
#[tokio::test]
async fn cve_2014_0474_text_is_looked_up_as_text() {
    on_each_auth(async |_, auth, _| {
        auth.users()
            .create_user("alice", "", None)
            .await
            .expect("creates");
        assert!(
            auth.users()
                .get_by_natural_key("0")
                .await
                .expect("reads")
                .is_none()
        );
        let by_text = auth
            .users()
            .filter(Q::eq("username", Value::from("0")))
            .exists()
            .await;
        assert!(!by_text.expect("asks"));
    })
    .await;
}

#[tokio::test]
async fn debug_hides_the_hash() {
    on_each_auth(async |_, auth, _| {
        let user = auth
            .users()
            .create_user("alice", "", Some("secret"))
            .await
            .expect("creates");
        let stored = user.base.password.clone();
        let digest = stored.rsplit('$').next().expect("a digest").to_owned();
        let text = format!(
            "{user:?} {:?}",
            auth.users().filter(Q::eq("password", digest.clone()))
        );
        assert!(!text.contains(&digest) && text.contains("alice"), "{text}");
        assert_eq!(user.to_string(), "alice");
        assert_eq!(user.get_username(), "alice");
        assert_eq!(user.get_email().as_deref(), Some(""));
    })
    .await;
}
