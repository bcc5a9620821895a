//! Which rule decides.

use unicode_normalization::UnicodeNormalization;

use super::original::{Ambiguous, Original};
use super::path::segments;
use super::rule::Rule;

/// The first rule that fits; `None`: none does. A request that another server could read as one for
/// which another rule is the first is [`Ambiguous`].
pub(crate) fn choose<'r>(
    rules: &'r [Rule],
    original: &Original,
) -> Result<Option<&'r Rule>, Ambiguous> {
    let rules: Vec<&Rule> = rules
        .iter()
        .filter(|rule| rule.is_for_host(&original.domain))
        .collect();
    // "post" is no method of HTTP, but some programs take it for "POST".
    let method = match &original.method {
        _ if rules.iter().all(|rule| rule.methods.is_empty()) => "",
        Some(method) if !method.contains(char::is_lowercase) => method.as_str(),
        _ => return Err(Ambiguous),
    };
    let rules = rules.into_iter().filter(|rule| rule.is_for_method(method));
    let rules: Vec<&Rule> = rules.collect();
    if rules.first().is_some_and(|rule| rule.is_for_every_path()) {
        return Ok(rules.first().copied());
    }
    if rules.is_empty() {
        return Ok(None);
    }
    let segments = segments(original.path()).ok_or(Ambiguous)?;
    let exact = first(&rules, &segments, |a, b| a == b);
    let folded = first(&rules, &segments, |a, b| folded(a) == folded(b));
    if exact == folded {
        Ok(exact.map(|index| rules[index]))
    } else {
        Err(Ambiguous)
    }
}

fn first(rules: &[&Rule], segments: &[String], same: fn(&str, &str) -> bool) -> Option<usize> {
    rules.iter().position(|rule| rule.covers(segments, same))
}

/// What file systems that are not exact make of a name: one case, compatible letters as one, and no
/// dots or blanks at the end.
fn folded(segment: &str) -> String {
    let letters: String = segment.nfkc().flat_map(char::to_lowercase).collect();
    letters.trim_end_matches(['.', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward_auth::{Access, Conditions};

    fn original(domain: &str, uri: &str, method: Option<&str>) -> Original {
        Original {
            scheme: None,
            domain: domain.into(),
            port: String::new(),
            uri: uri.into(),
            method: method.map(str::to_owned),
        }
    }

    fn rules() -> Vec<Rule> {
        let users = || Access::Users(Conditions::default());
        vec![
            Rule::new("app.example.com", Access::Deny).path("/reports/secret"),
            Rule::new("app.example.com", users()).path("/reports/"),
            Rule::new("app.example.com", Access::Public)
                .methods(["GET", "HEAD"])
                .path("/static"),
            Rule::new("app.example.com", users()),
            Rule::new(".example.org", Access::Public),
        ]
    }

    fn chosen(domain: &str, uri: &str) -> Result<Option<usize>, Ambiguous> {
        let rules = rules();
        let rule = choose(&rules, &original(domain, uri, Some("GET")))?;
        Ok(rule.and_then(|rule| rules.iter().position(|other| other == rule)))
    }

    #[test]
    fn the_first_that_fits_decides() {
        for (uri, rule) in [
            ("/reports/secret", 0),
            ("/reports/secret/x?y", 0),
            ("/reports/secrets", 1),
            ("/reports", 1),
            ("/reports/", 1),
            ("/%72eports/1", 1),
            ("/reports-old", 3),
            ("/static/x.css", 2),
            ("/", 3),
            ("/?/reports", 3),
        ] {
            assert_eq!(chosen("app.example.com", uri), Ok(Some(rule)), "{uri}");
        }
        assert_eq!(chosen("example.org", "/"), Ok(Some(4)));
        assert_eq!(chosen("a.example.org", "/"), Ok(Some(4)));
        for host in ["example.com", "xapp.example.com", "xexample.org", "other"] {
            assert_eq!(chosen(host, "/"), Ok(None), "{host}");
        }
    }

    #[test]
    fn a_path_that_could_be_another_is_refused() {
        for uri in [
            "/x/../reports/secret",
            "//reports/secret",
            "/reports%2fsecret",
            "/reports;x/secret",
            "/reports/%2e/secret",
            "/x/%252e%252e/reports",
            "/REPORTS/secret",
            "/reports/Secret",
            "/reports/secret.",
            "/reports/secret%20",
            "/reports/%EF%BD%93ecret",
        ] {
            assert_eq!(chosen("app.example.com", uri), Err(Ambiguous), "{uri}");
        }
        // Where the path decides nothing, it may be any.
        assert_eq!(chosen("example.org", "/a//b;c/../d"), Ok(Some(4)));
        assert_eq!(chosen("app.example.com", "/Other/PATH"), Ok(Some(3)));
    }

    #[test]
    fn methods_are_told_or_refused() {
        let rules = rules();
        let ask = |method| choose(&rules, &original("app.example.com", "/static/x", method));
        assert_eq!(ask(Some("GET")).unwrap().unwrap().access, Access::Public);
        assert_ne!(ask(Some("POST")).unwrap().unwrap().access, Access::Public);
        assert_eq!(ask(None), Err(Ambiguous));
        assert_eq!(ask(Some("get")), Err(Ambiguous));
        assert!(
            choose(&rules, &original("example.org", "/", None))
                .unwrap()
                .is_some()
        );
    }
}
