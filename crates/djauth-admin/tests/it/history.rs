//! The log of changes.
