//! Where a form leads after it is saved: `response_add`, `response_change`, `response_delete`.
