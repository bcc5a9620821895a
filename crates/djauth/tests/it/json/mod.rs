//! JSON of every view, on every database, held against the document that describes it.

mod client;
mod contract;
mod flows;
mod limits;
