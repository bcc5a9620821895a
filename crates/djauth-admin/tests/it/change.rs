//! Changing users and groups.
