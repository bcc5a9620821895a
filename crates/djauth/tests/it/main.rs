//! Integration tests of djauth.

mod admin;
mod auth_backends;
mod auth_support;
mod contenttypes;
mod described_user;
mod error_pages;
mod handlers;
mod http;
mod languages;
mod layer;
mod layer_weaknesses;
mod login;
mod migrate;
mod models;
mod own_tables;
mod own_user;
mod pages;
mod password_change;
mod permissions;
mod rate_limit;
mod remote_user;
mod request_path;
mod schema;
mod tokens;
mod user_permissions;
mod weaknesses;
