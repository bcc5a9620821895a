//! The `Host` header: its shape, and which hosts a site answers for.

use std::fmt;

/// The `Host` (or `X-Forwarded-Host`) of a request is malformed or not in `ALLOWED_HOSTS`
/// (`django.core.exceptions.DisallowedHost`): answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisallowedHost;

impl fmt::Display for DisallowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host of the request is malformed or not one of ALLOWED_HOSTS")
    }
}

impl std::error::Error for DisallowedHost {}

/// The lower-cased domain, without one trailing dot, and the port, which may be empty; `None` when
/// the host is malformed (`django.http.request.split_domain_port`).
pub fn split_domain_port(host: &str) -> Option<(String, String)> {
    if !host.is_ascii() {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let (domain, port) = match host.strip_prefix('[') {
        Some(_) => host.split_at(host.find(']')? + 1),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let domain_ok = match domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => is_bracketed_address(address),
        None => !domain.is_empty() && domain.bytes().all(is_domain_byte),
    };
    let port_ok = match port.strip_prefix(':') {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()),
        None => port.is_empty(),
    };
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    (domain_ok && port_ok && !domain.is_empty())
        .then(|| (domain.to_owned(), port.trim_start_matches(':').to_owned()))
}

fn is_domain_byte(b: u8) -> bool {
    matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-')
}

/// Hexadecimal digits, a colon, and at least one more of digits, colons and dots.
fn is_bracketed_address(address: &str) -> bool {
    let Some((head, tail)) = address.split_once(':') else {
        return false;
    };
    let hex = |b: u8| matches!(b, b'a'..=b'f' | b'0'..=b'9');
    let tail_ok = |b: u8| hex(b) || b == b'.' || b == b':';
    head.bytes().all(hex) && !tail.is_empty() && tail.bytes().all(tail_ok)
}

/// Whether `host`, lower-cased and without its port, is one of the patterns: `*`, a name, or
/// `.domain` for a domain and all below it (`django.http.request.validate_host`).
pub fn validate_host(host: &str, allowed_hosts: &[impl AsRef<str>]) -> bool {
    let mut patterns = allowed_hosts.iter().map(AsRef::as_ref);
    patterns.any(|pattern| pattern == "*" || is_same_domain(host, pattern))
}

/// Whether `host` is `pattern`, or lies in the domain of a pattern that begins with a dot
/// (`django.utils.http.is_same_domain`).
pub fn is_same_domain(host: &str, pattern: &str) -> bool {
    let pattern = pattern.to_lowercase();
    match pattern.strip_prefix('.') {
        _ if pattern.is_empty() => false,
        Some(domain) => host.ends_with(&pattern) || host == domain,
        None => host == pattern,
    }
}
