//! Passwords that were stolen elsewhere: a rule that Django lacks.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use sha1::{Digest, Sha1};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{PasswordUser, PasswordValidator};
use crate::Error;
use crate::i18n::{Language, gettext};
use crate::tls;
use crate::validators::ValidationError;

/// Digits of the hash that are sent.
const PREFIX: usize = 5;
/// Digits that are compared here.
const SUFFIX: usize = 35;
/// The largest answer, in bytes. Real ones have about 40,000.
const LARGEST: usize = 1024 * 1024;

/// Not one of the passwords that a breach made public, as a service of k-anonymous range queries knows
/// them (the form of `https://api.pwnedpasswords.com/range/`).
///
/// The service is sent the first five hexadecimal digits of the password's SHA-1 and answers with the rest
/// of every hash that begins so; the comparison is made here. About a million passwords share each
/// beginning. The service is asked to pad its answers, so that their size tells nothing either. Neither the
/// password nor any part of its hash is ever logged.
///
/// Asking takes time, so this rule only speaks in
/// [`validate_async`](PasswordValidator::validate_async): the forms and commands here ask there.
#[derive(Clone)]
pub struct BreachedPasswordValidator {
    host: String,
    port: u16,
    authority: HeaderValue,
    path: String,
    tls: Arc<ClientConfig>,
    timeout: Duration,
    threshold: u64,
    fail_open: bool,
}

impl BreachedPasswordValidator {
    /// The service that most people mean.
    pub const URL: &'static str = "https://api.pwnedpasswords.com/range/";

    /// Asks the service at this URL, to which five digits are appended. It must be `https`.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: another kind of URL.
    pub fn new(url: &str) -> Result<Self, Error> {
        let wrong = || Error::improperly_configured(format!("{}: {url:?}", Self::EXPECTED));
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        if uri.scheme_str() != Some("https") || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(443),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| wrong())?,
            path: path.to_owned(),
            tls: tls::client_config(None, None)?,
            timeout: Duration::from_secs(3),
            threshold: 1,
            fail_open: true,
        })
    }

    const EXPECTED: &'static str =
        "a breach check needs a URL that begins with https:// and names nobody";

    /// How long the service may take; three seconds unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// In how many breaches a password must have been seen to be refused; one unless set.
    #[must_use]
    pub fn threshold(mut self, count: u64) -> Self {
        self.threshold = count.max(1);
        self
    }

    /// Whether a password may be used when the service does not answer; it may unless set. The log says
    /// each time that it was not checked.
    #[must_use]
    pub fn fail_open(mut self, open: bool) -> Self {
        self.fail_open = open;
        self
    }

    /// Trusts the authorities of this file (PEM) in place of the system's.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the file holds none.
    pub fn authorities(mut self, file: &Path) -> Result<Self, Error> {
        self.tls = tls::client_config(Some(file), None)?;
        Ok(self)
    }

    async fn judge(&self, password: &str) -> Result<(), ValidationError> {
        let hash = hash(password);
        let (prefix, suffix) = hash.split_at(PREFIX);
        let asked = tokio::time::timeout(self.timeout, self.ask(prefix)).await;
        let answer = asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match answer.and_then(|answer| count(&answer, suffix)) {
            Ok(count) if count >= self.threshold => Err(ValidationError::of("password_breached")),
            Ok(_) => Ok(()),
            Err(error) => self.not_asked(&error),
        }
    }

    fn not_asked(&self, error: &io::Error) -> Result<(), ValidationError> {
        tracing::warn!(
            target: "django.contrib.auth", host = self.host, kind = %error.kind(), open = self.fail_open,
            "a password could not be looked for among breached ones"
        );
        if self.fail_open {
            Ok(())
        } else {
            Err(ValidationError::of("password_not_checked"))
        }
    }

    async fn ask(&self, prefix: &str) -> io::Result<Bytes> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let stream = tls::handshake(&self.tls, &self.host, stream).await?;
        let connected = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = connected.map_err(io::Error::other)?;
        // Ends with this function, however that ends.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let answered = sender.send_request(self.request(prefix)?).await;
        let response = answered.map_err(io::Error::other)?;
        if response.status() != StatusCode::OK {
            return Err(io::Error::other("the service did not answer with 200"));
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        Ok(body.map_err(io::Error::other)?.to_bytes())
    }

    fn request(&self, prefix: &str) -> io::Result<Request<Empty<Bytes>>> {
        Request::get(format!("{}{prefix}", self.path))
            .header(HOST, self.authority.clone())
            .header(USER_AGENT, concat!("djauth/", env!("CARGO_PKG_VERSION")))
            .header("Add-Padding", "true")
            .body(Empty::new())
            .map_err(io::Error::other)
    }
}

/// SHA-1 in upper-case hexadecimal.
fn hash(password: &str) -> String {
    let digest = Sha1::digest(password);
    digest.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// How often the password with this rest of its hash was seen. An answer that is not of lines
/// `SUFFIX:COUNT` is a failure: it comes from something else.
fn count(answer: &[u8], suffix: &str) -> io::Result<u64> {
    let text = std::str::from_utf8(answer).map_err(io::Error::other)?;
    let mut found = 0;
    let mut lines = 0;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let entry = entry(line).ok_or(io::ErrorKind::InvalidData)?;
        if entry.0.eq_ignore_ascii_case(suffix) {
            found = entry.1;
        }
        lines += 1;
    }
    if lines == 0 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(found)
}

fn entry(line: &str) -> Option<(&str, u64)> {
    let (suffix, count) = line.split_once(':')?;
    let digits = suffix.bytes().all(|byte| byte.is_ascii_hexdigit());
    let count = count.trim().parse().ok()?;
    (suffix.len() == SUFFIX && digits).then_some((suffix, count))
}

impl PasswordValidator for BreachedPasswordValidator {
    /// Says nothing: asking takes time.
    fn validate(
        &self,
        _password: &str,
        _user: Option<&dyn PasswordUser>,
    ) -> Result<(), ValidationError> {
        Ok(())
    }

    fn validate_async<'a>(
        &'a self,
        password: &'a str,
        _user: Option<&'a dyn PasswordUser>,
    ) -> BoxFuture<'a, Result<(), ValidationError>> {
        self.judge(password).boxed()
    }

    fn get_help_text(&self, language: Language) -> String {
        gettext(language, "help.password_breached", &[])
    }
}

impl fmt::Debug for BreachedPasswordValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachedPasswordValidator")
            .field("host", &self.host)
            .field("timeout", &self.timeout)
            .field("threshold", &self.threshold)
            .field("fail_open", &self.fail_open)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn five_digits_are_sent_and_the_rest_is_compared() {
        assert_eq!(hash("password"), "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
        let answer = b"0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n\
            1E4C9B93F3F0682250B6CF8331B7EE68FD8:42\r\n\
            FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:0\r\n";
        let seen = |suffix: &str| count(answer, suffix).unwrap();
        assert_eq!(seen(&hash("password")[PREFIX..]), 42);
        assert_eq!(seen("1e4c9b93f3f0682250b6cf8331b7ee68fd8"), 42);
        assert_eq!(seen(&"F".repeat(SUFFIX)), 0, "padding");
        assert_eq!(seen(&"0".repeat(SUFFIX)), 0);
    }

    #[test]
    fn what_is_no_list_of_hashes_is_a_failure() {
        for answer in [
            "",
            "\r\n",
            "<html>Log in to this network</html>",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD8",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD8:many",
            "E4C9B93F3F0682250B6CF8331B7EE68FD8:1",
            "1E4C9B93F3F0682250B6CF8331B7EE68FDX:1",
        ] {
            count(answer.as_bytes(), &"0".repeat(SUFFIX)).expect_err(answer);
        }
        count(&[0xff], &"0".repeat(SUFFIX)).unwrap_err();
    }

    #[test]
    fn only_https_is_asked() {
        for url in [
            "http://api.example/range/",
            "api.example",
            "https://",
            "https://user:password@api.example/",
            "file:///etc/passwd",
            "",
        ] {
            BreachedPasswordValidator::new(url).expect_err(url);
        }
        let validator = BreachedPasswordValidator::new("https://[::1]:8443/range/").unwrap();
        assert_eq!((validator.host.as_str(), validator.port), ("::1", 8443));
        BreachedPasswordValidator::new(BreachedPasswordValidator::URL).unwrap();
    }

    proptest! {
        #[test]
        fn no_answer_breaks_the_reader(answer: Vec<u8>, lines in "([0-9A-F]{33,36}:[0-9]{0,25}\r?\n){0,5}") {
            let _ = count(&answer, &"0".repeat(SUFFIX));
            let _ = count(lines.as_bytes(), &"0".repeat(SUFFIX));
        }
    }
}
