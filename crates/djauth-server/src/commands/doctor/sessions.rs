//! Sessions: were they made with the key, the engine and the backends of the settings?

use std::collections::BTreeSet;

use djauth::db::{Executor, Sql, Value};
use djauth::{Auth, BACKEND_SESSION_KEY, BaseUser, SecretKeys};
use djauth_sessions::{EngineKind, SESSION_SALT};
use djauth_signing::signing::TimestampSigner;

use super::Found;
use super::report::Report;

/// So many sessions are followed to their users, each by a statement of its own.
const FOLLOWED: usize = 200;

/// How many sessions are how.
#[derive(Default)]
struct Counts {
    seen: u64,
    by_fallback: u64,
    unreadable: u64,
    /// The newest that name a user and a backend of the settings.
    followed: Vec<String>,
    /// Backends that the settings do not name.
    foreign: BTreeSet<String>,
}

pub(super) async fn examine<U: BaseUser>(auth: &Auth<U>, limit: u64, report: &mut Report) -> Found {
    let kind = auth.sessions().kind();
    if !kind.needs_database() {
        return elsewhere(auth, kind, report).await;
    }
    let counts = read(auth, limit).await?;
    if counts.seen == 0 {
        let text = format!("none is in django_session; is {kind} the site's SESSION_ENGINE?");
        report.warn("sessions", text);
        return Ok(());
    }
    tell(&counts, report);
    follow(auth, &counts.followed, report).await
}

/// Engines whose sessions cannot be listed.
async fn elsewhere<U: BaseUser>(auth: &Auth<U>, kind: EngineKind, report: &mut Report) -> Found {
    auth.sessions().ping().await?;
    report.good(
        "sessions",
        format!("kept by the engine {kind}, which cannot be listed"),
    );
    Ok(())
}

async fn read<U: BaseUser>(auth: &Auth<U>, limit: u64) -> Result<Counts, djauth::Error> {
    let text = format!(
        "SELECT session_key, session_data FROM django_session WHERE expire_date > ? \
         ORDER BY expire_date DESC LIMIT {limit}"
    );
    let keys = auth.secret_keys();
    let all = TimestampSigner::with_salt(keys, SESSION_SALT);
    let primary = SecretKeys::new(auth.settings().secret_key.clone());
    let primary = TimestampSigner::with_salt(&primary, SESSION_SALT);
    let backends: BTreeSet<&str> = auth.backend_paths().collect();
    let clock = &**auth.clock();
    let mut counts = Counts::default();
    let sql = Sql::generated(text, None);
    let now = [Value::Timestamp(auth.now())];
    let reading = auth.db().fetch_each(&sql, &now, |row| {
        let (key, data) = (row.get::<String>(0)?, row.get::<String>(1)?);
        counts.seen += 1;
        if all.unsign_bytes(&data, None, clock).is_err() {
            counts.unreadable += 1;
            return Ok(());
        }
        if primary.unsign_bytes(&data, None, clock).is_err() {
            counts.by_fallback += 1;
        }
        let data = auth.sessions().config().decode(&data);
        match data.get_str(BACKEND_SESSION_KEY) {
            Some(path) if !backends.contains(&*path) => {
                counts.foreign.insert(path.into_owned());
            }
            Some(_) if counts.followed.len() < FOLLOWED => counts.followed.push(key),
            Some(_) | None => {}
        }
        Ok(())
    });
    reading.await?;
    Ok(counts)
}

fn tell(counts: &Counts, report: &mut Report) {
    let (topic, seen) = ("sessions", counts.seen);
    let readable = seen - counts.unreadable;
    match counts.unreadable {
        0 => report.good(
            topic,
            format!("all of {seen} carry a signature of SECRET_KEY or a fallback"),
        ),
        all if all == seen => {
            let text = "carries a signature of SECRET_KEY or SECRET_KEY_FALLBACKS: the key is not the site's";
            report.wrong(topic, format!("none of {seen} {text}"));
        }
        some => {
            let text = "the others were signed with a key that is not in the settings";
            report.warn(
                topic,
                format!("{readable} of {seen} can be read; {text} ({some})"),
            );
        }
    }
    if counts.by_fallback > 0 {
        let text = "were signed with one of SECRET_KEY_FALLBACKS, and need it until they end or are renewed";
        report.good(topic, format!("{} {text}", counts.by_fallback));
    }
    if !counts.foreign.is_empty() {
        let paths: Vec<_> = counts
            .foreign
            .iter()
            .take(5)
            .map(|path| format!("{path:?}"))
            .collect();
        let text = "which AUTHENTICATION_BACKENDS does not: these sessions are of nobody here";
        report.wrong(topic, format!("some name {}, {text}", paths.join(", ")));
    }
}

/// Whether the users of sessions would be recognised.
async fn follow<U: BaseUser>(auth: &Auth<U>, keys: &[String], report: &mut Report) -> Found {
    let mut recognised = 0;
    for key in keys {
        let session = auth.sessions().open(Some(key));
        if auth.verify(&session, &[]).await?.is_some() {
            recognised += 1;
        }
    }
    let (all, text) = (
        keys.len(),
        "of the newest with a user are still their user's",
    );
    match recognised {
        _ if all == 0 => {}
        0 => {
            let why = "SECRET_KEY, the user table or the stored passwords are not the site's";
            report.wrong("sessions", format!("0 of {all} {text}: {why}"));
        }
        some => report.good("sessions", format!("{some} of {all} {text}")),
    }
    Ok(())
}
