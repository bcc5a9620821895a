//! When.
