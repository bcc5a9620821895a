//! Where a request was sent from: `Origin` and `Referer`.

use super::RejectReason;
use crate::http::{Request, SplitResult, is_same_domain, urlsplit};

/// `CSRF_TRUSTED_ORIGINS`, taken apart once.
#[derive(Debug, Default)]
pub(crate) struct TrustedOrigins {
    exact: Vec<String>,
    /// Scheme, and domain with its leading dot, of the entries with `*`.
    subdomains: Vec<(String, String)>,
    /// The hosts of all entries, for the `Referer`.
    hosts: Vec<String>,
}

impl TrustedOrigins {
    pub(crate) fn new(origins: &[String]) -> Self {
        let mut trusted = TrustedOrigins::default();
        for origin in origins {
            let SplitResult { scheme, netloc, .. } = urlsplit(origin).unwrap_or_default();
            let host = netloc.trim_start_matches('*').to_owned();
            trusted.hosts.push(host.clone());
            if origin.contains('*') {
                trusted.subdomains.push((scheme, host));
            } else {
                trusted.exact.push(origin.clone());
            }
        }
        trusted
    }

    /// The check of where an unsafe request was sent from: by its `Origin`, or if there is none and the
    /// request is encrypted, by its `Referer`.
    pub(crate) fn check(&self, request: &Request) -> Result<(), RejectReason> {
        match request.header("origin") {
            Some(origin) if self.is_origin_trusted(request, &origin) => Ok(()),
            Some(_) => Err(RejectReason::BadOrigin),
            None if request.is_secure() => self.check_referer(request),
            None => Ok(()),
        }
    }

    fn is_origin_trusted(&self, request: &Request, origin: &str) -> bool {
        let own = request
            .get_host()
            .map(|host| format!("{}://{host}", request.scheme()));
        if own.is_ok_and(|own| own == origin) || self.exact.iter().any(|exact| exact == origin) {
            return true;
        }
        let Ok(parts) = urlsplit(origin) else {
            return false;
        };
        let matches = |(scheme, host): &(String, String)| {
            *scheme == parts.scheme && is_same_domain(&parts.netloc, host)
        };
        self.subdomains.iter().any(matches)
    }

    fn check_referer(&self, request: &Request) -> Result<(), RejectReason> {
        let referer = request.header("referer").ok_or(RejectReason::NoReferer)?;
        let referer = urlsplit(&referer).map_err(|_| RejectReason::MalformedReferer)?;
        if referer.scheme.is_empty() || referer.netloc.is_empty() {
            return Err(RejectReason::MalformedReferer);
        }
        if referer.scheme != "https" {
            return Err(RejectReason::InsecureReferer);
        }
        if self
            .hosts
            .iter()
            .any(|host| is_same_domain(&referer.netloc, host))
        {
            return Ok(());
        }
        let own = own_host(request).ok_or(RejectReason::BadReferer)?;
        if is_same_domain(&referer.netloc, &own) {
            Ok(())
        } else {
            Err(RejectReason::BadReferer)
        }
    }
}

/// The domain of the cookie that holds the secret, with the port unless it is a usual one; without a
/// cookie domain the host of the request.
fn own_host(request: &Request) -> Option<String> {
    let settings = request.settings();
    let domain = if settings.csrf_use_sessions {
        &settings.session_cookie_domain
    } else {
        &settings.csrf_cookie_domain
    };
    let Some(domain) = domain else {
        return Some(request.get_host().ok()?.into_owned());
    };
    Some(match request.get_port().as_str() {
        "443" | "80" => domain.clone(),
        port => format!("{domain}:{port}"),
    })
}
