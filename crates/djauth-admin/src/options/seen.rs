//! What a form had shown, so that nobody's change is lost in silence.

/// What the visitor saw when the form was made.
#[derive(Default)]
pub(crate) struct Seen {}

/// A field that somebody else changed meanwhile.
pub(crate) struct Change {}
