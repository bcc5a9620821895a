//! Settings about hosts and proxies.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde_json::Value as Json;

use super::Settings;
use super::kind::{Kind, TextList, expected, is_meta_header, list};

impl Settings {
    /// Whether `TRUSTED_PROXIES` hold this address.
    pub fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        let mut networks = self.trusted_proxies.iter();
        networks.any(|network| network.contains(address))
    }
}

/// A block of addresses, such as `10.0.0.0/8`; a single address is the block that holds it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpNetwork {
    address: IpAddr,
    prefix: u8,
}

impl IpNetwork {
    /// Whether the block holds `address`. An IPv4 address written in IPv6 counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                prefix_bits(network.to_bits().into(), 32, self.prefix)
                    == prefix_bits(address.to_bits().into(), 32, self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                prefix_bits(network.to_bits(), 128, self.prefix)
                    == prefix_bits(address.to_bits(), 128, self.prefix)
            }
            _ => false,
        }
    }
}

fn prefix_bits(bits: u128, width: u32, prefix: u8) -> u128 {
    bits.checked_shr(width - u32::from(prefix)).unwrap_or(0)
}

/// The text is not an address or a block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidNetwork;

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected an address or a block of addresses, such as 10.0.0.0/8, without host bits",
        )
    }
}

impl std::error::Error for InvalidNetwork {}

impl FromStr for IpNetwork {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => width,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| InvalidNetwork)?
            }
            Some(_) => return Err(InvalidNetwork),
        };
        if prefix > width || has_host_bits(address, prefix) {
            return Err(InvalidNetwork);
        }
        Ok(Self { address, prefix })
    }
}

/// Whether bits are set behind the prefix: most likely a slip, so it is refused.
fn has_host_bits(address: IpAddr, prefix: u8) -> bool {
    let (bits, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let host = width - u32::from(prefix);
    host > 0 && bits & (u128::MAX >> (128 - host)) != 0
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// `TRUSTED_PROXIES`.
pub(super) struct Networks;

impl Kind for Networks {
    type Value = Vec<IpNetwork>;
    const EXPECTED: &'static str =
        "a list of addresses or blocks, such as [\"127.0.0.1\", \"10.0.0.0/8\"]";

    fn read(json: &Json) -> Result<Self::Value, String> {
        list::<Self>(json)?.iter().map(read_network).collect()
    }

    fn show(value: &Self::Value) -> Json {
        value
            .iter()
            .map(|network| Json::from(network.to_string()))
            .collect()
    }
}

fn read_network(json: &Json) -> Result<IpNetwork, String> {
    let text = json.as_str().ok_or_else(expected::<Networks>)?;
    text.parse()
        .map_err(|problem: InvalidNetwork| format!("{text:?}: {problem}"))
}

/// `SECURE_PROXY_SSL_HEADER`: the header as Django names it, and the value that means HTTPS.
pub(super) struct ProxyHeader;

impl Kind for ProxyHeader {
    type Value = Option<(String, String)>;
    const EXPECTED: &'static str =
        "a header and its value, such as [\"HTTP_X_FORWARDED_PROTO\", \"https\"], or null";

    fn read(json: &Json) -> Result<Self::Value, String> {
        match json {
            Json::Null => Ok(None),
            Json::Array(items) => match items.as_slice() {
                [Json::String(header), Json::String(value)] => {
                    Ok(Some((header.clone(), value.clone())))
                }
                _ => Err(expected::<Self>()),
            },
            _ => Err(expected::<Self>()),
        }
    }

    fn show(value: &Self::Value) -> Json {
        value.as_ref().map_or(Json::Null, |(header, value)| {
            vec![header.as_str(), value].into()
        })
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        match value {
            Some((header, value)) if !is_meta_header(header) || value.is_empty() => {
                Err(expected::<Self>())
            }
            _ => Ok(()),
        }
    }
}

/// `ALLOWED_HOSTS`.
pub(super) struct Hosts;

impl Kind for Hosts {
    type Value = Vec<String>;
    const EXPECTED: &'static str = "a list of host names without a port, such as [\"example.com\", \".example.org\"], or [\"*\"]";

    fn read(json: &Json) -> Result<Self::Value, String> {
        TextList::read(json).map_err(|_| expected::<Self>())
    }

    fn show(value: &Self::Value) -> Json {
        value.clone().into()
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        let wrong = value.iter().find(|host| !is_host_pattern(host));
        wrong.map_or(Ok(()), |host| {
            Err(format!(
                "{host:?} is not a host name; {}",
                expected::<Self>()
            ))
        })
    }
}

fn is_host_pattern(pattern: &str) -> bool {
    let name = pattern.strip_prefix('.').unwrap_or(pattern);
    let address = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    pattern == "*"
        || address.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
        || (!name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
}

/// `CSRF_TRUSTED_ORIGINS`.
pub(super) struct Origins;

impl Kind for Origins {
    type Value = Vec<String>;
    const EXPECTED: &'static str = "a list of origins with scheme, such as [\"https://example.com\", \"https://*.example.org\"]";

    fn read(json: &Json) -> Result<Self::Value, String> {
        TextList::read(json).map_err(|_| expected::<Self>())
    }

    fn show(value: &Self::Value) -> Json {
        value.clone().into()
    }

    fn check(value: &Self::Value) -> Result<(), String> {
        let wrong = value.iter().find(|origin| !is_origin(origin));
        wrong.map_or(Ok(()), |origin| {
            Err(format!(
                "{origin:?} is not an origin; {}",
                expected::<Self>()
            ))
        })
    }
}

fn is_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https")
            && !host.is_empty()
            && !host.contains(|c: char| c == '/' || c.is_control() || c.is_whitespace())
    })
}
