//! Integration tests of djauth.

mod contenttypes;
mod http;
mod migrate;
mod permissions;
mod schema;
