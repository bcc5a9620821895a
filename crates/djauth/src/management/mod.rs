//! Management commands and permission creation: `django/contrib/auth/management`.
