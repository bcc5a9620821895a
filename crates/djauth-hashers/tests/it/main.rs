//! Known answers made by real Django, and hostile stored values.

mod hostile;
mod vectors;
