//! How many rows each choice has.
