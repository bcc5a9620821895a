#![doc = include_str!("docs/front.md")]
#![forbid(unsafe_code)]

mod model;
mod quote;
mod request;
pub mod sites;
mod templates;

pub mod messages;

// Lists.
mod actions;
mod filters;
mod listed;
mod lookups;
mod search;
mod views;

// Forms, deletion, history, the log of changes.
mod deleted;
mod edited;
mod form_page;
pub mod models;
mod options;

// Beyond Django.
mod account;
mod agent;
mod beyond;
mod holders;
mod log;
mod permissions;
mod reasons;
mod sessions;

pub use crate::messages::Messages;
pub use crate::quote::{quote, unquote};
pub use crate::sites::{AdminExt, AdminSite};
