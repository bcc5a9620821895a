//! Python's plain values: what a session may hold, and how JSON and pickles express it.

mod bigint;
mod from_json;
mod text;
mod to_json;

pub use self::bigint::BigInt;
pub use self::text::PyStr;

pub(crate) use self::from_json::from_json;
pub(crate) use self::text::{escape, unescape};
pub(crate) use self::to_json::key_text;

/// Values nested deeper than this are not converted between JSON and pickles.
pub(crate) const MAX_DEPTH: usize = 200;

/// A value of Python, as far as sessions may hold it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` of at most 64 bits.
    Int(i64),
    /// A longer `int`.
    BigInt(BigInt),
    /// A `float`; may be infinite or not a number.
    Float(f64),
    /// A `str`.
    Str(PyStr),
    /// A `bytes`. Pickles hold it, JSON cannot.
    Bytes(Vec<u8>),
    /// A `list`.
    List(Vec<Value>),
    /// A `tuple`. In JSON it becomes a list, as with Python's own encoder.
    Tuple(Vec<Value>),
    /// A `dict`, in insertion order.
    Dict(Vec<(Value, Value)>),
    /// Something that only Python can make, named by its class where that is known. It can be kept, but
    /// neither read nor written.
    Opaque(String),
}

impl Value {
    /// The text, if this is a `str` without lone surrogates.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => text.as_str(),
            _ => None,
        }
    }
}
