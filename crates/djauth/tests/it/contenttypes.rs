//! `ContentTypeManager` on each database.

use djauth::ErrorKind;
use djauth::contenttypes::ContentTypeManager;
use djauth::management::{App, Migrate};
use djauth_db::{Database, Executor, Sql};

use crate::schema::{connect, on_each};

async fn migrate(db: &Database) {
    Migrate::new()
        .apps([App::ContentTypes])
        .run(db)
        .await
        .expect("migrates");
}

#[tokio::test]
async fn content_types_are_found_by_name_and_id() {
    on_each(async |database, db| {
        migrate(&db).await;
        let manager = ContentTypeManager::new(db);
        let found = manager
            .get_by_natural_key("contenttypes", "contenttype")
            .await
            .expect("reads")
            .expect("is there");
        assert_eq!(
            (found.id, found.to_string().as_str()),
            (1, "contenttypes | contenttype"),
            "{}",
            database.name()
        );
        assert_eq!(manager.get_for_id(1).await.expect("reads"), Some(found));
        assert_eq!(manager.get_for_id(99).await.expect("reads"), None);
        assert_eq!(
            manager
                .get_by_natural_key("auth", "nothing")
                .await
                .expect("reads"),
            None
        );
    })
    .await;
}

#[tokio::test]
async fn what_comes_later_is_found() {
    on_each(async |database, db| {
        migrate(&db).await;
        let manager = ContentTypeManager::new(db.clone());
        assert_eq!(
            manager
                .get_by_natural_key("shop", "item")
                .await
                .expect("reads"),
            None
        );
        static ADD: Sql =
            Sql::new("INSERT INTO django_content_type (app_label, model) VALUES ('shop', 'item')");
        db.execute(&ADD, vec![]).await.expect("writes");
        assert!(
            manager
                .get_by_natural_key("shop", "item")
                .await
                .expect("reads")
                .is_some(),
            "{}",
            database.name()
        );
    })
    .await;
}

#[tokio::test]
async fn the_cache_is_cleared_on_demand() {
    on_each(async |database, db| {
        migrate(&db).await;
        let manager = ContentTypeManager::new(db.clone());
        let made = manager.get_for_model("shop", "item").await.expect("makes");
        static RENAME: Sql =
            Sql::new("UPDATE django_content_type SET model = 'article' WHERE model = 'item'");
        db.execute(&RENAME, vec![]).await.expect("writes");
        manager.clear_cache();
        assert_eq!(
            manager
                .get_by_natural_key("shop", "item")
                .await
                .expect("reads"),
            None
        );
        let renamed = manager
            .get_for_id(made.id)
            .await
            .expect("reads")
            .expect("is there");
        assert_eq!(renamed.model, "article", "{}", database.name());
    })
    .await;
}

#[tokio::test]
async fn two_that_make_the_same_get_the_same() {
    on_each(async |database, db| {
        migrate(&db).await;
        let other = connect(database).await;
        let managers = [
            ContentTypeManager::new(db.clone()),
            ContentTypeManager::new(other.clone()),
        ];
        let (a, b) = tokio::join!(
            managers[0].get_for_model("shop", "item"),
            managers[1].get_for_model("shop", "item")
        );
        assert_eq!(a.expect("makes"), b.expect("makes"), "{}", database.name());
        let (_, made) = ContentTypeManager::get_or_create(&db, "shop", "item")
            .await
            .expect("finds");
        assert!(!made);
        other.close().await;
    })
    .await;
}

/// Inside of a transaction that has read before another process added the row.
#[tokio::test]
async fn a_transaction_gets_what_another_process_made() {
    on_each(async |database, db| {
        migrate(&db).await;
        if database.name() == "sqlite" {
            return; // One writer at a time: nobody else can add the row.
        }
        let transaction = db.begin().await.expect("begins");
        static READ: Sql = Sql::new("SELECT id FROM django_content_type");
        transaction
            .fetch(&READ, &[], |row| row.get::<i64>(0))
            .await
            .expect("reads");
        let (other, _) = ContentTypeManager::get_or_create(&db, "shop", "item")
            .await
            .expect("makes");
        let (found, _) = ContentTypeManager::get_or_create(&transaction, "shop", "item")
            .await
            .expect("finds");
        assert_eq!(found, other, "{}", database.name());
        transaction.commit().await.expect("commits");
    })
    .await;
}

#[tokio::test]
async fn a_name_that_does_not_fit_is_refused() {
    on_each(async |_, db| {
        migrate(&db).await;
        let error = ContentTypeManager::get_or_create(&db, "shop", &"x".repeat(101))
            .await
            .expect_err("too long");
        assert_eq!(*error.kind(), ErrorKind::Value);
        let types = ContentTypeManager::new(db.clone());
        for (app_label, model) in [("auth\0", "user"), ("auth", "user\0")] {
            let found = types.get_by_natural_key(app_label, model).await;
            assert_eq!(found.expect("answers"), None);
        }
    })
    .await;
}
