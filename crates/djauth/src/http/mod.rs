//! The slice of `django.http` and `django.utils.http` that authentication rests on.
