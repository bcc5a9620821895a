//! The list of a model: `django/contrib/admin/views/main.py`.

mod asked;
mod count;
mod headers;
mod main;
mod paging;
mod params;
mod rows;

pub(crate) use self::asked::Asked;
pub(crate) use self::count::count_text;
pub(crate) use self::main::{changelist_view, page_values};
pub(crate) use self::paging::{cursor, place};
pub(crate) use self::params::Params;
