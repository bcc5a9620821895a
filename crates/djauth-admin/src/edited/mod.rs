//! The tables behind the forms.

mod groups;
mod users;

pub(crate) use self::groups::Groups;
pub(crate) use self::users::Users;
