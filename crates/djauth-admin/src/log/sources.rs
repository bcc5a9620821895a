//! Where the entries of the log come from.
