//! The headers of the columns, and the order that they ask for.
