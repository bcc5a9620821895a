//! Taking addresses apart exactly as Python does, because Django's decisions rest on it.

use std::fmt;
use std::net::Ipv6Addr;

use unicode_normalization::UnicodeNormalization;

use super::MAX_URL_LENGTH;

/// The five parts of an address (Python's `urllib.parse.SplitResult`). `Display` puts them together
/// again as `urlunsplit` does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SplitResult {
    /// Lower-cased, without the colon.
    pub scheme: String,
    /// Credentials, host and port, as written.
    pub netloc: String,
    /// What follows up to `?` or `#`.
    pub path: String,
    /// Without the `?`.
    pub query: String,
    /// Without the `#`.
    pub fragment: String,
}

/// An address that Python refuses to take apart: a bad IPv6 host, or a host with characters that
/// normalise to separators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUrl;

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address has an invalid host")
    }
}

impl std::error::Error for InvalidUrl {}

/// Takes an address apart (Python's `urllib.parse.urlsplit`): TAB, CR and LF are dropped anywhere,
/// control characters and spaces at the beginning.
///
/// Hosts in brackets follow the stricter rule of newer Pythons in every version: nothing but
/// credentials before the bracket, and nothing but a port after it.
///
/// # Errors
/// [`InvalidUrl`]; also for a host of more than [`MAX_URL_LENGTH`] bytes that is not ASCII, because
/// normalising it could be slow.
pub fn urlsplit(url: &str) -> Result<SplitResult, InvalidUrl> {
    let url = url.trim_start_matches(|c: char| c <= ' ');
    let url: String = url
        .chars()
        .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
        .collect();
    let (scheme, rest) = split_scheme(&url);
    let (netloc, rest) = split_netloc(rest);
    check_brackets(netloc)?;
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    check_normal_form(netloc)?;
    Ok(SplitResult {
        scheme: scheme.to_ascii_lowercase(),
        netloc: netloc.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        fragment: fragment.to_owned(),
    })
}

fn split_scheme(url: &str) -> (&str, &str) {
    let scheme_byte = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    match url.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(scheme_byte) =>
        {
            (scheme, rest)
        }
        _ => ("", url),
    }
}

fn split_netloc(url: &str) -> (&str, &str) {
    let Some(rest) = url.strip_prefix("//") else {
        return ("", url);
    };
    rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
}

fn check_brackets(netloc: &str) -> Result<(), InvalidUrl> {
    if !netloc.contains(['[', ']']) {
        return Ok(());
    }
    let host_and_port = netloc.rsplit_once('@').map_or(netloc, |(_, host)| host);
    let bracketed = host_and_port.strip_prefix('[').ok_or(InvalidUrl)?;
    let (host, port) = bracketed.split_once(']').ok_or(InvalidUrl)?;
    if !(port.is_empty() || port.starts_with(':')) {
        return Err(InvalidUrl);
    }
    let valid = match host.strip_prefix('v') {
        Some(future) => future.split_once('.').is_some_and(|(version, address)| {
            let hex = |b: u8| b.is_ascii_hexdigit();
            !version.is_empty() && version.bytes().all(hex) && !address.is_empty()
        }),
        None => is_ipv6(host),
    };
    if valid { Ok(()) } else { Err(InvalidUrl) }
}

/// With or without a zone, as Python's `ipaddress` takes it.
fn is_ipv6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "0"));
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && !zone.contains('%')
}

/// Refuses hosts in which normalisation would make a separator appear, such as U+2100 (`a/c`).
fn check_normal_form(netloc: &str) -> Result<(), InvalidUrl> {
    if netloc.is_ascii() {
        return Ok(());
    }
    if netloc.len() > MAX_URL_LENGTH * 4 {
        return Err(InvalidUrl);
    }
    let bare: String = netloc.chars().filter(|c| !"@:#?".contains(*c)).collect();
    let normal: String = bare.nfkc().collect();
    if bare != normal && normal.contains(['/', '?', '#', '@', ':']) {
        return Err(InvalidUrl);
    }
    Ok(())
}

/// Python's `urlunsplit`.
impl fmt::Display for SplitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SplitResult {
            scheme,
            netloc,
            path,
            query,
            fragment,
        } = self;
        if !scheme.is_empty() {
            write!(f, "{scheme}:")?;
        }
        let rooted = path.is_empty() || path.starts_with('/');
        if !netloc.is_empty() {
            let slash = if rooted { "" } else { "/" };
            write!(f, "//{netloc}{slash}")?;
        } else if path.starts_with("//") || (rooted && HIERARCHICAL.contains(&scheme.as_str())) {
            f.write_str("//")?;
        }
        f.write_str(path)?;
        if !query.is_empty() {
            write!(f, "?{query}")?;
        }
        if !fragment.is_empty() {
            write!(f, "#{fragment}")?;
        }
        Ok(())
    }
}

/// The schemes of the web whose addresses have a host; Python knows some historical ones too.
const HIERARCHICAL: [&str; 6] = ["http", "https", "ftp", "ws", "wss", "file"];
