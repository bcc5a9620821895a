//! Pages of one object: the views of `ModelAdmin` in `django/contrib/admin/options.py`.

mod change_form;
mod delete;
mod history;
mod password;
mod response;
mod seen;

pub(crate) use self::change_form::{add_view, change_view};
pub(crate) use self::delete::delete_view;
pub(crate) use self::history::history_view;
pub(crate) use self::password::user_change_password;
pub(crate) use self::seen::{Change, Seen};
