//! What probes ask: does the server run, and do database and cache answer?
//!
//! Answered before anything else: to any host name (probes use addresses), without session, access log
//! and rate limit. The answer is one word, so nothing is told to strangers; the log has the reason.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use djauth::settings::Settings;
use djauth::{Auth, BaseUser};
use http::{HeaderValue, Method, StatusCode, header};
use tokio::sync::Mutex;

/// How long an answer is given again, so that a flood of questions is no flood of statements.
const FRESH: Duration = Duration::from_secs(1);

/// Where probes ask, and the last answer about database and cache.
pub(crate) struct Health {
    liveness: Option<String>,
    readiness: Option<String>,
    limit: Duration,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Health {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            liveness: settings.health_liveness_path.clone(),
            readiness: settings.health_readiness_path.clone(),
            limit: Duration::from_secs(settings.health_timeout),
            last: Mutex::default(),
        }
    }

    /// Whether the path is a probe's.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        let probes = [&self.liveness, &self.readiness];
        probes.iter().any(|probe| probe.as_deref() == Some(path))
    }

    /// The answer, if the path is a probe's.
    pub(crate) async fn answer<U: BaseUser>(
        &self,
        auth: &Auth<U>,
        method: &Method,
        path: &str,
    ) -> Option<Response> {
        if !self.is_at(path) {
            return None;
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "");
            let allowed = HeaderValue::from_static("GET, HEAD");
            refused.headers_mut().insert(header::ALLOW, allowed);
            return Some(refused);
        }
        Some(if self.liveness.as_deref() == Some(path) {
            plain(StatusCode::OK, "ok\n")
        } else if self.is_ready(auth).await {
            plain(StatusCode::OK, "ready\n")
        } else {
            plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        })
    }

    /// Asks once for all who want to know at the same time.
    async fn is_ready<U: BaseUser>(&self, auth: &Auth<U>) -> bool {
        let mut last = self.last.lock().await;
        match *last {
            Some((when, ready)) if when.elapsed() < FRESH => ready,
            _ => {
                let ready = ask(auth, self.limit).await;
                *last = Some((Instant::now(), ready));
                ready
            }
        }
    }
}

async fn ask<U: BaseUser>(auth: &Auth<U>, limit: Duration) -> bool {
    let both = async {
        auth.db().ping().await.map_err(|error| error.to_string())?;
        let cache = auth.sessions().ping().await;
        cache.map_err(|error| error.to_string())
    };
    let problem = match tokio::time::timeout(limit, both).await {
        Ok(Ok(())) => return true,
        Ok(Err(problem)) => problem,
        Err(_) => format!("no answer within {limit:?}"),
    };
    tracing::warn!(target: "djauth.health", problem, "not ready");
    false
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
