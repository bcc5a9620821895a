//! The query of a list.
