//! Who holds a permission.
