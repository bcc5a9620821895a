//! What was found.

use crate::failure::Failure;
use crate::output;

/// Counts what is said.
#[derive(Default)]
pub(super) struct Report {
    problems: usize,
    warnings: usize,
}

impl Report {
    pub(super) fn good(&mut self, topic: &str, text: impl AsRef<str>) {
        say("ok", topic, text.as_ref());
    }

    /// Something to look into; logins work all the same.
    pub(super) fn warn(&mut self, topic: &str, text: impl AsRef<str>) {
        self.warnings += 1;
        say("warning", topic, text.as_ref());
    }

    /// Something that keeps people out.
    pub(super) fn wrong(&mut self, topic: &str, text: impl AsRef<str>) {
        self.problems += 1;
        say("PROBLEM", topic, text.as_ref());
    }

    /// What could not be looked at is a problem too.
    pub(super) fn unread(&mut self, topic: &str, found: Result<(), djauth::Error>) {
        if let Err(error) = found {
            self.wrong(topic, format!("cannot be read: {error}"));
        }
    }

    /// Sums up.
    pub(super) fn end(self) -> Result<(), Failure> {
        let Self { problems, warnings } = self;
        output::say(format!("{problems} problem(s), {warnings} warning(s)"));
        if problems == 0 {
            Ok(())
        } else {
            Err(Failure::Silent)
        }
    }
}

fn say(mark: &str, topic: &str, text: &str) {
    output::say(format!("{mark:<8} {topic}: {text}"));
}
