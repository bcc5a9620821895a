//! Who may enter a handler, as extractors: `django.contrib.auth.mixins`, and `request.user`.
//!
//! All of them need the layer: `.layer(auth.layer())`. An extractor that names no user model means the
//! stock [`User`](crate::User); for an own one write `LoginRequired<Account>`.

mod current_user;
mod login_required;
mod permission_required;
mod refusal;
mod rejection;
mod user_passes_test;

pub use current_user::{CurrentUser, MaybeUser};
pub use login_required::LoginRequired;
pub use permission_required::{Permission, PermissionRequired, is_permission_name};
pub(crate) use refusal::{JsonRefusals, Refusal, login_options};
pub use rejection::Rejection;
pub(crate) use rejection::login_redirect;
pub use user_passes_test::{TestFunc, UserPassesTest};
