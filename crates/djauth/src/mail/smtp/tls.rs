//! TLS to the mail server, with its certificate always checked.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failed;
use crate::settings::Mailer;
use crate::{Error, ErrorKind};

/// What the mailer says of certificates.
pub(super) fn client_config(mailer: &Mailer) -> Result<Arc<ClientConfig>, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS cannot be set up", error))?
        .with_root_certificates(roots(mailer.ssl_cafile.as_deref())?);
    let config = match (&mailer.ssl_certfile, &mailer.ssl_keyfile) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| unusable("EMAIL_SSL_KEYFILE cannot be read", error))?;
            let config = builder.with_client_auth_cert(chain, key);
            config.map_err(|error| unusable("EMAIL_SSL_CERTFILE does not fit its key", error))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn unusable(text: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::caused(ErrorKind::ImproperlyConfigured, text, error)
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let certificates = match file {
        Some(file) => certificates(file)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(certificates);
    if file.is_some() && roots.is_empty() {
        return Err(Error::improperly_configured(
            "EMAIL_SSL_CAFILE holds no certificate",
        ));
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    read.map_err(|error| unusable("a certificate of the mail settings cannot be read", error))
}

/// TLS over this connection, or nothing: the connection ends with an error.
pub(super) async fn handshake(
    config: &Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Error> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| failed("EMAIL_HOST is no name that a certificate can have"))?;
    let secure = TlsConnector::from(config.clone())
        .connect(name, stream)
        .await;
    secure.map_err(|error| {
        let text = "the mail server's TLS failed: nothing is sent in clear text";
        Error::caused(ErrorKind::Mail, text, error)
    })
}
