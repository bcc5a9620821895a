//! A form as a page: `django/contrib/admin/helpers.py`.
