//! `sslmode` against a server that speaks TLS and nothing else.
//!
//! The certificate is for `localhost`, by an authority of its own; `tests/data` holds both.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use djauth_db::{Database, Error, ErrorKind};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls-authority.crt");
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls-server.crt");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls-server.key");

/// An ErrorResponse of PostgreSQL with SQLSTATE 28000: whoever reads it has accepted the server.
const REFUSAL: &[u8] = b"E\0\0\0\x23SFATAL\0VFATAL\0C28000\0Mrefused\0\0";

fn server_config() -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_file(KEY).unwrap(),
        );
    Arc::new(config.unwrap())
}

/// Serves one connection on a thread; answers the port.
fn serve_once() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 8];
        socket.read_exact(&mut request).unwrap();
        socket.write_all(b"S").unwrap();
        let mut tls = ServerConnection::new(server_config()).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut socket);
        // Fails when the client does not like the certificate.
        if stream.read(&mut [0; 512]).is_ok() {
            let _ = stream.write_all(REFUSAL);
        }
    });
    port
}

/// Whether a client with these options accepted the server.
async fn accepts(host: &str, options: &str) -> bool {
    let url = format!("postgres://ann@{host}:{}/x?{options}", serve_once());
    let error: Error = Database::connect(&url).await.unwrap_err();
    let accepted = error.to_string().contains("28000");
    assert_eq!(
        *error.kind() == ErrorKind::Configuration,
        accepted,
        "{error:?}"
    );
    assert!(
        accepted || error.to_string().contains("certificate"),
        "{error:?}"
    );
    accepted
}

#[tokio::test]
async fn any_certificate_will_do_unless_it_is_to_be_verified() {
    assert!(accepts("localhost", "sslmode=prefer").await);
    assert!(accepts("localhost", "sslmode=require").await);
    assert!(!accepts("localhost", "sslmode=verify-ca").await);
    assert!(!accepts("localhost", "sslmode=verify-full").await);
}

#[tokio::test]
async fn the_authority_and_the_name_are_checked_as_asked() {
    let root = format!("sslrootcert={AUTHORITY}");
    for mode in ["require", "verify-ca", "verify-full"] {
        assert!(
            accepts("localhost", &format!("sslmode={mode}&{root}")).await,
            "{mode}"
        );
    }
    // Another name for the same server.
    assert!(accepts("127.0.0.1", &format!("sslmode=verify-ca&{root}")).await);
    assert!(!accepts("127.0.0.1", &format!("sslmode=verify-full&{root}")).await);
    // A certificate that is nobody's authority.
    let wrong = format!("sslrootcert={CERTIFICATE}");
    assert!(!accepts("127.0.0.1", &format!("sslmode=verify-full&{wrong}")).await);
}

#[tokio::test]
async fn a_root_certificate_that_cannot_be_read_is_named() {
    let url = "postgres://ann@localhost/x?sslmode=verify-full&sslrootcert=/nowhere/root.crt";
    let error = Database::connect(url).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("/nowhere/root.crt"), "{error}");
}
