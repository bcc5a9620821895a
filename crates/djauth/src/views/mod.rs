//! The pages: `django/contrib/auth/views.py`.

mod verify;

pub use verify::verify;
