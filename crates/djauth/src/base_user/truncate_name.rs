//! Names that are too long for a database: `django.db.backends.utils.truncate_name`.

use md5::{Digest, Md5};

use crate::db::Dialect;

/// The hexadecimal digits that end a shortened name.
const HASH_LENGTH: usize = 4;

/// The name as Django gives it to a table: what is longer than the database takes is cut, and ends with a
/// hash of the whole.
pub(crate) fn truncate_name(name: String, dialect: Dialect) -> String {
    let Some(limit) = max_name_length(dialect).filter(|limit| name.chars().count() > *limit) else {
        return name;
    };
    let kept: String = name.chars().take(limit - HASH_LENGTH).collect();
    format!("{kept}{}", names_digest(&name))
}

/// `connection.ops.max_name_length()`, in characters.
fn max_name_length(dialect: Dialect) -> Option<usize> {
    match dialect {
        Dialect::Sqlite => None,
        Dialect::Postgres => Some(63),
        Dialect::Mysql => Some(64),
    }
}

fn names_digest(name: &str) -> String {
    let digest = Md5::digest(name);
    digest[..HASH_LENGTH / 2]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Django 6.1: `truncate_name(name, length)` for names of 63, 64, 65 and more characters.
    #[test]
    fn names_are_shortened_as_by_django() {
        for (name, postgres, mysql) in [
            (
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ),
            (
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0b64",
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            ),
            (
                "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
                "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccbc1f",
                "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccbc1f",
            ),
            (
                "accounts_accountaccountaccountaccountaccountaccountaccountaccount_groups",
                "accounts_accountaccountaccountaccountaccountaccountaccountad3e6",
                "accounts_accountaccountaccountaccountaccountaccountaccountacd3e6",
            ),
            (
                "accounts_accountaccountaccountaccountaccountaccountaccountaccount_user_permissions",
                "accounts_accountaccountaccountaccountaccountaccountaccountafebc",
                "accounts_accountaccountaccountaccountaccountaccountaccountacfebc",
            ),
            (
                "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé",
                "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé1a48",
                "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé1a48",
            ),
        ] {
            let made = |dialect| truncate_name(name.to_owned(), dialect);
            assert_eq!(made(Dialect::Sqlite), name);
            assert_eq!(made(Dialect::Postgres), postgres);
            assert_eq!(made(Dialect::Mysql), mysql);
        }
    }
}
