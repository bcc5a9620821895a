//! Deleting, and what goes along.
