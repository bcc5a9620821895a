//! Whether there is a value.
