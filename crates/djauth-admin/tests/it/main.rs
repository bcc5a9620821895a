//! Integration tests of djauth-admin.

mod headers;
mod login;
mod matrix;
mod messages;
mod refused;
mod registration;
mod site;
mod support;
mod templates;

// Lists.
mod actions;
mod change_list;
mod filters;
mod search;

// Forms, deletion, history.
mod add;
mod change;
mod conflicts;
mod delete;
mod forged;
mod forms;
mod history;
mod own_models;
mod password;
mod warnings;
mod weaknesses;

// Beyond Django.
mod account;
mod graphs;
mod holders;
mod log;
mod log_file;
mod other_permissions;
mod permissions;
mod sessions;
