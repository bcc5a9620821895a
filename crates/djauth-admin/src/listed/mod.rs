//! The tables behind the lists.

mod groups;
mod pages;
mod users;

pub(crate) use self::groups::Groups;
pub(crate) use self::pages::{COUNT_LIMIT, Estimate, started};
pub(crate) use self::users::Users;
