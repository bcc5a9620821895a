//! The pages: `django/contrib/auth/views.py`.
//!
//! Each view is a value with Django's options as builder methods; [`Auth`](crate::Auth) makes a route
//! of it, and [`Auth::urls`](crate::Auth::urls) all routes at once. What a subclass would override is a
//! step of [`Steps`](crate::forms::Steps).

mod json;
mod login;
mod logout;
mod options;
mod outcome;
mod page;
mod password_change;
mod password_reset;
mod password_reset_confirm;
mod profile;
mod verify;

pub use login::LoginView;
pub use logout::LogoutView;
pub use outcome::{Outcome, Page, Valid};
pub use page::PageRequest;
pub(crate) use page::{View, answer};
pub use password_change::{PasswordChangeDoneView, PasswordChangeView};
pub use password_reset::{PasswordResetDoneView, PasswordResetView};
pub use password_reset_confirm::{
    INTERNAL_RESET_SESSION_TOKEN, PasswordResetCompleteView, PasswordResetConfirmView,
};
pub(crate) use profile::Landing;
pub use verify::{verify, verify_answer, verify_at_once, verify_original};
