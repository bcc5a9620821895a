//! By every value that occurs.
