//! Two people at one object.
