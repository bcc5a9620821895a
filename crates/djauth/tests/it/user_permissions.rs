//! Permissions: what Django answers for a seeded random graph, and who may not.

use std::collections::BTreeSet;

use djauth::backends::WithPerm;
use djauth::db::{Executor, Sql};
use djauth::models::Q;
use djauth::{AnonymousUser, Auth, ErrorKind, User};
use serde_json::Value as Json;

use crate::auth_support::on_each_auth;
use crate::models::vectors;

fn indices(list: &Json) -> impl Iterator<Item = usize> {
    let list = list.as_array().expect("a list").iter();
    list.map(|n| usize::try_from(n.as_u64().expect("a number")).expect("small"))
}

fn texts(list: &Json) -> BTreeSet<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|text| text.as_str().expect("text").to_owned())
        .collect()
}

async fn empty(auth: &Auth) {
    static STATEMENTS: [Sql; 3] = [
        Sql::new("DELETE FROM auth_group_permissions"),
        Sql::new("DELETE FROM auth_permission"),
        Sql::new("DELETE FROM django_content_type"),
    ];
    for sql in &STATEMENTS {
        auth.db().execute(sql, Vec::new()).await.expect("deletes");
    }
}

/// Writes the graph; the keys of its permissions.
async fn write(auth: &Auth, graph: &Json) -> Vec<i32> {
    static TYPE: Sql = Sql::insert(
        "INSERT INTO django_content_type (app_label, model) VALUES (?, ?)",
        "id",
    );
    empty(auth).await;
    let mut types = Vec::new();
    for pair in graph["types"].as_array().expect("a list") {
        let params = vec![pair[0].as_str().into(), pair[1].as_str().into()];
        types.push(auth.db().insert(&TYPE, params).await.expect("inserts"));
    }
    let mut permissions = Vec::new();
    for pair in graph["permissions"].as_array().expect("a list") {
        let content_type = i32::try_from(types[pair[0].as_u64().expect("n") as usize]).expect("id");
        let codename = pair[1].as_str().expect("text");
        let made = auth
            .permissions()
            .create(content_type, codename, codename)
            .await;
        permissions.push(made.expect("creates").id);
    }
    let mut groups = Vec::new();
    for (n, of) in graph["groups"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let group = auth
            .groups()
            .create(&format!("g{n}"))
            .await
            .expect("creates");
        let ids: Vec<_> = indices(of).map(|n| permissions[n]).collect();
        auth.groups()
            .permissions(&group)
            .set(&ids)
            .await
            .expect("sets");
        groups.push(group.id);
    }
    for user in graph["users"].as_array().expect("a list") {
        write_user(auth, user, &groups, &permissions).await;
    }
    permissions
}

async fn write_user(auth: &Auth, user: &Json, groups: &[i32], permissions: &[i32]) {
    let flags = |made: &mut User| {
        made.is_active = user["active"] == true;
        made.permissions.is_superuser = user["superuser"] == true;
    };
    let name = user["name"].as_str().expect("text");
    let made = auth
        .users()
        .create_user_with(name, "", None, flags)
        .await
        .expect("creates");
    let groups: Vec<_> = indices(&user["groups"]).map(|n| groups[n]).collect();
    auth.users()
        .groups(&made)
        .expect("g")
        .set(&groups)
        .await
        .expect("sets");
    let permissions: Vec<_> = indices(&user["permissions"])
        .map(|n| permissions[n])
        .collect();
    auth.users()
        .user_permissions(&made)
        .expect("p")
        .set(&permissions)
        .await
        .expect("sets");
}

#[tokio::test]
async fn every_answer_is_djangos() {
    let vectors = vectors();
    let graph = &vectors["graph"];
    let mut asked = texts(&graph["ordering"]);
    let more = [
        "shop.none",
        "Shop.view",
        "shop.VIEW",
        "blog.Add",
        "shop",
        "blog.v",
        "",
    ];
    asked.extend(more.map(str::to_owned));
    on_each_auth(async |database, auth, _| {
        write(&auth, graph).await;
        for expected in graph["users"].as_array().expect("a list") {
            let name = expected["name"].as_str().expect("text");
            let user = auth
                .users()
                .get_by_natural_key(name)
                .await
                .expect("reads")
                .expect("there");
            let at = format!("{} on {}", name, database.name());
            let set = |answer: std::collections::HashSet<String>| answer.into_iter().collect();
            let direct: BTreeSet<_> = set(auth
                .get_user_permissions(&user, None)
                .await
                .expect("answers"));
            assert_eq!(direct, texts(&expected["user"]), "{at}");
            let groups: BTreeSet<_> = set(auth
                .get_group_permissions(&user, None)
                .await
                .expect("answers"));
            assert_eq!(groups, texts(&expected["group"]), "{at}");
            let all: BTreeSet<_> = set(auth
                .get_all_permissions(&user, None)
                .await
                .expect("answers"));
            assert_eq!(all, texts(&expected["all"]), "{at}");
            let mut has = BTreeSet::new();
            let mut has_for_object = BTreeSet::new();
            for perm in &asked {
                if auth.has_perm(&user, perm, None).await.expect("answers") {
                    has.insert(perm.clone());
                }
                if auth
                    .has_perm(&user, perm, Some(&"an object"))
                    .await
                    .expect("answers")
                {
                    has_for_object.insert(perm.clone());
                }
            }
            assert_eq!(has, texts(&expected["has"]), "{at}");
            assert_eq!(has_for_object, texts(&expected["has_for_object"]), "{at}");
            let some: Vec<_> = has.iter().take(3).collect();
            assert!(auth.has_perms(&user, &some, None).await.expect("answers"));
            let mut modules = BTreeSet::new();
            for app in ["shop", "shopx", "blog", "none"] {
                if auth.has_module_perms(&user, app).await.expect("answers") {
                    modules.insert(app.to_owned());
                }
            }
            assert_eq!(modules, texts(&expected["modules"]), "{at}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_users_with_a_permission_are_djangos() {
    let vectors = vectors();
    let graph = &vectors["graph"];
    on_each_auth(async |database, auth, _| {
        write(&auth, graph).await;
        for case in graph["with_perm"].as_array().expect("a list") {
            let asked = WithPerm::named(case["perm"].as_str().expect("text"))
                .is_active(case["active"].as_bool())
                .include_superusers(case["superusers"] == true);
            let found = auth.users().with_perm(asked, None).await.expect("answers");
            let mut one_by_one = Vec::new();
            auth.users()
                .with_perm_each(asked, None, |user| one_by_one.push(user.id))
                .await
                .expect("answers");
            let ids: Vec<_> = found.iter().map(|user| user.id).collect();
            assert_eq!(one_by_one, ids, "{case} on {}", database.name());
            let names: BTreeSet<_> = found.into_iter().map(|user| user.username).collect();
            assert_eq!(
                names,
                texts(&case["users"]),
                "{case} on {}",
                database.name()
            );
        }
        let add = auth.permissions().filter(Q::eq("codename", "add"));
        let add = add
            .filter(Q::eq("content_type__app_label", "blog"))
            .get()
            .await
            .expect("one");
        let by_row = auth
            .users()
            .with_perm(WithPerm::row(&add), None)
            .await
            .expect("answers");
        let by_name = auth
            .users()
            .with_perm(WithPerm::named("blog.add"), None)
            .await
            .expect("answers");
        assert_eq!(by_row.len(), by_name.len());
        let of_object = WithPerm::named("blog.add").obj(&"an object");
        assert!(
            auth.users()
                .with_perm(of_object, None)
                .await
                .expect("answers")
                .is_empty()
        );
        let nobody = auth.users().with_perm(WithPerm::named("blog.add\0"), None);
        assert!(
            nobody
                .await
                .expect("answers")
                .iter()
                .all(|user| user.permissions.is_superuser)
        );
        for wrong in ["blog", "blog.add.x", ""] {
            let refused = auth.users().with_perm(WithPerm::named(wrong), None).await;
            assert_eq!(refused.expect_err("refused").kind(), &ErrorKind::Value);
        }
        let mut users = Vec::new();
        let count = auth
            .users()
            .all()
            .for_each(|user| users.push(user.id))
            .await;
        assert_eq!(count.expect("reads"), users.len() as u64);
        let all = auth.users().all().all().await.expect("reads");
        assert_eq!(users, all.iter().map(|user| user.id).collect::<Vec<_>>());
        let refused = auth
            .users()
            .with_perm(WithPerm::named("blog.add"), Some("no.Such"))
            .await;
        assert_eq!(refused.expect_err("refused").kind(), &ErrorKind::Value);
    })
    .await;
}

#[tokio::test]
async fn permissions_are_ordered_by_application_model_and_codename() {
    let vectors = vectors();
    on_each_auth(async |_, auth, _| {
        write(&auth, &vectors["graph"]).await;
        let mut names = Vec::new();
        for permission in auth.permissions().all().all().await.expect("reads") {
            names.push(
                auth.permissions()
                    .user_perm_str(&permission)
                    .await
                    .expect("named"),
            );
        }
        let apps: Vec<_> = names.iter().map(|name| name.split('.').next()).collect();
        assert!(apps.is_sorted(), "{names:?}");
        if auth.db().dialect() == djauth::db::Dialect::Sqlite {
            assert_eq!(serde_json::json!(names), vectors["graph"]["ordering"]);
        }
    })
    .await;
}

/// A collation that ignores case must not turn `auth.VIEW_user` into `auth.view_user`.
#[tokio::test]
async fn permissions_are_compared_byte_by_byte() {
    on_each_auth(async |database, auth, _| {
        let user = auth
            .users()
            .create_user("alice", "", None)
            .await
            .expect("creates");
        let view = auth
            .permissions()
            .get_by_natural_key("view_user", "auth", "user")
            .await;
        let view = view.expect("reads").expect("made by migrate");
        auth.users()
            .user_permissions(&user)
            .expect("p")
            .add(&[view.id])
            .await
            .expect("adds");
        let key = crate::auth_support::logged_in(&auth, &user).await;
        for round in 0..3 {
            for (perm, wanted) in [
                ("auth.view_user", true),
                ("auth.VIEW_user", false),
                ("AUTH.view_user", false),
                ("auth.view_user ", false),
                ("auth.view_usér", false),
                ("auth.view_user\0", false),
            ] {
                let session = auth.sessions().open(Some(&key));
                let verdict = auth.verify(&session, &[perm]).await.expect("answers");
                let at = format!("{perm:?}, round {round} on {}", database.name());
                assert_eq!(verdict.expect("logged in").permitted, wanted, "{at}");
                assert_eq!(
                    auth.has_perm(&user, perm, None).await.expect("answers"),
                    wanted
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn permissions_are_remembered_by_the_object() {
    on_each_auth(async |_, auth, _| {
        let mut user = auth
            .users()
            .create_user("alice", "", None)
            .await
            .expect("creates");
        assert!(
            !auth
                .has_perm(&user, "auth.view_user", None)
                .await
                .expect("answers")
        );
        let view = auth
            .permissions()
            .get_by_natural_key("view_user", "auth", "user")
            .await;
        let view = view.expect("reads").expect("made by migrate");
        auth.users()
            .user_permissions(&user)
            .expect("p")
            .add(&[view.id])
            .await
            .expect("adds");
        assert!(
            !auth
                .has_perm(&user, "auth.view_user", None)
                .await
                .expect("answers")
        );
        let fresh = auth
            .users()
            .get(user.id)
            .await
            .expect("reads")
            .expect("there");
        assert!(
            auth.has_perm(&fresh, "auth.view_user", None)
                .await
                .expect("answers")
        );
        user.permissions.forget_permissions();
        assert!(
            auth.has_perm(&user, "auth.view_user", None)
                .await
                .expect("answers")
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_has_no_permissions() {
    on_each_auth(async |_, auth, _| {
        let nobody = AnonymousUser;
        assert!(
            !nobody
                .has_perm(&auth, "auth.view_user", None)
                .await
                .expect("answers")
        );
        assert!(
            nobody
                .get_all_permissions(&auth, None)
                .await
                .expect("answers")
                .is_empty()
        );
        assert_eq!(nobody.to_string(), "AnonymousUser");
    })
    .await;
}
