//! How many rows there are, exactly or about.
