//! Rows as the list shows them.
