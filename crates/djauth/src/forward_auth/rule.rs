//! The rules.

use crate::http::is_same_domain;

/// Who may have what is below one path of a host: an entry of `FORWARD_AUTH_RULES`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// A host without its port, `.example.com` for a domain and all below it, or `*`.
    pub host: String,
    /// The path that it begins at, whole segments of it: `/reports` is for `/reports` and `/reports/1`
    /// and not for `/reports-old`. `/` is for all.
    pub path: String,
    /// The methods that it is for; none: all.
    pub methods: Vec<String>,
    /// Who may.
    pub access: Access,
}

/// Who may pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody.
    Deny,
    /// Everybody; who is logged in is told all the same.
    Public,
    /// Who is logged in and meets these conditions.
    Users(Conditions),
}

/// What a user must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conditions {
    /// Every one of these permissions.
    pub perm: Vec<String>,
    /// A place in one of these groups, if any is named.
    pub group: Vec<String>,
    /// `is_staff`.
    pub staff: bool,
    /// `is_superuser`.
    pub superuser: bool,
}

impl Rule {
    /// A rule for everything on a host.
    #[must_use]
    pub fn new(host: impl Into<String>, access: Access) -> Self {
        Self {
            host: host.into(),
            path: "/".into(),
            methods: Vec::new(),
            access,
        }
    }

    /// The same from this path on.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same for these methods alone.
    #[must_use]
    pub fn methods<M: Into<String>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.methods = methods.into_iter().map(Into::into).collect();
        self
    }

    /// `domain` is in lower case and has no port.
    pub(super) fn is_for_host(&self, domain: &str) -> bool {
        self.host == "*" || is_same_domain(domain, &self.host)
    }

    pub(super) fn is_for_method(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|allowed| allowed == method)
    }

    pub(super) fn is_for_every_path(&self) -> bool {
        self.path == "/"
    }

    /// Whether a path of these segments begins with the rule's, where `same` compares segments.
    pub(super) fn covers(&self, segments: &[String], same: impl Fn(&str, &str) -> bool) -> bool {
        let own = self.path.split('/').filter(|segment| !segment.is_empty());
        let mut theirs = segments.iter();
        own.into_iter()
            .all(|segment| theirs.next().is_some_and(|their| same(segment, their)))
    }
}
