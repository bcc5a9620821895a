//! Lines on stdout.

use std::io::Write;

/// Writes text and ends the line. A reader that has gone away (`djauth … | head`) is no failure.
pub(crate) fn say(text: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush());
}

/// Writes text that has its line ends already.
pub(crate) fn write(text: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    let _ = out
        .write_all(text.as_ref().as_bytes())
        .and_then(|()| out.flush());
}
