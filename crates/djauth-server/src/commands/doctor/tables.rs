//! The tables, and the rows that every Django database has.

use djauth::management::CacheStatus;
use djauth::{Auth, BaseUser};

use super::Found;
use super::report::Report;

/// Whether the tables are those of Django 4.2 to 6.1, the user model's among them.
pub(super) async fn schema<U: BaseUser>(auth: &Auth<U>, report: &mut Report) -> bool {
    match auth.check().await {
        Ok(()) => {
            let table = auth.user_table().table;
            report.good(
                "schema",
                format!("that of Django 4.2 to 6.1, users in {table}"),
            );
            true
        }
        Err(error) => {
            report.wrong("schema", error.to_string());
            false
        }
    }
}

/// Content types and permissions of Django's apps and of the settings.
pub(super) async fn rows<U: BaseUser>(auth: &Auth<U>, report: &mut Report) -> Found {
    let missing = auth.missing_permissions().await?;
    if missing.is_empty() {
        report.good(
            "permissions",
            "none of Django's apps or of PERMISSIONS is missing",
        );
        return Ok(());
    }
    let types = missing.content_types.iter();
    let types = types.map(|(app, model)| format!("{app}.{model}"));
    let names = missing.permissions.iter();
    let names = names.map(|(app, codename, _)| format!("{app}.{codename}"));
    let all: Vec<_> = types.chain(names).collect();
    let shown = all
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let more = if all.len() > SHOWN { ", …" } else { "" };
    let text = format!("{} missing ({shown}{more}): migrate adds them", all.len());
    report.warn("permissions", text);
    Ok(())
}

/// The triggers behind the cache of authenticated requests.
pub(super) async fn cache_triggers<U: BaseUser>(auth: &Auth<U>, report: &mut Report) -> Found {
    match auth.cache_triggers().status(auth.db()).await? {
        CacheStatus::NotNeeded => report.good("cache", "SQLite needs no triggers for it"),
        CacheStatus::Installed => report.good("cache", "every trigger is there and enabled"),
        CacheStatus::Faulty(faults) => {
            // An answer may be older than the database.
            faults.iter().for_each(|fault| report.wrong("cache", fault));
        }
        _ => report.good("cache", "not installed: every request asks the database"),
    }
    Ok(())
}

/// So many names are shown at most.
const SHOWN: usize = 5;
