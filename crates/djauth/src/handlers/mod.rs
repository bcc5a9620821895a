//! What HTTP servers ask: `django/contrib/auth/handlers`.

pub mod modwsgi;
