//! An own user model with an integer key and long table names, migrated by `Auth` and logged in.

use std::fmt;

use djauth::db::{Database, Dialect, Executor};
use djauth::management::{App, Migrate, UserTable};
use djauth::{AbstractBaseUser, Auth, BaseUser, ErrorKind, PermissionsMixin};
use test_databases::TestDatabase;

use crate::auth_support::{logged_in, request, settings};

#[derive(Clone, Debug, BaseUser)]
#[django(
    app_label = "clubs",
    db_table = "the_members_of_all_the_clubs_of_the_whole_country",
    USERNAME_FIELD = "email"
)]
struct ClubMember {
    id: i64,
    base: AbstractBaseUser,
    permissions: PermissionsMixin,
    #[django(max_length = 254, unique)]
    email: String,
    #[django(default = true)]
    is_active: bool,
}

impl fmt::Display for ClubMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.email)
    }
}

const TABLE: &str = "the_members_of_all_the_clubs_of_the_whole_country";

/// `through._meta.db_table` of `user_permissions`, in Django 6.1 on each database.
fn permissions_table(db: &Database) -> String {
    let permissions = match db.dialect() {
        Dialect::Sqlite => "user_permissions",
        Dialect::Postgres => "user_perm9c38",
        Dialect::Mysql => "user_permi9c38",
    };
    format!("{TABLE}_{permissions}")
}

#[tokio::test]
async fn an_own_model_is_migrated_and_logs_in() {
    for database in TestDatabase::all() {
        let at = database.name();
        let db = Database::connect(database.url()).await.unwrap();
        let apps = [App::ContentTypes, App::Auth];
        let user = UserTable::own("clubs", "clubmember").table(TABLE);
        let first = Migrate::new().apps(apps).user(user);
        first.run(&db).await.unwrap();
        let auth = Auth::builder(settings()).user_model::<ClubMember>();
        let auth = auth.database(db).unwrap();

        let refusal = auth.check().await.unwrap_err();
        assert_eq!(refusal.kind(), &ErrorKind::Schema, "{at}");
        assert!(refusal.to_string().contains(TABLE), "{refusal}");
        let links = [format!("{TABLE}_groups"), permissions_table(auth.db())];
        let made = auth.migrate().await.unwrap();
        assert_eq!(
            made.tables().collect::<Vec<_>>(),
            [TABLE, &links[0], &links[1]],
            "{at}"
        );
        assert!(auth.migrate().await.unwrap().is_empty(), "{at}");
        auth.check().await.unwrap();

        let permission =
            auth.permissions()
                .get_by_natural_key("add_clubmember", "clubs", "clubmember");
        let permission = permission.await.unwrap().expect("made by migrate");
        assert_eq!(permission.name, "Can add club member", "{at}");

        let made = auth
            .users()
            .create_user("ann@example.com", "", Some("secret"));
        let made = made.await.unwrap();
        let own = auth.users().user_permissions(&made).unwrap();
        own.add(&[permission.id]).await.unwrap();
        let key = logged_in(&auth, &made).await;
        let request = request(&auth, Some(&key));
        let user = auth.user(&request).await.unwrap().expect("logged in");
        assert_eq!(
            (user.id, user.get_username().as_str()),
            (made.id, "ann@example.com")
        );
        assert!(
            auth.has_perm(&user, "clubs.add_clubmember", None)
                .await
                .unwrap(),
            "{at}"
        );
        assert!(
            !auth
                .has_perm(&user, "clubs.change_clubmember", None)
                .await
                .unwrap(),
            "{at}"
        );
        auth.db().close().await;
    }
}

#[tokio::test]
async fn an_application_with_tables_of_its_own_says_so() {
    for database in TestDatabase::all() {
        let build = async |allow| {
            let builder = Auth::builder(settings()).allow_other_tables(allow);
            builder.connect(database.url()).await.unwrap()
        };
        let auth = build(false).await;
        let tx = auth.db().begin().await.unwrap();
        tx.execute_script("CREATE TABLE wares (id integer)")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let refusal = auth.migrate().await.unwrap_err().to_string();
        assert!(
            refusal.contains("wares") && refusal.contains("Builder::allow_other_tables"),
            "{refusal}"
        );
        auth.db().close().await;
        let auth = build(true).await;
        assert!(!auth.migrate().await.unwrap().is_empty());
        auth.check().await.unwrap();
        auth.db().close().await;
    }
}
