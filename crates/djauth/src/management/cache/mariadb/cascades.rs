//! Rows that the server itself changes for a foreign key, of which no trigger hears.

use djauth_db::{Executor, Row, Sql};

use crate::Error;
use crate::management::cache::watched::{About, Watched};

/// A foreign key by which a change of the parent changes rows of the child.
struct Cascade {
    child: String,
    column: String,
    parent: String,
}

/// What is wrong with the foreign keys of the watched tables. Django's own have no such rules, but for those of
/// fields with `DB_CASCADE`, `DB_SET_NULL` or `DB_SET_DEFAULT`.
pub(super) async fn faults(ex: &impl Executor, watched: &[Watched]) -> Result<Vec<String>, Error> {
    let mut cascades = ex.fetch(&CASCADES, &[], Cascade::read).await?;
    cascades.retain(|cascade| cascade.is_unheard(watched));
    Ok(cascades.iter().map(Cascade::fault).collect())
}

impl Cascade {
    fn read(row: &Row<'_>) -> djauth_db::Result<Self> {
        Ok(Self {
            child: row.get(0)?,
            column: row.get(1)?,
            parent: row.get(2)?,
        })
    }

    /// The trigger of the parent, where it has one, must tell everybody or the very user whose link it is: the rows
    /// of a user that lead to another user are that other one's.
    fn is_unheard(&self, watched: &[Watched]) -> bool {
        let of = |table: &str| watched.iter().find(|watched| watched.table == table);
        let Some(child) = of(&self.child) else {
            return false;
        };
        match of(&self.parent).map(|parent| (&parent.about, parent.part)) {
            Some((About::All, _)) => false,
            Some((About::User { .. }, "user")) if child.part != "user" => match &child.about {
                About::User { column, .. } => *column != self.column,
                About::All => true,
            },
            _ => true,
        }
    }

    fn fault(&self) -> String {
        let Self {
            child,
            column,
            parent,
        } = self;
        format!(
            "the foreign key {child}.{column} lets the server itself change rows of {child} when one of {parent} goes \
             or gets another key, of which no trigger hears on MariaDB"
        )
    }
}

static CASCADES: Sql = Sql::new(
    "SELECT CAST(k.table_name AS CHAR), CAST(k.column_name AS CHAR), \
            CAST(IF(k.referenced_table_schema = DATABASE(), k.referenced_table_name, \
                    CONCAT(k.referenced_table_schema, '.', k.referenced_table_name)) AS CHAR) \
       FROM information_schema.referential_constraints r \
       JOIN information_schema.key_column_usage k \
         ON k.constraint_name = r.constraint_name AND k.table_name = r.table_name \
      WHERE r.constraint_schema = DATABASE() AND k.constraint_schema = DATABASE() \
        AND k.table_schema = DATABASE() \
        AND (r.update_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT') \
             OR r.delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT')) \
      ORDER BY k.table_name, k.column_name",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::management::UserTable;
    use crate::management::cache::watched::tables;

    #[test]
    fn only_a_parent_that_tells_the_right_users_covers_its_children() {
        let watched = tables(&UserTable::stock(), false);
        for (child, column, parent, unheard) in [
            ("auth_user", "club_id", "clubs_club", true),
            ("auth_user", "chief_id", "auth_user", true),
            ("auth_user", "first_group_id", "auth_group", false),
            ("auth_user_groups", "user_id", "auth_user", false),
            ("auth_user_groups", "given_by_id", "auth_user", true),
            ("auth_user_groups", "group_id", "auth_group", false),
            ("auth_user_groups", "group_id", "elsewhere.auth_group", true),
            ("auth_group", "owner_id", "auth_user", true),
            ("auth_group_permissions", "via_id", "auth_user_groups", true),
            (
                "auth_permission",
                "content_type_id",
                "django_content_type",
                false,
            ),
            ("clubs_visit", "user_id", "auth_user", false),
        ] {
            let cascade = Cascade {
                child: child.to_owned(),
                column: column.to_owned(),
                parent: parent.to_owned(),
            };
            assert_eq!(cascade.is_unheard(&watched), unheard, "{child}.{column}");
        }
    }
}
