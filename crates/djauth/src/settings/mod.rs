//! Settings: `django.conf`.
