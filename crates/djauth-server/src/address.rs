//! Where to listen: `runserver [ADDR:PORT]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::failure::Failure;

const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);

/// Reads `PORT`, `ADDRESS:PORT`, `[ADDRESS]:PORT` or `localhost:PORT`; as in Django `0:PORT` means
/// every IPv4 address. Port 0 lets the system choose.
pub(crate) fn parse(text: Option<&str>) -> Result<SocketAddr, Failure> {
    let Some(text) = text else { return Ok(DEFAULT) };
    let address = match text.rsplit_once(':') {
        None => text
            .parse()
            .ok()
            .map(|port| SocketAddr::new(DEFAULT.ip(), port)),
        Some(("localhost", port)) => port
            .parse()
            .ok()
            .map(|port| SocketAddr::new(DEFAULT.ip(), port)),
        Some(("0", port)) => port
            .parse()
            .ok()
            .map(|port| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)),
        Some(_) => text.parse().ok(),
    };
    address.ok_or_else(|| {
        Failure::Usage(format!(
            "{text:?} is not an address; expected PORT, ADDRESS:PORT or [IPV6]:PORT"
        ))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}|[0-9a-f.:\\[\\]]{0,30}") {
            let _ = parse(Some(&text));
        }

        #[test]
        fn every_address_is_read(ip: IpAddr, port: u16) {
            let address = SocketAddr::new(ip, port);
            prop_assert_eq!(parse(Some(&address.to_string())).ok(), Some(address));
        }
    }

    #[test]
    fn the_forms() {
        for (text, address) in [
            ("8001", "127.0.0.1:8001"),
            ("localhost:8001", "127.0.0.1:8001"),
            ("0:8001", "0.0.0.0:8001"),
            ("10.1.2.3:80", "10.1.2.3:80"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(parse(Some(text)).unwrap().to_string(), address);
        }
        assert_eq!(parse(None).unwrap().to_string(), "127.0.0.1:8000");
        for text in ["", "80000", "example.com:80", "::1:80:", "1.2.3.4", "-1"] {
            assert!(parse(Some(text)).is_err(), "{text}");
        }
    }
}
