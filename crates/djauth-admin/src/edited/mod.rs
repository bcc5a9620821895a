//! The tables behind the forms.

mod fields;
mod groups;
mod passwords;
mod superusers;
mod users;

pub(crate) use self::groups::Groups;
pub(crate) use self::users::Users;
