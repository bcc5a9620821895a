//! Content types and permissions of an application's models.

use djauth::ErrorKind;
use djauth::management::{
    Migrate, ModelMeta, create_permissions, rename_permissions_after_model_rename,
};
use djauth_db::{Database, Executor, Sql};

use crate::schema::{connect, on_each};

static LISTED: Sql = Sql::new(
    "SELECT c.app_label, c.model, p.codename, p.name FROM auth_permission p
       JOIN django_content_type c ON c.id = p.content_type_id WHERE p.id > 24 ORDER BY p.id",
);
static TYPES: Sql = Sql::new("SELECT id, model FROM django_content_type WHERE id > 6 ORDER BY id");

async fn listed(db: &Database) -> Vec<String> {
    let read = |row: &djauth_db::Row<'_>| {
        let texts: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
        Ok(texts.join(" | "))
    };
    db.fetch(&LISTED, &[], read).await.expect("reads")
}

fn shop() -> Vec<ModelMeta> {
    vec![
        ModelMeta::new("shop", "Order").permission("ship_order", "Can ship an order"),
        ModelMeta::new("shop", "BigItem").default_permissions(["view", "change"]),
        ModelMeta::new("books", "Book").verbose_name("printed book"),
    ]
}

#[tokio::test]
async fn models_of_an_application_get_theirs() {
    on_each(async |database, db| {
        Migrate::new()
            .models(shop())
            .run(&db)
            .await
            .expect("migrates");
        assert_eq!(
            listed(&db).await,
            [
                "shop | order | add_order | Can add order",
                "shop | order | change_order | Can change order",
                "shop | order | delete_order | Can delete order",
                "shop | order | view_order | Can view order",
                "shop | order | ship_order | Can ship an order",
                "shop | bigitem | view_bigitem | Can view big item",
                "shop | bigitem | change_bigitem | Can change big item",
                "books | book | add_book | Can add printed book",
                "books | book | change_book | Can change printed book",
                "books | book | delete_book | Can delete printed book",
                "books | book | view_book | Can view printed book",
            ],
            "{}",
            database.name()
        );
        let types = db
            .fetch(&TYPES, &[], |row| {
                Ok((row.get::<i64>(0)?, row.get::<String>(1)?))
            })
            .await
            .expect("reads");
        // Within an app in the order of the alphabet.
        assert_eq!(
            types,
            [
                (7, "bigitem".to_owned()),
                (8, "order".to_owned()),
                (9, "book".to_owned())
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_there_stays_and_what_is_missing_comes() {
    on_each(async |database, db| {
        Migrate::new()
            .models(shop())
            .run(&db)
            .await
            .expect("migrates");
        static CHANGE: Sql =
            Sql::new("UPDATE auth_permission SET name = 'Mine' WHERE codename = 'ship_order'");
        static DELETE: Sql = Sql::new("DELETE FROM auth_permission WHERE codename = 'add_book'");
        db.execute(&CHANGE, vec![]).await.expect("writes");
        db.execute(&DELETE, vec![]).await.expect("writes");
        Migrate::new()
            .models(shop())
            .run(&db)
            .await
            .expect("migrates");
        let rows = listed(&db).await;
        assert_eq!(rows.len(), 11);
        assert_eq!(rows[4], "shop | order | ship_order | Mine");
        assert_eq!(
            rows[10],
            "books | book | add_book | Can add printed book",
            "{}",
            database.name()
        );
        assert!(
            create_permissions(&db, &shop())
                .await
                .expect("adds")
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn two_processes_add_each_row_once() {
    on_each(async |database, db| {
        Migrate::new().run(&db).await.expect("migrates");
        let other = connect(database).await;
        let models = shop();
        let (a, b) = tokio::join!(
            create_permissions(&db, &models),
            create_permissions(&other, &models)
        );
        a.expect("adds");
        b.expect("adds");
        assert_eq!(listed(&db).await.len(), 11, "{}", database.name());
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_thousand_models_are_no_matter() {
    on_each(async |database, db| {
        let models: Vec<ModelMeta> = (0..1000)
            .map(|n| ModelMeta::new(format!("app{}", n % 50), &format!("Model{n:04}")))
            .collect();
        Migrate::new()
            .models(models.clone())
            .run(&db)
            .await
            .expect("migrates");
        assert_eq!(listed(&db).await.len(), 4000, "{}", database.name());
        assert!(
            create_permissions(&db, &models)
                .await
                .expect("reads")
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn models_that_cannot_be_stored_are_refused_before_anything_is_done() {
    on_each(async |_, db| {
        let bad = shop()
            .into_iter()
            .chain([ModelMeta::new("shop", "Order2").permission("p".repeat(101), "x")]);
        let error = Migrate::new()
            .models(bad)
            .run(&db)
            .await
            .expect_err("too long");
        assert_eq!(*error.kind(), ErrorKind::ImproperlyConfigured);
        assert!(error.to_string().contains("shop.order2"), "{error}");
        assert_eq!(
            Migrate::new()
                .plan(&db)
                .await
                .expect("plans")
                .migrations()
                .len(),
            crate::schema::MIGRATIONS
        );
    })
    .await;
}

#[tokio::test]
async fn permissions_follow_a_renamed_model() {
    on_each(async |database, db| {
        Migrate::new()
            .models(shop())
            .run(&db)
            .await
            .expect("migrates");
        static RENAME: Sql =
            Sql::new("UPDATE django_content_type SET model = 'purchase' WHERE model = 'order'");
        db.execute(&RENAME, vec![]).await.expect("writes");
        let models = [ModelMeta::new("shop", "Purchase").verbose_name("great purchase")];
        let renames = [("Order", "Sale"), ("Sale", "Purchase")];
        let renamed = rename_permissions_after_model_rename(&db, "shop", &renames, &models)
            .await
            .expect("renames");
        assert_eq!(renamed.len(), 4);
        assert_eq!(
            listed(&db).await[..5],
            [
                "shop | purchase | add_purchase | Can add great purchase",
                "shop | purchase | change_purchase | Can change great purchase",
                "shop | purchase | delete_purchase | Can delete great purchase",
                "shop | purchase | view_purchase | Can view great purchase",
                "shop | purchase | ship_order | Can ship an order",
            ],
            "{}",
            database.name()
        );
    })
    .await;
}

/// Another model's permission of the same codename stays, and the renaming can be undone, also when
/// somebody has deleted the permissions meanwhile.
#[tokio::test]
async fn a_renaming_touches_no_other_model_and_can_be_undone() {
    static OTHER: Sql = Sql::new(
        "INSERT INTO auth_permission (name, content_type_id, codename)
         SELECT 'Can add order', id, 'add_order' FROM django_content_type WHERE model = 'book'",
    );
    static TO_SALE: Sql =
        Sql::new("UPDATE django_content_type SET model = 'sale' WHERE model = 'order'");
    static TO_ORDER: Sql =
        Sql::new("UPDATE django_content_type SET model = 'order' WHERE model = 'sale'");
    static DELETE: Sql = Sql::new(
        "DELETE FROM auth_permission WHERE codename IN ('add_sale', 'change_sale', 'delete_sale', 'view_sale')",
    );
    on_each(async |database, db| {
        let name = database.name();
        let migrate = Migrate::new().models(shop());
        migrate.run(&db).await.expect("migrates");
        db.execute(&OTHER, vec![]).await.expect("writes");
        let before = listed(&db).await;
        let rename = async |old, new| {
            let renamed =
                rename_permissions_after_model_rename(&db, "shop", &[(old, new)], &shop()).await;
            renamed.expect("renames").len()
        };
        db.execute(&TO_SALE, vec![]).await.expect("writes");
        assert_eq!(rename("Order", "Sale").await, 4, "{name}");
        let other = "books | book | add_order | Can add order".to_owned();
        assert!(listed(&db).await.contains(&other), "{name}");
        db.execute(&TO_ORDER, vec![]).await.expect("writes");
        assert_eq!(rename("Sale", "Order").await, 4, "{name}");
        assert_eq!(listed(&db).await, before, "{name}");
        db.execute(&TO_SALE, vec![]).await.expect("writes");
        rename("Order", "Sale").await;
        db.execute(&DELETE, vec![]).await.expect("writes");
        db.execute(&TO_ORDER, vec![]).await.expect("writes");
        assert_eq!(rename("Sale", "Order").await, 0, "{name}");
    })
    .await;
}

#[tokio::test]
async fn a_taken_codename_stops_the_renaming_of_all() {
    on_each(async |database, db| {
        Migrate::new()
            .models(shop())
            .run(&db)
            .await
            .expect("migrates");
        static CLASH: Sql = Sql::new(
            "INSERT INTO auth_permission (name, content_type_id, codename)
             SELECT 'x', id, 'view_order' FROM django_content_type WHERE model = 'book'",
        );
        db.execute(&CLASH, vec![]).await.expect("writes");
        static RENAME: Sql =
            Sql::new("UPDATE django_content_type SET model = 'order' WHERE model = 'book'");
        db.execute(&RENAME, vec![]).await.expect("writes");
        let before = listed(&db).await;
        let error = rename_permissions_after_model_rename(&db, "books", &[("Book", "Order")], &[])
            .await
            .expect_err("taken");
        assert_eq!(*error.kind(), ErrorKind::Integrity { constraint: None });
        assert!(
            error.to_string().contains("view_book to view_order"),
            "{error}"
        );
        assert_eq!(listed(&db).await, before, "{}", database.name());
    })
    .await;
}
