//! `LogEntryManager`: entries written and found.

use std::collections::HashMap;

use djauth::base_user::UserId;
use djauth::contenttypes::ContentTypeManager;
use djauth::models::Q;
use djauth::{Auth, BaseUser, Error, ErrorKind};
use djauth_db::{Executor, Field, Row, Sql, Transaction, Value};

use super::{ActionFlag, ChangeMessage, Log, LogEntry, LogPage};
use crate::model::{Made, ModelInfo};

/// Rows in one statement.
const CHUNK: usize = 100;
/// Characters of an object's name that the log keeps.
const LONGEST_REPR: usize = 200;
/// Entries on a page of an object's history.
const PER_PAGE: u64 = 100;

const COLUMNS: &str = "SELECT e.id, e.action_time, e.user_id, e.content_type_id, c.app_label, c.model, \
     e.object_id, e.object_repr, e.action_flag, e.change_message FROM django_admin_log e \
     LEFT JOIN django_content_type c ON c.id = e.content_type_id";

/// What one request does to some objects.
pub(crate) struct NewEntries<'a> {
    /// Who does it.
    pub(crate) user: &'a Value<'static>,
    pub(crate) model: &'a ModelInfo,
    /// Keys and names.
    pub(crate) objects: &'a [(String, String)],
    pub(crate) flag: ActionFlag,
    pub(crate) message: ChangeMessage,
}

/// Reads and writes the log.
pub(crate) struct LogEntryManager<U: BaseUser> {
    auth: Auth<U>,
}

impl<U: BaseUser> LogEntryManager<U> {
    pub(crate) fn new(auth: &Auth<U>) -> Self {
        Self { auth: auth.clone() }
    }

    /// Writes an entry for each object: Django's `log_actions`. Everything goes through the transaction
    /// in which the objects are changed. Where the table is missing, as on a site without Django's admin,
    /// the change is made all the same, and the server's log says that it is recorded nowhere else.
    pub(crate) fn log_actions<'a>(
        &'a self,
        tx: &'a Transaction,
        new: &'a NewEntries<'a>,
    ) -> Made<'a, ()> {
        Box::pin(async move {
            if !self.auth.has_admin_log(tx).await? {
                warn_unrecorded(new);
                return Ok(());
            }
            let (app, model) = (&new.model.app_label, &new.model.model_name);
            let (content_type, _) = ContentTypeManager::get_or_create(tx, app, model).await?;
            let message = new.message.stored();
            for chunk in new.objects.chunks(CHUNK) {
                let mut params = Vec::new();
                for (key, repr) in chunk {
                    params.push(self.auth.now().into());
                    params.push(new.user.borrowed());
                    params.push(content_type.id.into());
                    params.push(key.into());
                    params.push(cut(repr).into());
                    params.push((new.flag as i64).into());
                    params.push(message.as_str().into());
                }
                tx.execute(&insert(chunk.len()), params).await?;
            }
            Ok(())
        })
    }

    /// The newest change of an object that names a field: who made it, and when.
    pub(crate) fn last_change_of<'a>(
        &'a self,
        tx: &'a Transaction,
        model: &'a ModelInfo,
        key: &'a str,
        label: &'a str,
    ) -> Made<'a, Option<(String, LogEntry)>> {
        Box::pin(async move {
            if !self.auth.has_admin_log(tx).await? {
                return Ok(None);
            }
            let sql = generated(
                "WHERE c.app_label = ? AND c.model = ? AND e.object_id = ? ORDER BY e.id DESC LIMIT 20",
            );
            let (app, model) = (&model.app_label, &model.model_name);
            let params = [app.into(), model.into(), key.into()];
            let entries = tx.fetch(&sql, &params, entry::<U>).await?;
            let quoted = format!("\"{label}\"");
            let found = entries
                .into_iter()
                .find(|entry| entry.change_message.contains(&quoted));
            let Some(entry) = found else { return Ok(None) };
            let who = match U::Id::parse(&entry.user_id) {
                Some(id) => self.auth.users().using(tx).get(id).await?,
                None => None,
            };
            Ok(who.map(|user| (user.get_username(), entry)))
        })
    }

    async fn page(&self, model: &ModelInfo, key: &str, page: u64) -> Result<LogPage, Error> {
        let count = Sql::new(
            "SELECT COUNT(*) FROM django_admin_log e INNER JOIN django_content_type c \
             ON c.id = e.content_type_id WHERE c.app_label = ? AND c.model = ? AND e.object_id = ?",
        );
        let (app, name) = (&model.app_label, &model.model_name);
        let params = [app.into(), name.into(), key.into()];
        let db = self.auth.db();
        let rows = db.fetch_optional(&count, &params, |row| row.get::<i64>(0));
        let rows = u64::try_from(rows.await?.unwrap_or_default()).unwrap_or_default();
        let pages = rows.div_ceil(PER_PAGE).max(1);
        let page = page.clamp(1, pages);
        let offset = (page - 1) * PER_PAGE;
        let sql = generated(&format!(
            "WHERE c.app_label = ? AND c.model = ? AND e.object_id = ? \
             ORDER BY e.action_time, e.id LIMIT {PER_PAGE} OFFSET {offset}"
        ));
        let entries = db.fetch(&sql, &params, entry::<U>).await?;
        let names = self.names(&entries).await?;
        Ok(LogPage {
            entries,
            names,
            page,
            pages,
        })
    }

    /// What those who made the entries are called.
    async fn names(&self, entries: &[LogEntry]) -> Result<HashMap<String, String>, Error> {
        let mut ids = Vec::new();
        for id in entries
            .iter()
            .filter_map(|entry| U::Id::parse(&entry.user_id))
        {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let keys: Vec<_> = ids.iter().map(|id| id.to_value().into_owned()).collect();
        let mut names = HashMap::new();
        let users = self.auth.users().filter(Q::in_("pk", keys));
        let each = |user: U| drop(names.insert(user.id().to_string(), user.get_username()));
        users.for_each(each).await?;
        Ok(names)
    }
}

impl<U: BaseUser> Log for LogEntryManager<U> {
    fn recent<'a>(&'a self, user: &'a Value<'static>, limit: u64) -> Made<'a, Vec<LogEntry>> {
        Box::pin(async move {
            let sql = generated(&format!(
                "WHERE e.user_id = ? ORDER BY e.id DESC LIMIT {limit}"
            ));
            let params = [user.borrowed()];
            let found = self.auth.db().fetch(&sql, &params, entry::<U>);
            found.await.map_err(Error::from).or_else(unless_missing)
        })
    }

    fn of_object<'a>(&'a self, model: &'a ModelInfo, key: &'a str, page: u64) -> Made<'a, LogPage> {
        Box::pin(async move { self.page(model, key, page).await.or_else(unless_missing) })
    }
}

/// Keys alone: names are in the rows that were changed.
fn warn_unrecorded(new: &NewEntries<'_>) {
    let keys: Vec<_> = new.objects.iter().map(|(key, _)| key).take(CHUNK).collect();
    tracing::warn!(
        target: "djauth.admin",
        model = format!("{}.{}", new.model.app_label, new.model.model_name),
        action = new.flag.name(),
        ?keys,
        count = new.objects.len(),
        "there is no table django_admin_log: a change by the admin is not recorded there"
    );
}

/// A site without Django's admin has no log to show.
fn unless_missing<T: Default>(error: Error) -> Result<T, Error> {
    match error.kind() {
        ErrorKind::Schema => Ok(T::default()),
        _ => Err(error),
    }
}

fn generated(rest: &str) -> Sql {
    Sql::generated(format!("{COLUMNS} {rest}"), None)
}

fn insert(rows: usize) -> Sql {
    let marks = vec!["(?, ?, ?, ?, ?, ?, ?)"; rows].join(", ");
    let text = format!(
        "INSERT INTO django_admin_log (action_time, user_id, content_type_id, object_id, \
         object_repr, action_flag, change_message) VALUES {marks}"
    );
    Sql::generated(text, None)
}

/// The first characters of a name.
fn cut(repr: &str) -> &str {
    let end = repr.char_indices().nth(LONGEST_REPR);
    end.map_or(repr, |(end, _)| &repr[..end])
}

fn entry<U: BaseUser>(row: &Row<'_>) -> djauth_db::Result<LogEntry> {
    let (app, model) = (row.get::<Option<String>>(4)?, row.get::<Option<String>>(5)?);
    Ok(LogEntry {
        id: row.get(0)?,
        action_time: row.get(1)?,
        user_id: row.get::<U::Id>(2)?.to_string(),
        content_type_id: row.get(3)?,
        model: app.zip(model),
        object_id: row.get(6)?,
        object_repr: row.get(7)?,
        action_flag: ActionFlag::of(row.get(8)?),
        change_message: row.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(cut("ada"), "ada");
        let long = "👩‍👩‍👧é".repeat(60);
        assert_eq!(cut(&long).chars().count(), LONGEST_REPR);
        assert!(long.starts_with(cut(&long)));
    }
}
