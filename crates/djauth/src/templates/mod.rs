//! Templates: built in, overridable by a directory.
