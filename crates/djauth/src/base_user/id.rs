//! Keys of user models.

use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use uuid::Uuid;

use crate::db::Field;

/// The key of a user model: `i32` (Django's `AutoField`), `i64` (`BigAutoField`) or a UUID.
///
/// `Display` and `FromStr` are the form in sessions and links: digits, or a hyphenated UUID.
pub trait UserId:
    Field + Copy + Eq + Hash + fmt::Display + FromStr + fmt::Debug + Send + Sync + 'static
{
    /// Whether the database makes it; then INSERT leaves it out.
    const AUTO: bool;
    /// The key that the database answered. Keys that do not fit become the largest value, which no
    /// table reaches.
    fn from_auto(id: i64) -> Self;
    /// A fresh key: zero where the database makes it, a random UUID otherwise.
    fn new() -> Self;
    /// Reads the text form as Django's `to_python` of the key field does: surrounding white space,
    /// a plus sign and hyphens of a UUID do not matter. `None` for anything else, also for numbers
    /// that do not fit.
    fn parse(text: &str) -> Option<Self>;
}

impl UserId for i32 {
    const AUTO: bool = true;
    fn from_auto(id: i64) -> Self {
        Self::try_from(id).unwrap_or(Self::MAX)
    }
    fn new() -> Self {
        0
    }
    fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }
}

impl UserId for i64 {
    const AUTO: bool = true;
    fn from_auto(id: i64) -> Self {
        id
    }
    fn new() -> Self {
        0
    }
    fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }
}

impl UserId for Uuid {
    const AUTO: bool = false;
    /// Never asked for: UUID keys are made here, not by the database.
    fn from_auto(_: i64) -> Self {
        Self::nil()
    }
    fn new() -> Self {
        Self::new_v4()
    }
    fn parse(text: &str) -> Option<Self> {
        Self::try_parse(text).ok()
    }
}
