//! Known answers made by Django, and hostile input.

mod django;
mod hostile;
mod json;
