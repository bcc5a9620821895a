//! The pages: `django/contrib/auth/views.py`.

mod login;
mod logout;
mod page;
mod profile;
mod verify;

pub use login::LoginView;
pub use logout::LogoutView;
use page::{PageRequest, RedirectTarget, allow, redirect_response};
pub(crate) use page::{landing, login, logout};
pub use verify::verify;
