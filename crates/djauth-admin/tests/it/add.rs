//! Adding users and groups.
