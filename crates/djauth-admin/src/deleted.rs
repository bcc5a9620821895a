//! What a deletion takes along: `get_deleted_objects` of `django/contrib/admin/utils.py`.

/// What goes with objects that are deleted.
#[derive(Default)]
pub(crate) struct Going {}
