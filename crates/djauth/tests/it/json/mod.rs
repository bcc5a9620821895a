//! JSON of every view, on every database, held against docs/openapi.json.

mod client;
mod contract;
mod flows;
mod limits;
