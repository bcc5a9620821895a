//! A mail server: `django.core.mail.backends.smtp`.

mod starttls;
mod stream;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use self::stream::Stream;
use super::message::host_name;
use super::{EmailMessage, MailSender};
use crate::settings::Mailer;
use crate::{Error, ErrorKind, SecretKey, tls};

/// How long one message may take where nothing is set. Django waits for ever.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends by SMTP, each message over a connection of its own.
pub struct SmtpSender {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, SecretKey)>,
    timeout: Duration,
}

enum Security {
    /// `EMAIL_USE_TLS` and `EMAIL_USE_SSL` are both off.
    None,
    StartTls(Arc<ClientConfig>),
    Tls(Arc<ClientConfig>),
}

impl SmtpSender {
    /// A sender for the server that the mailer names. Nothing is sent yet.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: a certificate cannot be read.
    pub fn new(mailer: &Mailer) -> Result<Self, Error> {
        let security = match (mailer.use_ssl, mailer.use_tls) {
            (true, true) => {
                return Err(Error::improperly_configured(
                    "EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other",
                ));
            }
            (true, false) => Security::Tls(config(mailer)?),
            (false, true) => Security::StartTls(config(mailer)?),
            (false, false) => Security::None,
        };
        let user = (!mailer.username.is_empty()).then(|| mailer.username.clone());
        Ok(Self {
            host: mailer.host.clone(),
            port: mailer.port,
            security,
            login: user.zip(mailer.password.clone()),
            timeout: mailer.timeout.map_or(TIMEOUT, Duration::from_secs),
        })
    }

    async fn deliver(&self, message: &Message) -> Result<(), Error> {
        let mut connection = self.connect().await?;
        let formatted = message.formatted();
        // The client adds the last line's end again.
        let text = formatted.strip_suffix(b"\r\n").unwrap_or(&formatted);
        let sent = connection.send(message.envelope(), text).await;
        // The message was taken or refused by now; how the server says goodbye changes nothing.
        if sent.is_ok() {
            let _ = connection.quit().await;
        }
        sent.map(drop).map_err(|error| refused(&error))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let stream = Box::new(self.stream().await?);
        let name = ClientId::Domain(host_name());
        let connection = AsyncSmtpConnection::connect_with_transport(stream, &name).await;
        let mut connection = connection.map_err(|error| refused(&error))?;
        if let Some((user, password)) = &self.login {
            let credentials = credentials(user, password)?;
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let answer = connection.auth(&mechanisms, &credentials).await;
            answer.map_err(|error| refused(&error))?;
        }
        Ok(connection)
    }

    /// A connection that is as safe as the settings ask for, or an error: there is no way on from a
    /// handshake that failed.
    async fn stream(&self) -> Result<Stream, Error> {
        let address = (self.host.as_str(), self.port);
        let mut plain = TcpStream::connect(address).await.map_err(unreachable)?;
        match &self.security {
            Security::None => Ok(Stream::plain(plain)),
            Security::Tls(config) => {
                let secure = self.handshake(config, plain).await?;
                Ok(Stream::secure(secure))
            }
            Security::StartTls(config) => {
                starttls::ask(&mut plain, &host_name()).await?;
                let secure = self.handshake(config, plain).await?;
                Ok(Stream::greeted(secure))
            }
        }
    }

    async fn handshake(
        &self,
        config: &Arc<ClientConfig>,
        plain: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let secure = tls::handshake(config, &self.host, plain).await;
        secure.map_err(|error| {
            let text = "the mail server's TLS failed: nothing is sent in clear text";
            Error::caused(ErrorKind::Mail, text, error)
        })
    }
}

fn config(mailer: &Mailer) -> Result<Arc<ClientConfig>, Error> {
    let certificate = mailer.ssl_certfile.as_deref();
    let identity = certificate.zip(mailer.ssl_keyfile.as_deref());
    tls::client_config(mailer.ssl_cafile.as_deref(), identity)
}

impl MailSender for SmtpSender {
    fn send(&self, message: EmailMessage) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            let message = message.mime()?;
            let delivered = tokio::time::timeout(self.timeout, self.deliver(&message)).await;
            delivered.unwrap_or_else(|_| Err(failed("the mail server took too long")))
        }
        .boxed()
    }
}

impl fmt::Debug for SmtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security = match self.security {
            Security::None => "none",
            Security::StartTls(_) => "STARTTLS",
            Security::Tls(_) => "TLS",
        };
        f.debug_struct("SmtpSender")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &security)
            .field("login", &self.login.is_some())
            .finish_non_exhaustive()
    }
}

fn credentials(user: &str, password: &SecretKey) -> Result<Credentials, Error> {
    let password = std::str::from_utf8(password.as_bytes())
        .map_err(|_| Error::improperly_configured("EMAIL_HOST_PASSWORD is not UTF-8"))?;
    Ok(Credentials::new(user.to_owned(), password.to_owned()))
}

fn failed(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Mail, text)
}

fn unreachable(error: std::io::Error) -> Error {
    Error::caused(ErrorKind::Mail, "the mail server cannot be reached", error)
}

/// Without the server's words, which often hold the address.
fn refused(error: &lettre::transport::smtp::Error) -> Error {
    match error.status() {
        Some(code) => failed(format!("the mail server refused with code {code}")),
        None if error.is_client() => {
            failed("the mail server lacks something that the message or the login needs")
        }
        None => failed("the conversation with the mail server broke off"),
    }
}
