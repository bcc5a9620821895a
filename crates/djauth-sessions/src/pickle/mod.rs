//! Pickles of plain values, as Django's Redis cache stores them.
//!
//! The decoder reads protocols 2 to 5 and executes nothing: what only Python can make (an object, a
//! class, a set) becomes [`Value::Opaque`], so that the rest of a session can still be read. Work and
//! memory are bounded by the length of the input and by fixed limits. The encoder writes protocol 5,
//! byte for byte as Python does for values that share nothing.

mod decode;
mod encode;
mod machine;

use crate::python::Value;

/// Pickles longer than this are refused (16 MiB).
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Reads a pickle. `None` if it is no pickle of protocol 2 to 5, is broken, refers to itself, nests
/// deeper than 200 levels, or would unfold to more than it is fair to build from its length.
pub fn loads(bytes: &[u8]) -> Option<Value> {
    decode::loads(bytes)
}

/// Writes a pickle of protocol 5.
///
/// # Errors
/// [`NotCarried`](crate::ErrorKind::NotCarried) if the value holds a [`Value::Opaque`] or nests too
/// deeply.
pub fn dumps(value: &Value) -> crate::Result<Vec<u8>> {
    encode::dumps(value)
}

#[cfg(test)]
mod tests;
