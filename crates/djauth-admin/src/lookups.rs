//! `field__lookup=text` as a condition: `prepare_lookup_value` of `django/contrib/admin/utils.py`.
