//! Integration tests of djauth.

mod auth_support;
mod contenttypes;
mod http;
mod migrate;
mod models;
mod permissions;
mod schema;
