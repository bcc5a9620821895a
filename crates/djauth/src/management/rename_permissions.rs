//! Renaming permissions after their model was renamed; new in Django 6.1.

use std::collections::HashMap;

use djauth_db::{Executor, Sql};

use super::ModelMeta;
use super::model_meta::DEFAULT_PERMISSIONS;
use crate::{Error, ErrorKind};

/// Gives the automatic permissions of renamed models their new codenames and names, and answers the pairs (old
/// codename, new codename): Django's `rename_permissions_after_model_rename`.
///
/// `renames` are the models of one app as (old name, new name) in the order in which they were renamed; a model that
/// was renamed several times is followed from its first name to its last. To undo renames, give them backwards. The
/// content types must carry their new names already, and `models` must describe the models as they are now. A model
/// without a content type is skipped; permissions of the model's own are not renamed. Run it before
/// [`create_permissions`](fn@super::create_permissions), which would otherwise add the new ones beside the old.
///
/// # Errors
/// Kind `Integrity` when a new codename is there already: then nothing is renamed, and the text says which. And when
/// the database fails.
pub async fn rename_permissions_after_model_rename(
    ex: &impl Executor,
    app_label: &str,
    renames: &[(&str, &str)],
    models: &[ModelMeta],
) -> Result<Vec<(String, String)>, Error> {
    let transaction = ex.begin().await?;
    let mut planned = Vec::new();
    let mut conflicts = Vec::new();
    for (old, new) in collapse(renames) {
        let existing = permissions_of(&transaction, app_label, &new.to_lowercase()).await?;
        for change in changes(app_label, &old, &new, models) {
            let Some(id) = existing.get(&change.from) else {
                continue;
            };
            match existing.get(&change.to) {
                Some(other) if other != id => {
                    conflicts.push(format!("{} to {}", change.from, change.to));
                }
                _ => planned.push((*id, change)),
            }
        }
    }
    if !conflicts.is_empty() {
        let text = format!(
            "permissions of the app {app_label} cannot be renamed, because the new codenames are taken: {}; remove \
             or rename one of each pair by hand",
            conflicts.join(", ")
        );
        return Err(Error::new(ErrorKind::Integrity { constraint: None }, text));
    }
    for (id, change) in &planned {
        let values = vec![
            change.to.as_str().into(),
            change.name.as_str().into(),
            (*id).into(),
        ];
        transaction.execute(&RENAME, values).await?;
    }
    transaction.commit().await?;
    Ok(planned
        .into_iter()
        .map(|(_, change)| (change.from, change.to))
        .collect())
}

static OF_MODEL: Sql = Sql::new(
    "SELECT p.codename, p.id FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id
      WHERE c.app_label = ? AND c.model = ?",
);
static RENAME: Sql = Sql::new("UPDATE auth_permission SET codename = ?, name = ? WHERE id = ?");

/// Ids of a model's permissions by codename.
async fn permissions_of(
    ex: &impl Executor,
    app_label: &str,
    model: &str,
) -> Result<HashMap<String, i64>, Error> {
    let rows = ex
        .fetch(&OF_MODEL, &[app_label.into(), model.into()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .await?;
    Ok(rows.into_iter().collect())
}

/// One rename for each model: its first name in lower case, and its last as written.
fn collapse(renames: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut collapsed: Vec<(String, String)> = Vec::new();
    for (old, new) in renames {
        let earlier = collapsed
            .iter()
            .position(|(_, last)| last.to_lowercase() == old.to_lowercase());
        let first = earlier.map_or_else(|| old.to_lowercase(), |at| collapsed.remove(at).0);
        collapsed.retain(|(_, last)| last.to_lowercase() != new.to_lowercase());
        collapsed.push((first, (*new).to_owned()));
    }
    collapsed
}

struct Change {
    from: String,
    to: String,
    name: String,
}

/// The renames of a model's automatic permissions. A model that is not described has Django's four, and its name as
/// it was written.
fn changes(app_label: &str, old: &str, new: &str, models: &[ModelMeta]) -> Vec<Change> {
    let lower = new.to_lowercase();
    let model = models
        .iter()
        .find(|model| model.app_label == app_label && model.model_name == lower);
    let (actions, verbose): (Vec<&str>, &str) = match model {
        Some(model) => (
            model
                .default_permissions
                .iter()
                .map(AsRef::as_ref)
                .collect(),
            &model.verbose_name,
        ),
        None => (DEFAULT_PERMISSIONS.to_vec(), new),
    };
    let change = |action: &str| Change {
        from: format!("{action}_{old}"),
        to: format!("{action}_{lower}"),
        name: format!("Can {action} {verbose}"),
    };
    actions.into_iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collapsed(renames: &[(&str, &str)]) -> Vec<(String, String)> {
        collapse(renames)
    }

    fn pair(old: &str, new: &str) -> (String, String) {
        (old.to_owned(), new.to_owned())
    }

    #[test]
    fn chains_are_followed_to_their_end() {
        assert_eq!(
            collapsed(&[("Apple", "Berry"), ("Berry", "CherryTree")]),
            [pair("apple", "CherryTree")]
        );
        assert_eq!(
            collapsed(&[("Apple", "Spare"), ("Berry", "Apple"), ("Spare", "Berry")]),
            [pair("berry", "Apple"), pair("apple", "Berry")]
        );
    }

    #[test]
    fn undescribed_models_keep_their_name_as_written() {
        let changes = changes("shop", "item", "BigItem", &[]);
        assert_eq!(changes.len(), 4);
        assert_eq!(changes[0].from, "add_item");
        assert_eq!(changes[0].to, "add_bigitem");
        assert_eq!(changes[0].name, "Can add BigItem");
    }
}
