//! What a list can be filtered by: `django/contrib/admin/filters.py`.

mod boolean;
mod choices;
mod date;
mod empty;
mod facets;
mod related;
mod values;
