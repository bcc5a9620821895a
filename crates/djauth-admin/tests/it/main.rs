//! Integration tests of djauth-admin.

mod matrix;
mod messages;
mod site;
mod support;
mod templates;

// Lists.
// Forms, deletion, history.
// Beyond Django.
