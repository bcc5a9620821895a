use std::fmt;

/// A setting that is missing, unknown or wrong: `django.core.exceptions.ImproperlyConfigured`.
///
/// The text names the setting and where it came from, and says what is expected. The value of a
/// setting that holds a secret is never part of it.
#[derive(Debug)]
pub struct ImproperlyConfigured {
    setting: Option<String>,
    origin: Option<String>,
    problem: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ImproperlyConfigured {
    /// A wrong or missing setting, by Django's name.
    pub fn setting(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            setting: Some(name.into()),
            origin: None,
            problem: problem.into(),
            source: None,
        }
    }

    /// A fault that no single setting explains, such as a file that cannot be read.
    pub fn general(problem: impl Into<String>) -> Self {
        Self {
            setting: None,
            origin: None,
            problem: problem.into(),
            source: None,
        }
    }

    pub(super) fn at_origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    pub(super) fn caused_by(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// The setting that is at fault, by Django's name, when it is one.
    pub fn name(&self) -> Option<&str> {
        self.setting.as_deref()
    }
}

impl fmt::Display for ImproperlyConfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(setting) = &self.setting {
            f.write_str(setting)?;
        }
        if let Some(origin) = &self.origin {
            let before = if self.setting.is_some() { " (" } else { "" };
            let after = if self.setting.is_some() { ")" } else { "" };
            write!(f, "{before}{origin}{after}")?;
        }
        if self.setting.is_some() || self.origin.is_some() {
            f.write_str(": ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ImproperlyConfigured {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
