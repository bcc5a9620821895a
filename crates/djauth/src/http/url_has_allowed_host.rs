//! Whether an address from outside may be redirected to.

use unicode_general_category::{GeneralCategory, get_general_category};

use super::{strip, urlsplit};

/// Longer addresses, in characters, are never redirected to, and never parsed (`MAX_URL_LENGTH`).
pub const MAX_URL_LENGTH: usize = 2048;

/// Whether an address stays on an allowed host and uses an allowed scheme
/// (`django.utils.http.url_has_allowed_host_and_scheme`).
///
/// Hosts are compared as text, with port and case; an empty address is refused. `true` does not mean
/// that the address needs no quoting: see [`redirect`](fn@super::redirect).
pub fn url_has_allowed_host_and_scheme(
    url: &str,
    allowed_hosts: &[impl AsRef<str>],
    require_https: bool,
) -> bool {
    let url = strip(url);
    // A browser takes `\` for `/`, but not inside credentials: both readings must be harmless.
    !url.is_empty()
        && is_allowed(url, allowed_hosts, require_https)
        && is_allowed(&url.replace('\\', "/"), allowed_hosts, require_https)
}

fn is_allowed(url: &str, allowed_hosts: &[impl AsRef<str>], require_https: bool) -> bool {
    if url.starts_with("///") || url.chars().nth(MAX_URL_LENGTH).is_some() {
        return false;
    }
    let Ok(parts) = urlsplit(url) else {
        return false;
    };
    let hostless = parts.netloc.is_empty();
    if hostless && !parts.scheme.is_empty() || url.chars().next().is_none_or(is_control_like) {
        return false;
    }
    let scheme_ok = match parts.scheme.as_str() {
        "" if hostless => true,
        "" | "http" => !require_https,
        "https" => true,
        _ => false,
    };
    scheme_ok
        && (hostless
            || allowed_hosts
                .iter()
                .any(|host| host.as_ref() == parts.netloc))
}

/// The Unicode categories `C*`.
fn is_control_like(c: char) -> bool {
    matches!(
        get_general_category(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::Surrogate
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
    )
}
