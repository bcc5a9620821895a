//! Actions on selected objects.
