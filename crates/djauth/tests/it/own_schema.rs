//! Tables of own user models, made here, against those that Django's migrations make for the same models.

use std::fmt;

use djauth::db::{Database, Executor};
use djauth::models::DescribedUser;
use djauth::settings::Draft;
use djauth::{AbstractBaseUser, Auth, BaseUser, PermissionsMixin};
use uuid::Uuid;

use crate::auth_support::settings;
use crate::schema::{assert_same, django, facts, facts_of_sessions, on_each};

#[derive(Clone, Debug, BaseUser)]
#[django(
    app_label = "accounts",
    USERNAME_FIELD = "email",
    REQUIRED_FIELDS("full_name")
)]
struct Account {
    id: Uuid,
    base: AbstractBaseUser,
    permissions: PermissionsMixin,
    #[django(max_length = 254, unique)]
    email: String,
    #[django(max_length = 100)]
    full_name: String,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.email)
    }
}

const LONG: &str = r#"
[AUTH_USER_MODEL]
label = "clubs.ClubMember"
db_table = "the_members_of_all_the_clubs"
USERNAME_FIELD = "email"
fields = [
    {name = "id", type = "BigAutoField", primary_key = true},
    {name = "password", type = "CharField", max_length = 128},
    {name = "last_login", type = "DateTimeField", null = true},
    {name = "is_superuser", type = "BooleanField"},
    {name = "email", type = "CharField", max_length = 254, unique = true},
    {name = "notes", type = "TextField"},
    {name = "rating", type = "FloatField"},
    {name = "born", type = "DateField", null = true},
    {name = "badge", type = "UUIDField", null = true, unique = true},
    {name = "joined", type = "DateTimeField", column = "joined_at"},
    {name = "visits", type = "IntegerField"},
    {name = "steps", type = "BigIntegerField", null = true},
    {name = "photo", type = "BinaryField"},
    {name = "wakes", type = "TimeField", null = true},
    {name = "extra", type = "JSONField"},
    {name = "address", type = "GenericIPAddressField", null = true},
    {name = "is_active", type = "BooleanField", default = true},
]

[AUTH_USER_MODEL.groups]
table = "the_members_of_all_the_clubs_groups"
user = "clubmember_id"
group = "group_id"

[AUTH_USER_MODEL.user_permissions]
table = "the_members_of_all_the_clubs_user_permissions"
user = "clubmember_id"
permission = "permission_id"
"#;

/// All but the migrations, of which Django has one more for the model's own app.
fn without_migrations(mut facts: Vec<String>) -> Vec<String> {
    let of_migrations =
        |fact: &String| fact.starts_with("migration ") || fact.contains("django_migrations");
    facts.retain(|fact| !of_migrations(fact));
    facts
}

async fn assert_as_django<U: BaseUser>(auth: Auth<U>, answer: &str, at: &str) {
    let made = auth.migrate().await.expect("migrates");
    assert_eq!(made.tables().len(), 3, "{at}");
    assert!(auth.migrate().await.expect("migrates").is_empty(), "{at}");
    auth.check().await.expect("is right");
    let ours = without_migrations(facts(auth.db()).await);
    let theirs = without_migrations(django(answer, auth.db().dialect()));
    assert_same(&ours, &theirs, at);
    let theirs = django(&format!("usersessions-{answer}"), auth.db().dialect());
    assert_same(&facts_of_sessions(auth.db()).await, &theirs, at);
}

#[tokio::test]
async fn the_tables_of_a_struct_are_djangos() {
    on_each(async |database, db: Database| {
        let auth = Auth::builder(settings()).user_model::<Account>();
        assert_as_django(
            auth.database(db).expect("builds"),
            "own-6.1",
            database.name(),
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_tables_of_a_described_model_are_djangos() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, LONG).expect("writes");
    let draft = Draft::read_with(Some(&file), |_| None).expect("settings");
    on_each(async |database, db: Database| {
        let mut settings = settings();
        settings.auth_user_model = draft.settings().auth_user_model.clone();
        let auth = Auth::builder(settings).user_model::<DescribedUser<i64>>();
        assert_as_django(
            auth.database(db).expect("builds"),
            "long-6.1",
            database.name(),
        )
        .await;
    })
    .await;
}
