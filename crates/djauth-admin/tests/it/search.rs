//! What lists are searched for.
