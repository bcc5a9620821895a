//! By a relation.
