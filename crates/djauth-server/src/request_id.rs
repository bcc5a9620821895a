//! The name of a request: `X-Request-ID`, in the answer and in every line of the log about it.

use std::net::IpAddr;

use djauth::settings::IpNetwork;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name that is taken from a proxy, in bytes.
const LONGEST: usize = 128;

/// The name that a trusted proxy has given, or a new one.
pub(crate) fn of(headers: &HeaderMap, peer: Option<IpAddr>, trusted: &[IpNetwork]) -> HeaderValue {
    let believed = peer.is_some_and(|peer| trusted.iter().any(|network| network.contains(peer)));
    let mut given = headers.get_all(X_REQUEST_ID).iter();
    match (given.next(), given.next()) {
        (Some(id), None) if believed && is_well_formed(id.as_bytes()) => id.clone(),
        _ => made(),
    }
}

/// Nothing that could end a line, a field or a quotation of the log.
fn is_well_formed(id: &[u8]) -> bool {
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(good)
}

fn made() -> HeaderValue {
    let mut text = [0; uuid::fmt::Simple::LENGTH];
    let text = Uuid::new_v4().simple().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(given: &[&'static str], peer: &str) -> String {
        let mut headers = HeaderMap::new();
        for value in given {
            headers.append(X_REQUEST_ID, HeaderValue::from_static(value));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let id = of(&headers, Some(peer.parse().unwrap()), &trusted);
        id.to_str().unwrap().to_owned()
    }

    #[test]
    fn only_a_trusted_proxy_names_a_request() {
        assert_eq!(id(&["0f-A_9.b:1"], "10.1.2.3"), "0f-A_9.b:1");
        assert_ne!(id(&["0f-A_9.b:1"], "11.1.2.3"), "0f-A_9.b:1");
        assert_ne!(
            of(&HeaderMap::new(), None, &[]),
            of(&HeaderMap::new(), None, &[])
        );
        assert_eq!(id(&[], "10.1.2.3").len(), 32);
    }

    #[test]
    fn a_malformed_name_is_replaced() {
        for given in ["", "a b", "a\"b", "a=b", "a\tb", "a\\n"] {
            assert_eq!(id(&[given], "10.1.2.3").len(), 32, "{given:?}");
        }
        assert_eq!(id(&["a", "b"], "10.1.2.3").len(), 32);
        let long: &'static str = "a".repeat(LONGEST + 1).leak();
        assert_eq!(id(&[long], "10.1.2.3").len(), 32);
    }
}
