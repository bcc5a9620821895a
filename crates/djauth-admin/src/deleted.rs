//! What a deletion takes along: `get_deleted_objects` of `django/contrib/admin/utils.py`.

use minijinja::Value;

use crate::request::AdminRequest;

/// What goes with objects that are deleted.
#[derive(Default)]
pub(crate) struct Going {}

impl Going {
    /// For `admin/includes/object_delete_summary.html`.
    pub(crate) fn value(&self, _: &AdminRequest) -> Value {
        Value::UNDEFINED
    }
}
