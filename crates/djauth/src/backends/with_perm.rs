//! What `with_perm` is asked.

use std::fmt;

use super::Object;
use crate::Error;
use crate::models::{Permission, split_perm};

/// "Which users have this permission?"
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct WithPerm<'a> {
    /// The permission.
    pub perm: Perm<'a>,
    /// Only active users, only inactive ones, or both (`None`).
    pub is_active: Option<bool>,
    /// Whether superusers count as having it.
    pub include_superusers: bool,
    /// The object that it is asked for; the built-in backends know none and answer nobody.
    pub obj: Option<&'a Object>,
}

/// A permission by name or by row.
#[derive(Clone, Copy, Debug)]
pub enum Perm<'a> {
    /// `app_label.codename`.
    Name(&'a str),
    /// A row's key.
    Row(i32),
}

impl<'a> WithPerm<'a> {
    /// Active users and superusers with this permission, `app_label.codename`: Django's defaults.
    #[must_use]
    pub const fn named(perm: &'a str) -> Self {
        Self::of(Perm::Name(perm))
    }

    /// The same for a row.
    #[must_use]
    pub const fn row(permission: &Permission) -> Self {
        Self::of(Perm::Row(permission.id))
    }

    const fn of(perm: Perm<'a>) -> Self {
        Self {
            perm,
            is_active: Some(true),
            include_superusers: true,
            obj: None,
        }
    }

    /// Only active users, only inactive ones, or both.
    #[must_use]
    pub const fn is_active(mut self, active: Option<bool>) -> Self {
        self.is_active = active;
        self
    }

    /// Whether superusers count as having it.
    #[must_use]
    pub const fn include_superusers(mut self, include: bool) -> Self {
        self.include_superusers = include;
        self
    }

    /// Asks for one object.
    #[must_use]
    pub const fn obj(mut self, obj: &'a Object) -> Self {
        self.obj = Some(obj);
        self
    }

    /// A name has exactly one dot.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.perm {
            Perm::Name(name) if split_perm(name).is_none() => Err(Error::value(
                "a permission is named app_label.codename, with one dot",
            )),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for WithPerm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithPerm")
            .field("perm", &self.perm)
            .field("is_active", &self.is_active)
            .field("include_superusers", &self.include_superusers)
            .field("obj", &self.obj.is_some())
            .finish()
    }
}
