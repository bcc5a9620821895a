//! `auth.Group`: a named set of permissions.

use std::fmt;

use super::table::Entity;
use crate::base_user::{Changes, Columns};
use crate::db;

/// A group (`auth_group`): its members have its permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The key, made by the database; 0 until saved.
    pub id: i32,
    /// Unique, at most 150 characters.
    pub name: String,
}

impl Group {
    /// A new, unsaved group.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: 0,
            name: name.into(),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Entity for Group {
    type Id = i32;
    const NAME: &'static str = "group";

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
        })
    }
    fn write_to<'a>(&'a self, row: &mut Changes<'a>) {
        row.set("id", &self.id);
        row.set("name", &self.name);
    }
}
