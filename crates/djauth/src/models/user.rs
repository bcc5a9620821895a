//! The stock user, `auth.User`.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::base_user::{AbstractBaseUser, PermissionsMixin};

/// Django's stock user (`auth_user`). Log in by `username`; `createsuperuser` asks for `email` too.
#[derive(Clone, Debug, djauth_macros::BaseUser)]
#[django(app_label = "auth", REQUIRED_FIELDS("email"))]
pub struct User {
    /// The key, made by the database; 0 until saved.
    pub id: i32,
    /// Password and last login.
    pub base: AbstractBaseUser,
    /// Superuser flag; groups and permissions hang on it.
    pub permissions: PermissionsMixin,
    /// The login name: unique, at most 150 characters.
    #[django(max_length = 150, unique)]
    pub username: String,
    /// At most 150 characters.
    #[django(max_length = 150, blank)]
    pub first_name: String,
    /// At most 150 characters.
    #[django(max_length = 150, blank)]
    pub last_name: String,
    /// At most 254 characters; not unique.
    #[django(max_length = 254, blank)]
    pub email: String,
    /// May enter the admin.
    pub is_staff: bool,
    /// May log in.
    #[django(default = true)]
    pub is_active: bool,
    /// When the account was made.
    pub date_joined: DateTime<Utc>,
}

impl User {
    /// First and last name with a space between, trimmed.
    #[must_use]
    pub fn get_full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
            .trim()
            .to_owned()
    }

    /// The first name.
    #[must_use]
    pub fn get_short_name(&self) -> &str {
        &self.first_name
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.username)
    }
}
