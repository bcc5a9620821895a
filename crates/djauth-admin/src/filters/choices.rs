//! One of the choices of a field.
