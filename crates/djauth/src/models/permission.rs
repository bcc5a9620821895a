//! `auth.Permission`: one thing that may be done with one kind of object.

use std::fmt;

use super::table::Entity;
use crate::base_user::{Changes, Columns};
use crate::db;

/// A permission (`auth_permission`).
///
/// `content_type_id` alone is a column of its table; what the content type is called is asked with
/// [`PermissionManager`](super::PermissionManager).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// The key, made by the database; 0 until saved.
    pub id: i32,
    /// For people, at most 255 characters: `Can add user`.
    pub name: String,
    /// The kind of object.
    pub content_type_id: i32,
    /// For programs, at most 100 characters: `add_user`.
    pub codename: String,
}

impl Permission {
    /// A new, unsaved permission.
    #[must_use]
    pub fn new(content_type_id: i32, codename: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: 0,
            name: name.into(),
            content_type_id,
            codename: codename.into(),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Entity for Permission {
    type Id = i32;
    const NAME: &'static str = "permission";
    const ORDERING: &'static [&'static str] =
        &["content_type__app_label", "content_type__model", "codename"];
    const JOIN: &'static str = " INNER JOIN \"django_content_type\" \
        ON \"django_content_type\".\"id\" = \"auth_permission\".\"content_type_id\"";
    const RELATED: &'static [(&'static str, &'static str)] = &[
        (
            "content_type__app_label",
            "\"django_content_type\".\"app_label\"",
        ),
        ("content_type__model", "\"django_content_type\".\"model\""),
    ];

    fn key(&self) -> i32 {
        self.id
    }
    fn set_key(&mut self, id: i32) {
        self.id = id;
    }
    fn read_from(row: &mut Columns<'_>) -> db::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            content_type_id: row.get("content_type_id")?,
            codename: row.get("codename")?,
        })
    }
    fn write_to<'a>(&'a self, row: &mut Changes<'a>) {
        row.set("id", &self.id);
        row.set("name", &self.name);
        row.set("content_type_id", &self.content_type_id);
        row.set("codename", &self.codename);
    }
}

/// `get_permission_codename`: `<action>_<model name in lower case>`.
///
/// ```
/// assert_eq!(djauth::get_permission_codename("view", "LogEntry"), "view_logentry");
/// ```
#[must_use]
pub fn get_permission_codename(action: &str, model_name: &str) -> String {
    format!("{action}_{}", model_name.to_lowercase())
}

/// A permission's name in code, `app_label.codename`, split at its only dot.
pub(crate) fn split_perm(perm: &str) -> Option<(&str, &str)> {
    let (app_label, codename) = perm.split_once('.')?;
    (!codename.contains('.')).then_some((app_label, codename))
}
