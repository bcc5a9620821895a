//! A certificate for `localhost`, by an authority of its own, and servers that show it.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../djauth-db/tests/data");

pub(crate) fn authority() -> std::path::PathBuf {
    Path::new(DATA).join("tls-authority.crt")
}

pub(crate) fn acceptor() -> TlsAcceptor {
    let file = |name: &str| Path::new(DATA).join(name);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_file(file("tls-server.crt")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(file("tls-server.key")).expect("a key");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    TlsAcceptor::from(Arc::new(config.expect("fits")))
}
