//! The statements of the request path, one for each number of permissions asked for.

use crate::base_user::BaseUser;
use crate::db::{Dialect, Sql};
use crate::models::model::Model;

/// Statements with and without the session, for 0 to [`Statements::MOST_PERMS`] permissions. Marks, in
/// order: for each permission twice (directly, through groups) the user's key, the application and the
/// codename (both twice on MariaDB); with the token the user's subject; then the user's key; with the
/// session its key (twice on MariaDB) and the time. Columns: with the session its data and end; the
/// answers; the user's; the token's.
pub(crate) struct Statements {
    standard: Vec<Pair>,
    mysql: Vec<Pair>,
}

struct Pair {
    with_session: Tokened,
    without_session: Tokened,
}

/// A statement, and the same with the columns of the server's token at the end.
struct Tokened {
    plain: Sql,
    token: Sql,
}

impl Tokened {
    /// What stands before and after the columns of the token.
    fn new(columns: &str, rest: &str) -> Self {
        let token = super::cache::TOKEN_COLUMNS;
        Self {
            plain: Sql::generated(format!("{columns} {rest}"), None),
            token: Sql::generated(format!("{columns}, {token} {rest}"), None),
        }
    }

    fn get(&self, token: bool) -> &Sql {
        if token { &self.token } else { &self.plain }
    }
}

impl Statements {
    /// With more permissions than this the steps are taken one by one.
    pub(crate) const MOST_PERMS: usize = 4;

    pub(crate) fn new<U: BaseUser>(model: &Model<U>) -> Self {
        let all = |mysql| {
            (0..=Self::MOST_PERMS)
                .map(|n| Pair::new(model, n, mysql))
                .collect()
        };
        Self {
            standard: all(false),
            mysql: all(true),
        }
    }

    pub(crate) fn with_session(&self, perms: usize, dialect: Dialect, token: bool) -> &Sql {
        self.of(dialect)[perms].with_session.get(token)
    }

    pub(crate) fn without_session(&self, perms: usize, dialect: Dialect, token: bool) -> &Sql {
        self.of(dialect)[perms].without_session.get(token)
    }

    fn of(&self, dialect: Dialect) -> &[Pair] {
        match dialect {
            Dialect::Mysql => &self.mysql,
            _ => &self.standard,
        }
    }
}

impl Pair {
    fn new<U: BaseUser>(model: &Model<U>, perms: usize, mysql: bool) -> Self {
        let (users, list) = (&model.users.name, &model.users.list);
        let id = model.users.id_column();
        // As permissions: the collation may take another key for this one.
        let exactly = if mysql {
            " AND CAST(\"django_session\".\"session_key\" AS BINARY) = CAST(? AS BINARY)"
        } else {
            ""
        };
        let answers = answer(model, mysql).map(|text| format!("{text}, ").repeat(perms));
        let answers = answers.unwrap_or_default();
        Self {
            with_session: Tokened::new(
                &format!(
                    "SELECT \"django_session\".\"session_data\", \"django_session\".\"expire_date\", \
                     {answers}{list}"
                ),
                &format!(
                    "FROM \"django_session\" LEFT OUTER JOIN {users} ON {users}.{id} = ? \
                     WHERE \"django_session\".\"session_key\" = ?{exactly} \
                     AND \"django_session\".\"expire_date\" > ?"
                ),
            ),
            without_session: Tokened::new(
                &format!("SELECT {answers}{list}"),
                &format!("FROM {users} WHERE {users}.{id} = ?"),
            ),
        }
    }
}

/// Whether one user has one permission, directly or through a group.
fn answer<U: BaseUser>(model: &Model<U>, mysql: bool) -> Option<String> {
    let links = model.links.as_ref()?;
    let names = crate::models::model::PERMISSION_NAMES;
    let mut which = "\"django_content_type\".\"app_label\" = ? \
                     AND \"auth_permission\".\"codename\" = ?"
        .to_owned();
    if mysql {
        // The collation may take `VIEW_user` for `view_user`: permissions are compared byte by byte.
        which.push_str(
            " AND CAST(\"django_content_type\".\"app_label\" AS BINARY) = CAST(? AS BINARY) \
             AND CAST(\"auth_permission\".\"codename\" AS BINARY) = CAST(? AS BINARY)",
        );
    }
    let (direct, groups) = (links.user_permissions.of_user(), links.groups.of_groups());
    Some(format!(
        "(EXISTS ({names}{direct} AND {which}) OR EXISTS ({names}{groups} AND {which}))"
    ))
}
