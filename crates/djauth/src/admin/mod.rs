//! What Django's admin knows of users and groups, as data; mirrors `django.contrib.auth.admin`.
//!
//! There are no pages here: those are in the crate `djauth-admin`. [`UserAdmin`] and [`GroupAdmin`] say
//! what such pages show and in which order, and decide what Django's classes decide: who may add a user,
//! where an added one leads, which filters of the address are refused, what becomes of a password form. Both are values with Django's
//! settings as [`Default`]; where a Django project writes a subclass, change a field.
//!
//! ```
//! use djauth::admin::UserAdmin;
//!
//! let mut users = UserAdmin::default();
//! users.list_display.push("last_login");
//! assert!(!users.lookup_allowed("password__startswith"));
//! ```
//!
//! An own user model names its own fields:
//!
//! ```
//! use djauth::admin::{Fieldset, UserAdmin};
//!
//! let accounts = UserAdmin {
//!     list_display: vec!["email", "full_name"],
//!     search_fields: vec!["email", "full_name"],
//!     ordering: vec!["email"],
//!     fieldsets: vec![Fieldset::new(None, &["email", "full_name", "password"])],
//!     ..UserAdmin::default()
//! };
//! assert!(accounts.lookup_allowed("email__startswith"));
//! assert_eq!(accounts.get_urls_of("accounts.account")[1].1, "accounts_account_changelist");
//! ```

mod group;
mod lookup;
mod of_model;
mod user;

pub use group::GroupAdmin;
pub use user::{AddView, AfterAdding, PasswordForm, PasswordView, Rights, UserAdmin, UserForm};

/// The name of the field, in an address or a form, that says that the page is in a pop-up window.
pub const IS_POPUP_VAR: &str = "_popup";

/// Some fields of a form that stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fieldset {
    /// What the title is about, as an identifier: the words are the page's. `None` has no title.
    pub name: Option<&'static str>,
    /// The fields, from top to bottom.
    pub fields: Vec<&'static str>,
    /// CSS classes.
    pub classes: Vec<&'static str>,
}

impl Fieldset {
    /// Fields under a title, without a CSS class.
    pub fn new(name: Option<&'static str>, fields: &[&'static str]) -> Self {
        Self {
            name,
            fields: fields.to_vec(),
            classes: Vec::new(),
        }
    }
}
