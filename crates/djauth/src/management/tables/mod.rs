//! The tables of Django's four apps, word for word as Django's migrations leave them on each database.

mod axes;
mod mariadb;
pub(super) mod own;
mod postgres;
mod sqlite;

use djauth_db::{Dialect, quote_name};

pub(super) use self::axes::tables as axes;
use super::App;

/// A table and the statements that make it, the one that makes the table first.
///
/// On MariaDB, where each statement stands alone, there is exactly one.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) statements: &'static [&'static str],
}

/// A table that is about to be made, with everything filled in.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) name: String,
    pub(super) statements: Vec<String>,
}

impl Made {
    fn new(name: String, statements: Vec<String>) -> Self {
        Made { name, statements }
    }

    /// A table of Django's. Its text is ours but for the names in `user`, which are quoted.
    pub(super) fn of(table: &Table, dialect: Dialect, user: Option<&UserReference>) -> Self {
        let statements = table.statements.iter().map(|statement| match user {
            Some(user) => fill(statement, dialect, table.name, user),
            None => (*statement).to_owned(),
        });
        Made::new(table.name.to_owned(), statements.collect())
    }
}

/// What the log of the admin and the table of sessions point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserReference {
    /// Quoted and escaped where it is put into a statement.
    pub(super) table: String,
    pub(super) key: String,
    /// The key's type as the database itself names it.
    pub(super) key_type: String,
}

/// `django_migrations`, which every Django database has.
pub(super) fn recorder(dialect: Dialect) -> &'static Table {
    match dialect {
        Dialect::Sqlite => &sqlite::RECORDER,
        Dialect::Postgres => &postgres::RECORDER,
        Dialect::Mysql => &mariadb::RECORDER,
    }
}

/// The counters of the login rate limit: the one table that is our own and not Django's.
pub(super) fn login_attempts(dialect: Dialect) -> &'static Table {
    match dialect {
        Dialect::Sqlite => &sqlite::LOGIN_ATTEMPTS,
        Dialect::Postgres => &postgres::LOGIN_ATTEMPTS,
        Dialect::Mysql => &mariadb::LOGIN_ATTEMPTS,
    }
}

/// Where users' sessions are from and when they were last seen: django-allauth's table.
pub(super) fn user_sessions(dialect: Dialect) -> &'static Table {
    match dialect {
        Dialect::Sqlite => &sqlite::USER_SESSIONS,
        Dialect::Postgres => &postgres::USER_SESSIONS,
        Dialect::Mysql => &mariadb::USER_SESSIONS,
    }
}

/// The tables of an app, each after those that it points at.
pub(super) fn of(
    app: App,
    dialect: Dialect,
    swapped: bool,
) -> impl Iterator<Item = &'static Table> {
    let tables: &'static [Table] = match dialect {
        Dialect::Sqlite => &sqlite::TABLES,
        Dialect::Postgres => &postgres::TABLES,
        Dialect::Mysql => &mariadb::TABLES,
    };
    tables
        .iter()
        .filter(move |table| owner(table.name) == app && !(swapped && is_stock_user(table.name)))
}

/// The app that a table belongs to.
fn owner(table: &str) -> App {
    match table {
        "django_admin_log" => App::Admin,
        "django_content_type" => App::ContentTypes,
        "django_session" => App::Sessions,
        _ => App::Auth,
    }
}

/// Tables that exist only while the user model is Django's own.
fn is_stock_user(table: &str) -> bool {
    matches!(
        table,
        "auth_user" | "auth_user_groups" | "auth_user_user_permissions"
    )
}

/// A statement with the place holders of the user's table filled in: `{user_type}`, `{user_table}`, `{user_key}`
/// and `{user_constraint}`, which is one of `table`.
fn fill(statement: &str, dialect: Dialect, table: &str, user: &UserReference) -> String {
    let mut parts = statement.split(['{', '}']);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    while let (Some(name), Some(rest)) = (parts.next(), parts.next()) {
        match name {
            "user_type" => filled.push_str(&user.key_type),
            "user_table" => filled.push_str(&quote_name(&user.table)),
            "user_key" => filled.push_str(&quote_name(&user.key)),
            _ => filled.push_str(&quote_name(&constraint_name(dialect, table, user))),
        }
        filled.push_str(rest);
    }
    filled
}

/// Django's name of the foreign key from a table's `user_id`.
fn constraint_name(dialect: Dialect, table: &str, user: &UserReference) -> String {
    let digest = own::digest(table, &["user_id"]);
    let suffix = format!("{digest}_fk_{}_{}", user.table, user.key);
    index_name(dialect, table, "user_id", suffix)
}

/// A name as Django's schema editor makes it. Where it is too long the suffix is cut to a third of the space, and
/// table and column share what is left.
fn index_name(dialect: Dialect, table: &str, columns: &str, suffix: String) -> String {
    let longest = match dialect {
        Dialect::Sqlite => 200,
        Dialect::Postgres => 63,
        Dialect::Mysql => 64,
    };
    let whole = format!("{table}_{columns}_{suffix}");
    if whole.chars().count() <= longest {
        return whole;
    }
    let cut = |name: &str, length| name.chars().take(length).collect::<String>();
    let suffix = if suffix.chars().count() > longest / 3 {
        cut(&suffix, longest / 3)
    } else {
        suffix
    };
    let share = (longest - suffix.chars().count()) / 2 - 1;
    let name = format!("{}_{}_{suffix}", cut(table, share), cut(columns, share));
    if name.starts_with(|c: char| c == '_' || c.is_numeric()) {
        let kept = name.chars().count() - 1;
        return format!("D{}", cut(&name, kept));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(table: &str) -> UserReference {
        UserReference {
            table: table.to_owned(),
            key: "id".to_owned(),
            key_type: "uuid".to_owned(),
        }
    }

    const LOG: &str = "django_admin_log";

    /// Answers of Django 6.1.
    #[test]
    fn long_constraint_names_are_cut_as_django_cuts_them() {
        for (table, name) in [
            (
                "accounts_account",
                "django_admin_log_user_id_c564eba6_fk_accounts_account_id",
            ),
            (
                "organisation_member_account",
                "django_admin_log_user_id_c564eba6_fk_organisat",
            ),
            (
                "a_very_long_application_label_with_a_user_model_of_its_own_name",
                "django_admin_log_user_id_c564eba6_fk_a_very_lo",
            ),
        ] {
            assert_eq!(constraint_name(Dialect::Postgres, LOG, &user(table)), name);
            assert_eq!(constraint_name(Dialect::Mysql, LOG, &user(table)), name);
        }
    }

    #[test]
    fn names_are_quoted_and_read_once() {
        let odd = user("a\"{user_key}");
        let filled = fill(
            "REFERENCES {user_table} ({user_key}) {user_type}",
            Dialect::Sqlite,
            LOG,
            &odd,
        );
        assert_eq!(filled, "REFERENCES \"a\"\"{user_key}\" (\"id\") uuid");
        assert_eq!(
            fill("CREATE TABLE t (id integer)", Dialect::Sqlite, LOG, &odd),
            "CREATE TABLE t (id integer)"
        );
    }

    #[test]
    fn on_mariadb_each_table_is_one_statement() {
        for table in App::ALL
            .into_iter()
            .flat_map(|app| of(app, Dialect::Mysql, false))
            .chain([
                login_attempts(Dialect::Mysql),
                user_sessions(Dialect::Mysql),
            ])
            .chain(axes(Dialect::Mysql))
        {
            assert_eq!(table.statements.len(), 1, "{}", table.name);
        }
    }
}
