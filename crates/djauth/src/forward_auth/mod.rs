//! Forward authentication: what a reverse proxy may let through, by the request that it holds.
//!
//! The proxy asks [`verify`](fn@crate::views::verify) before each request, and tells in headers what the
//! client asked for. `FORWARD_AUTH_RULES` say who may have it: a [`Rule`] for each host and path, of
//! which the first that fits decides; where there are rules and none fits, nobody may.
//!
//! ```toml
//! TRUSTED_PROXIES = ["127.0.0.1"]
//! FORWARD_AUTH_HOSTS = ["app.example.com"]
//!
//! [[FORWARD_AUTH_RULES]]
//! host = "app.example.com"
//! path = "/reports"
//! perm = ["reports.view_report"]
//!
//! [[FORWARD_AUTH_RULES]]
//! host = "app.example.com"
//! ```
//!
//! What the proxy tells is believed of `TRUSTED_PROXIES` alone. What servers read in different ways
//! (`..`, `//`, an encoded slash, a header that came twice) is refused with 400 where the path matters.

mod choice;
mod identity;
mod login;
mod original;
mod path;
mod rule;

pub(crate) use choice::choose;
pub use identity::IdentityHeader;
pub(crate) use identity::{Identity, X_REMOTE_USER, told_name};
pub(crate) use login::{is_page, location};
pub(crate) use original::{Ambiguous, Original, Question};
pub use rule::{Access, Conditions, Rule};
