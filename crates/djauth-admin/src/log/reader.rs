//! The statements behind the log.

use djauth::access_log::AccessLog;
use djauth::db::{Database, Dialect, ErrorKind, Executor, Row, Sql, Value, quote_name};
use djauth::{Auth, BaseUser, Error};

use super::filter::{Filter, Kind};
use super::sources::{Change, Detail, Entry, Source, Visit};
use crate::model::Made;
use crate::models::ActionFlag;

/// Reads the sources of the log, whatever the user model.
pub(crate) struct Reader {
    db: Database,
    access_log: AccessLog,
    /// Quoted: the user's table, its key, and the column of the name.
    users: [String; 3],
}

/// A condition with what is bound in it.
#[derive(Default)]
struct Where {
    parts: Vec<String>,
    params: Vec<Value<'static>>,
}

impl Where {
    fn and(&mut self, part: impl Into<String>, params: impl IntoIterator<Item = Value<'static>>) {
        self.parts.push(part.into());
        self.params.extend(params);
    }

    fn text(&self) -> String {
        match self.parts.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", self.parts.join(" AND ")),
        }
    }
}

impl Reader {
    pub(crate) fn new<U: BaseUser>(auth: &Auth<U>) -> Self {
        let meta = auth.user_meta();
        let names = [
            &*meta.db_table,
            meta.column(&meta.pk),
            meta.column(&meta.username_field),
        ];
        Self {
            db: auth.db().clone(),
            access_log: auth.access_log().clone(),
            users: names.map(|name| quote_name(name).into_owned()),
        }
    }

    /// Writes what this process has not written yet, so that it is seen.
    pub(super) async fn written(&self) {
        self.access_log.flush().await;
    }

    /// The newest entries of a source before one of its keys. A source whose table is not there has none.
    pub(super) fn read<'a>(
        &'a self,
        source: Source,
        filter: &'a Filter,
        before: Option<i64>,
        limit: usize,
    ) -> Made<'a, Vec<Entry>> {
        Box::pin(async move {
            if !source.may_hold(filter) {
                return Ok(Vec::new());
            }
            let (sql, params) = self.statement(source, filter, before, limit);
            let mut entries = Vec::new();
            let each = |row: &Row<'_>| {
                entries.push(entry(source, row)?);
                Ok(())
            };
            let read = self.db.fetch_each(&sql, &params, each).await;
            match read {
                Err(error) if *error.kind() == ErrorKind::SchemaMissing => Ok(Vec::new()),
                Err(error) => Err(Error::from(error)),
                Ok(_) => Ok(entries),
            }
        })
    }

    fn statement(
        &self,
        source: Source,
        filter: &Filter,
        before: Option<i64>,
        limit: usize,
    ) -> (Sql, Vec<Value<'static>>) {
        let mut condition = Where::default();
        if let Some(id) = before {
            condition.and("e.id < ?", [id.into()]);
        }
        let time = match source {
            Source::Changes => "e.action_time",
            Source::Logins | Source::Failures => "e.attempt_time",
        };
        if let Some(since) = filter.since {
            condition.and(format!("{time} >= ?"), [since.into()]);
        }
        if let Some(until) = filter.until {
            condition.and(format!("{time} < ?"), [until.into()]);
        }
        let from = match source {
            Source::Changes => self.changes(filter, &mut condition),
            Source::Logins => {
                self.visits("axes_accesslog", "e.logout_time", filter, &mut condition)
            }
            Source::Failures => {
                self.visits("axes_accessfailurelog", "NULL", filter, &mut condition)
            }
        };
        let condition_text = condition.text();
        let text = format!("{from} {condition_text} ORDER BY e.id DESC LIMIT {limit}");
        (Sql::generated(text, None), condition.params)
    }

    fn changes(&self, filter: &Filter, condition: &mut Where) -> String {
        let [users, key, name] = &self.users;
        if let Some(who) = &filter.who {
            let part = format!("e.user_id IN (SELECT {key} FROM {users} WHERE {name} = ?)");
            condition.and(part, [who.clone().into()]);
        }
        if let Some(flag) = filter.action {
            condition.and("e.action_flag = ?", [(flag as i64).into()]);
        }
        if let Some((app, model)) = &filter.model {
            condition.and(
                "e.content_type_id IN (SELECT id FROM django_content_type WHERE app_label = ? AND model = ?)",
                [app.clone().into(), model.clone().into()],
            );
        }
        if let Some(object) = &filter.object {
            condition.and(
                "(e.object_id = ? OR UPPER(e.object_repr) LIKE UPPER(?) ESCAPE '!')",
                [object.clone().into(), containing(object).into()],
            );
        }
        format!(
            "SELECT e.id, e.action_time, u.{name}, c.app_label, c.model, e.object_id, e.object_repr, \
             e.action_flag, e.change_message FROM django_admin_log e \
             LEFT JOIN django_content_type c ON c.id = e.content_type_id \
             LEFT JOIN {users} u ON u.{key} = e.user_id"
        )
    }

    fn visits(&self, table: &str, ended: &str, filter: &Filter, condition: &mut Where) -> String {
        // An `inet` shows its mask as text, and takes no text by itself.
        let (shown, bound) = match self.db.dialect() {
            Dialect::Postgres => ("host(e.ip_address)", "CAST(CAST(? AS text) AS inet)"),
            Dialect::Sqlite | Dialect::Mysql => ("e.ip_address", "?"),
        };
        if let Some(who) = &filter.who {
            condition.and("e.username = ?", [who.clone().into()]);
        }
        if let Some(ip) = filter.ip {
            condition.and(format!("e.ip_address = {bound}"), [ip.to_string().into()]);
        }
        if filter.kind == Some(Kind::Logout) {
            condition.and(format!("{ended} IS NOT NULL"), []);
        }
        format!(
            "SELECT e.id, e.attempt_time, e.username, {shown}, e.user_agent, e.path_info, {ended} FROM {table} e"
        )
    }
}

/// The pattern of texts with this in them.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn entry(source: Source, row: &Row<'_>) -> djauth::db::Result<Entry> {
    let detail = match source {
        Source::Changes => Detail::Change(change(row)?),
        Source::Logins => Detail::Login(visit(row)?),
        Source::Failures => Detail::Failure(visit(row)?),
    };
    Ok(Entry {
        id: row.get(0)?,
        at: row.get(1)?,
        who: row.get(2)?,
        detail,
    })
}

fn change(row: &Row<'_>) -> djauth::db::Result<Change> {
    let (app, model) = (row.get::<Option<String>>(3)?, row.get::<Option<String>>(4)?);
    Ok(Change {
        model: app.zip(model),
        object_id: row.get(5)?,
        object_repr: row.get(6)?,
        flag: ActionFlag::of(row.get(7)?),
        message: row.get(8)?,
    })
}

fn visit(row: &Row<'_>) -> djauth::db::Result<Visit> {
    Ok(Visit {
        ip: row.get(3)?,
        user_agent: row.get(4)?,
        path: row.get(5)?,
        ended: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_hold_no_jokers_of_the_visitor() {
        assert_eq!(containing("50%_!x"), "%50!%!_!!x%");
    }
}
