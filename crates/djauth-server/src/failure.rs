//! How a command fails: its text and its exit code.

use std::fmt;

/// What ends the program other than well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong: exit code 2, as of Django's parser.
    Usage(String),
    /// Django's `CommandError`: exit code 1.
    Command(String),
    /// Settings, database or system are not as they must be: exit code 1.
    Other { text: String, causes: Vec<String> },
    /// A question was not answered, and the answer must not be taken for a "no": exit code 3.
    Unknown(Box<Failure>),
    /// Ctrl-C at a prompt: exit code 1.
    Interrupted,
    /// The command has said itself what is wrong: exit code 1.
    Silent,
    /// The command has done its work, and said what it could not do of it: exit code 3.
    Incomplete,
}

impl Failure {
    pub(crate) fn command(text: impl Into<String>) -> Self {
        Self::Command(text.into())
    }

    pub(crate) fn other(text: impl Into<String>) -> Self {
        Self::Other {
            text: text.into(),
            causes: Vec::new(),
        }
    }

    /// With what led to it, which `--traceback` shows.
    pub(crate) fn caused(text: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let chain = std::iter::successors(Some(error), |error| error.source());
        Self::Other {
            text: text.into(),
            causes: chain.map(ToString::to_string).collect(),
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Unknown(_) | Self::Incomplete => 3,
            _ => 1,
        }
    }

    /// Writes the failure to stderr.
    pub(crate) fn report(&self, traceback: bool) {
        match self {
            Self::Silent | Self::Incomplete => {}
            other => eprintln!("{other}"),
        }
        let inner = match self {
            Self::Unknown(failure) => failure,
            other => other,
        };
        if let (true, Self::Other { causes, .. }) = (traceback, inner) {
            for cause in causes {
                eprintln!("  caused by: {cause}");
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => write!(f, "djauth: {text}\nSee `djauth help`."),
            Self::Command(text) => write!(f, "CommandError: {text}"),
            Self::Other { text, .. } => write!(f, "djauth: {text}"),
            Self::Unknown(failure) => failure.fmt(f),
            Self::Interrupted => f.write_str("\nCancelled; nothing was changed."),
            Self::Silent | Self::Incomplete => Ok(()),
        }
    }
}

impl From<djauth::settings::ImproperlyConfigured> for Failure {
    fn from(error: djauth::settings::ImproperlyConfigured) -> Self {
        Self::caused(error.to_string(), &error)
    }
}
