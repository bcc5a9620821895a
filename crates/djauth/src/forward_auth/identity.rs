//! Who is logged in, as headers for the guarded application.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::base_user::{BaseUser, Changes};
use crate::http::quote;

/// What the guarded application is told beside the name: an entry of `FORWARD_AUTH_HEADERS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdentityHeader {
    /// `X-Remote-Email`.
    Email,
    /// `X-Remote-Name`: first and last name.
    Name,
    /// `X-Remote-Groups`: the names of the groups, separated by commas. It costs a query.
    Groups,
}

impl IdentityHeader {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Email, Self::Name, Self::Groups];

    /// As the setting has it.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Name => "name",
            Self::Groups => "groups",
        }
    }

    const fn header(self) -> HeaderName {
        match self {
            Self::Email => HeaderName::from_static("x-remote-email"),
            Self::Name => HeaderName::from_static("x-remote-name"),
            Self::Groups => HeaderName::from_static("x-remote-groups"),
        }
    }
}

/// The name of who is logged in.
pub(crate) const X_REMOTE_USER: HeaderName = HeaderName::from_static("x-remote-user");

/// The name as it is told; `None`: it has control characters. Whoever decodes it could take it for several lines.
pub(crate) fn told_name<U: BaseUser>(user: &U) -> Option<String> {
    let name = Some(user.get_username()).filter(|name| is_plain(name))?;
    Some(quote(&name, ""))
}

/// What the guarded application is told; nothing about nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    user: String,
    more: Vec<(IdentityHeader, String)>,
}

impl Identity {
    /// `None`: the name is not told.
    pub(crate) fn of<U: BaseUser>(
        user: &U,
        headers: &[IdentityHeader],
        groups: &[String],
    ) -> Option<Self> {
        let name = told_name(user)?;
        let more = headers.iter().map(|&header| {
            let value = match header {
                IdentityHeader::Email => quoted(&user.get_email().unwrap_or_default()),
                IdentityHeader::Name => quoted(&full_name(user)),
                IdentityHeader::Groups => {
                    let plain = groups.iter().filter(|group| is_plain(group));
                    plain
                        .map(|group| quote(group, ""))
                        .collect::<Vec<_>>()
                        .join(",")
                }
            };
            (header, value)
        });
        Some(Self {
            user: name,
            more: more.collect(),
        })
    }

    /// Each header that is configured is there, an empty one too: it takes the place of one that the
    /// client sent.
    pub(crate) fn write(&self, configured: &[IdentityHeader], headers: &mut HeaderMap) {
        headers.insert(X_REMOTE_USER, value(&self.user));
        for header in configured {
            let told = self.more.iter().find(|(known, _)| known == header);
            headers.insert(header.header(), value(told.map_or("", |(_, text)| text)));
        }
    }
}

/// Percent-encoded text is always a header's value.
fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn quoted(text: &str) -> String {
    if is_plain(text) {
        quote(text, "")
    } else {
        String::new()
    }
}

fn full_name<U: BaseUser>(user: &U) -> String {
    let part = |name| Changes::only_text_of(user, name).unwrap_or_default();
    let name = format!("{} {}", part("first_name"), part("last_name"));
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::User;

    fn user(username: &str) -> User {
        let mut user = User::blank();
        user.username = username.into();
        user
    }

    #[test]
    fn everything_is_percent_encoded() {
        let mut zoe = user("zo\u{eb}@x, y");
        zoe.email = "zoe@example.com".into();
        zoe.last_name = "M\u{fc}ller".into();
        let groups = [
            "Site, Editors".to_owned(),
            "b".to_owned(),
            "c\nX: y".to_owned(),
        ];
        let identity = Identity::of(&zoe, &IdentityHeader::ALL, &groups).unwrap();
        let mut headers = HeaderMap::new();
        identity.write(&IdentityHeader::ALL, &mut headers);
        assert_eq!(headers["x-remote-user"], "zo%C3%AB%40x%2C%20y");
        assert_eq!(headers["x-remote-email"], "zoe%40example.com");
        assert_eq!(headers["x-remote-name"], "M%C3%BCller");
        assert_eq!(headers["x-remote-groups"], "Site%2C%20Editors,b");
    }

    #[test]
    fn a_name_with_control_characters_is_refused() {
        for name in ["a\nb", "a\0", "a\u{85}b", "\x1b[0m"] {
            assert_eq!(Identity::of(&user(name), &[], &[]), None);
        }
    }

    #[test]
    fn nobody_has_empty_headers() {
        let mut headers = HeaderMap::new();
        Identity::default().write(&[IdentityHeader::Groups], &mut headers);
        assert_eq!(headers["x-remote-user"], "");
        assert_eq!(headers["x-remote-groups"], "");
        assert_eq!(headers.len(), 2);
    }
}
