//! The tables whose changes matter.

use djauth_db::quote_name;
use sha2::{Digest, Sha256};

use crate::management::UserTable;

/// A table with triggers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watched {
    /// Names the triggers and functions: a word of ours.
    pub(super) part: &'static str,
    pub(super) table: String,
    /// Whom a row is about.
    pub(super) about: About,
    /// Whether a new row changes anything. A new user does not: nobody has asked for him before, and the one who
    /// had his key was deleted.
    pub(super) inserts: bool,
}

/// Whom a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The user whose key is in this column.
    User { column: String, uuid: bool },
    /// Everybody.
    All,
}

/// The tables behind a user of this model: his own row and links, and what all users share. A model without
/// permissions has nothing but its own table.
pub(super) fn tables(user: &UserTable, uuid: bool) -> Vec<Watched> {
    let about = |column: &str| About::User {
        column: column.to_owned(),
        uuid,
    };
    let mut watched = vec![Watched {
        part: "user",
        table: user.table.clone(),
        about: about(&user.key),
        inserts: false,
    }];
    let links = [
        ("groups", &user.groups_table, &user.groups_columns[0]),
        (
            "permissions",
            &user.permissions_table,
            &user.permissions_columns[0],
        ),
    ];
    for (part, table, column) in links {
        watched.extend(table.as_ref().map(|table| Watched {
            part,
            table: table.clone(),
            about: about(column),
            inserts: true,
        }));
    }
    if watched.len() > 1 {
        watched.extend(SHARED.map(|(part, table)| Watched {
            part,
            table: table.to_owned(),
            about: About::All,
            inserts: true,
        }));
    }
    watched
}

/// Which tables these are and whom their rows are about, in 32 bits.
pub(super) fn fingerprint(watched: &[Watched]) -> u32 {
    let mut hash = Sha256::new();
    for Watched {
        part,
        table,
        about,
        inserts,
    } in watched
    {
        let about = match about {
            About::User { column, uuid } => format!("{column}\0{uuid}"),
            About::All => "all".to_owned(),
        };
        hash.update(format!("{part}\0{table}\0{about}\0{inserts}\0"));
    }
    let hash: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, ..] = hash;
    u32::from_be_bytes([a, b, c, d])
}

const SHARED: [(&str, &str); 4] = [
    ("group", "auth_group"),
    ("group_permissions", "auth_group_permissions"),
    ("permission", "auth_permission"),
    ("content_type", "django_content_type"),
];

impl About {
    /// The column in the row `OLD` or `NEW`, quoted.
    pub(super) fn column_of(&self, row: &str) -> Option<String> {
        match self {
            Self::User { column, .. } => Some(format!("{row}.{}", quote_name(column))),
            Self::All => None,
        }
    }

    pub(super) fn has_uuid(&self) -> bool {
        matches!(self, Self::User { uuid: true, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_without_permissions_is_its_table_alone() {
        let plain = UserTable::own("clubs", "member").without_permissions();
        let names = |user: &UserTable| -> Vec<_> {
            let tables = tables(user, false).into_iter();
            tables.map(|watched| watched.table).collect()
        };
        assert_eq!(names(&plain), ["clubs_member"]);
        assert_eq!(names(&UserTable::stock()).len(), 7);
    }

    #[test]
    fn each_model_has_another_fingerprint() {
        let of = |user: &UserTable, uuid| fingerprint(&tables(user, uuid));
        let stock = UserTable::stock();
        let others = [
            of(&stock.clone().without_permissions(), false),
            of(&stock, true),
            of(&stock.clone().key("number"), false),
            of(&UserTable::own("clubs", "member"), false),
        ];
        let ours = of(&UserTable::stock(), false);
        assert!(others.iter().all(|other| *other != ours), "{others:?}");
        // It is in databases: it stays the same.
        assert_eq!(ours, 0x8b73_0371);
    }
}
