//! TLS towards other servers, whose certificates are always checked.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Error, ErrorKind};

/// Trusts the authorities of this file, or else the system's; shows this certificate with this key, if
/// there is one.
pub(crate) fn client_config(
    authorities: Option<&Path>,
    identity: Option<(&Path, &Path)>,
) -> Result<Arc<ClientConfig>, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS cannot be set up", error))?
        .with_root_certificates(roots(authorities)?);
    let Some((certificate, key)) = identity else {
        return Ok(Arc::new(builder.with_no_client_auth()));
    };
    let chain = certificates(certificate)?;
    let unreadable = || format!("{} holds no key that can be read", key.display());
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(unreadable(), error))?;
    let config = builder.with_client_auth_cert(chain, key);
    let config = config.map_err(|error| unusable("certificate and key do not fit", error))?;
    Ok(Arc::new(config))
}

fn unusable(
    text: impl Into<String>,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::caused(ErrorKind::ImproperlyConfigured, text, error)
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let (added, _) = roots.add_parsable_certificates(certificates(file)?);
    if added == 0 {
        let text = format!("{} holds no authority's certificate", file.display());
        return Err(Error::improperly_configured(text));
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unreadable = || format!("{} holds no certificate that can be read", file.display());
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    read.map_err(|error| unusable(unreadable(), error))
}

/// TLS over this connection, or nothing: after a failure there is no connection any more.
pub(crate) async fn handshake(
    config: &Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config.clone())
        .connect(name, stream)
        .await
}
