//! Addresses: `Name <user@domain>` taken apart.

use lettre::message::Mailbox;

use crate::Error;

/// The longest text that is looked at: a name and the longest address that mail can carry.
const LONGEST: usize = 1024;

/// Reads one address, with or without a name, for headers and for the mail server. A domain in another
/// script than Latin becomes ASCII (IDNA).
pub(super) fn mailbox(text: &str) -> Result<Mailbox, Error> {
    if text.len() > LONGEST || text.contains(char::is_control) {
        return Err(invalid());
    }
    let (name, address) = split(text.trim()).ok_or_else(invalid)?;
    let (user, domain) = address.rsplit_once('@').ok_or_else(invalid)?;
    let domain = ascii_domain(domain)?;
    let address = lettre::Address::new(user, domain).map_err(|_| invalid())?;
    Ok(Mailbox::new(name, address))
}

/// The text is not in the error: it may be somebody's address, or somebody's attack.
fn invalid() -> Error {
    Error::value("an address of a message is not an e-mail address")
}

/// The name, if there is one, and the address.
fn split(text: &str) -> Option<(Option<String>, &str)> {
    let Some(inner) = text.strip_suffix('>') else {
        return Some((None, text));
    };
    let (name, address) = inner.rsplit_once('<')?;
    let name = unquoted(name.trim())?;
    Some(((!name.is_empty()).then_some(name), address))
}

/// A name without its quotes; `None` when a quote is left open.
fn unquoted(name: &str) -> Option<String> {
    let Some(rest) = name.strip_prefix('"') else {
        return (!name.contains(['"', '<', '>'])).then(|| name.to_owned());
    };
    let inner = rest.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next()?),
            '"' => return None,
            c => plain.push(c),
        }
    }
    Some(plain)
}

fn ascii_domain(domain: &str) -> Result<String, Error> {
    if domain.is_ascii() {
        return Ok(domain.to_owned());
    }
    idna::domain_to_ascii(domain).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        mailbox(text).unwrap().to_string()
    }

    #[test]
    fn names_and_addresses_are_taken_apart() {
        assert_eq!(shown("a@example.com"), "a@example.com");
        assert_eq!(shown("webmaster@localhost"), "webmaster@localhost");
        assert_eq!(shown("<a@example.com>"), "a@example.com");
        let read = mailbox("\"Site, the \\\"best\\\"\" <a@example.com>").unwrap();
        assert_eq!(read.name.as_deref(), Some("Site, the \"best\""));
        assert_eq!(
            mailbox("B\u{fc}cher <a@example.com>")
                .unwrap()
                .name
                .as_deref(),
            Some("B\u{fc}cher")
        );
    }

    #[test]
    fn a_domain_of_another_script_becomes_ascii() {
        assert_eq!(shown("a@b\u{fc}cher.example"), "a@xn--bcher-kva.example");
    }

    /// CVE-2021-32052, CVE-2026-53878, RUSTSEC-2021-0069: no line break comes through.
    #[test]
    fn cve_2021_32052_what_is_no_single_address_is_refused() {
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@b.c",
            "a@b.c, d@e.f",
            "a@b.c\nBcc: x@y.z",
            "a@b.c\r\nX: y",
            "a\r@b.c",
            "N\n <a@b.c>",
            "a@b.c>",
            "<a@b.c",
            "\"open <a@b.c>",
            "a@b.c <d@e.f> <g@h.i>",
            "a b@c.d",
            "a@b c.d",
            "a@b.c\0",
            "a@b.c\u{85}",
        ] {
            mailbox(text).expect_err(text);
        }
        mailbox(&format!("{}@b.c", "a".repeat(LONGEST))).unwrap_err();
        mailbox(&format!("{} <a@b.c>", "a".repeat(LONGEST))).unwrap_err();
    }

    proptest! {
        #[test]
        fn no_text_brings_a_line_break(text in "(?s).{0,60}") {
            if let Ok(read) = mailbox(&text) {
                prop_assert!(!read.to_string().contains(['\r', '\n']));
            }
        }
    }
}
