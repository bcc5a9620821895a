//! Pages of a list, by number and by where the last one ended.
