//! The password of a user.
