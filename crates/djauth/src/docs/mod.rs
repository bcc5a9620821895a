//! Pages for reading; there is nothing here to call.

#[doc = include_str!("beside_django.md")]
pub mod beside_django {}

#[doc = include_str!("from_axum_login.md")]
pub mod from_axum_login {}

#[doc = include_str!("own_backend.md")]
pub mod own_backend {}

#[doc = include_str!("own_user_model.md")]
pub mod own_user_model {}

#[doc = include_str!("pages.md")]
pub mod pages {}
