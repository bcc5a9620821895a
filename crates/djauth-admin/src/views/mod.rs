//! The list of a model: `django/contrib/admin/views/main.py`.

mod count;
mod headers;
mod main;
mod paging;
mod params;
mod rows;

pub(crate) use self::main::changelist_view;
