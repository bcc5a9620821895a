//! Sessions of users.
