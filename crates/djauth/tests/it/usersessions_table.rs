//! A user's sessions where the table for them is not there, or refuses.

use djauth::Auth;

use crate::auth_support::{on_each_auth, settings};
use crate::usersessions::{FIREFOX, is_logged_in, log_in, request, rows, script, user};

/// Neither a table that is gone nor one that refuses keeps anybody out.
#[tokio::test]
async fn a_row_that_cannot_be_written_fails_no_login() {
    on_each_auth(async |database, auth, _| {
        let ann = user(&auth, "ann").await;
        let key = log_in(&auth, &ann, None).await;
        script(
            &auth,
            "ALTER TABLE usersessions_usersession RENAME TO elsewhere",
        )
        .await;
        let second = log_in(&auth, &ann, None).await;
        assert!(is_logged_in(&auth, &second).await, "{}", database.name());
        let here = request(&auth, Some(&key), FIREFOX);
        auth.update_session_auth_hash(&here, &ann)
            .await
            .expect("goes on");
        auth.logout(&here).await.expect("logs out");
        assert!(
            auth.user_sessions().list(&ann, 10).await.is_err(),
            "it was there"
        );
    })
    .await;
}

/// Beside a Django without allauth there is nothing to write to, and nothing that complains.
#[tokio::test]
async fn without_the_table_there_are_no_rows() {
    on_each_auth(async |database, auth, _| {
        script(&auth, "DROP TABLE usersessions_usersession").await;
        let ann = user(&auth, "ann").await;
        let key = log_in(&auth, &ann, None).await;
        let sessions = auth.user_sessions();
        assert!(
            !sessions.is_available().await.expect("answers"),
            "{}",
            database.name()
        );
        assert!(sessions.list(&ann, 10).await.expect("lists").is_empty());
        assert_eq!(sessions.end_all(&ann).await.expect("ends none"), 0);
        assert_eq!(sessions.purge().await.expect("purges none"), 0);
        assert_eq!(sessions.write_last_seen().await.expect("writes none"), 0);
        assert!(is_logged_in(&auth, &key).await);
        auth.users().delete(&ann).await.expect("is deleted");
    })
    .await;
}

/// Not every login asks for it: whoever runs on finds it within a minute, whoever starts at once.
#[tokio::test]
async fn that_there_is_no_table_is_remembered_for_a_while() {
    on_each_auth(async |database, auth, clock| {
        script(
            &auth,
            "ALTER TABLE usersessions_usersession RENAME TO put_away",
        )
        .await;
        let ann = user(&auth, "ann").await;
        log_in(&auth, &ann, None).await;
        script(
            &auth,
            "ALTER TABLE put_away RENAME TO usersessions_usersession",
        )
        .await;
        log_in(&auth, &ann, None).await;
        assert_eq!(rows(&auth).await, [], "{}", database.name());
        // A page that asks for sessions finds it, and logins do from then on.
        let sessions = auth.user_sessions().list(&ann, 10).await;
        assert!(sessions.expect("lists").is_empty());
        let found = log_in(&auth, &ann, None).await;
        assert_eq!(rows(&auth).await, [(found, ann.id)]);
        script(&auth, "DELETE FROM usersessions_usersession").await;
        let builder = Auth::builder(settings()).clock(clock.clone());
        let other: Auth = builder.connect(database.url()).await.expect("connects");
        let key = log_in(&other, &ann, None).await;
        assert_eq!(rows(&auth).await, [(key.clone(), ann.id)]);
        other.db().close().await;
        // Tables that are made here are looked for at once.
        auth.migrate().await.expect("migrates");
        let next = log_in(&auth, &ann, None).await;
        assert_eq!(rows(&auth).await, [(key, ann.id), (next, ann.id)]);
    })
    .await;
}
