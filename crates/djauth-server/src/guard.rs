//! What stands around every request: its name, the probes, the access log, the numbers, the time limit,
//! and the net below a panic.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath};
use axum::middleware::Next;
use axum::response::Response;
use djauth::templates::Templates;
use djauth::tokens::without_tokens;
use djauth::views::{verify_answer, verify_at_once};
use djauth::{Auth, BaseUser};
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};

use crate::app::VERIFY;
use crate::health::Health;
use crate::logging::Access;
use crate::metrics::Metrics;
use crate::request_id::{self, X_REQUEST_ID};

/// Guards every request.
pub(crate) struct Guard<U: BaseUser> {
    pub(crate) auth: Auth<U>,
    pub(crate) health: Health,
    /// Only while somebody can ask for them.
    pub(crate) metrics: Option<Arc<Metrics>>,
}

impl<U: BaseUser> Guard<U> {
    /// Answers the request within the limit, whatever happens, and writes a line about it.
    pub(crate) async fn answer(
        &self,
        request: Request<Body>,
        next: Next,
    ) -> Result<Response, Infallible> {
        let probed = self
            .health
            .answer(&self.auth, request.method(), request.uri().path());
        if let Some(answer) = probed.await {
            return Ok(answer);
        }
        let line = Line::of(&request);
        let id = self.name(request.headers(), line.peer);
        Ok(self.within(&line, id, next.run(request)).await)
    }

    /// The same for the question of a proxy, which has been routed already.
    pub(crate) async fn verify<B>(&self, request: Request<B>, peer: SocketAddr) -> Response {
        let line = Line::of_question(peer);
        let id = self.name(request.headers(), line.peer);
        match self.at_once(&request) {
            Some(response) => self.finished(&line, id, response),
            None => {
                let (parts, _) = request.into_parts();
                // Boxed, because it is larger than all the rest.
                Box::pin(self.asked(&line, id, &parts, peer)).await
            }
        }
    }

    fn at_once<B>(&self, request: &Request<B>) -> Option<Response> {
        let answer = || verify_at_once(&self.auth, request.uri(), request.headers());
        // A panic is a 500 here too.
        std::panic::catch_unwind(AssertUnwindSafe(answer))
            .unwrap_or_else(|_| Some(panicked(self.auth.templates())))
    }

    async fn asked(
        &self,
        line: &Line<'_>,
        id: HeaderValue,
        parts: &Parts,
        peer: SocketAddr,
    ) -> Response {
        let response = verify_answer(&self.auth, parts, Some(peer));
        self.within(line, id, response).await
    }

    fn name(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> HeaderValue {
        request_id::of(headers, peer, &self.auth.settings().trusted_proxies)
    }

    async fn within(
        &self,
        line: &Line<'_>,
        id: HeaderValue,
        response: impl Future<Output = Response>,
    ) -> Response {
        let limit = Duration::from_secs(self.auth.settings().server_request_timeout);
        let answer = answer(limit, self.auth.templates(), response);
        let response = request_id::CURRENT.scope(id.clone(), answer).await;
        self.finished(line, id, response)
    }

    fn finished(&self, line: &Line<'_>, id: HeaderValue, mut response: Response) -> Response {
        let (status, time) = (response.status(), line.start.elapsed());
        line.write(&id, status, time);
        if let Some(metrics) = &self.metrics {
            metrics.answered(&line.method, &line.route, status, time);
        }
        response.headers_mut().insert(X_REQUEST_ID, id);
        response
    }
}

async fn answer(
    limit: Duration,
    templates: &Templates,
    response: impl Future<Output = Response>,
) -> Response {
    let caught = AssertUnwindSafe(response).catch_unwind();
    match in_time(limit, caught).await {
        Some(Ok(response)) => response,
        Some(Err(_)) => panicked(templates),
        None => {
            let mut response = page(templates, StatusCode::SERVICE_UNAVAILABLE);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            response
        }
    }
}

/// The panic's own text is on stderr already.
fn panicked(templates: &Templates) -> Response {
    page(templates, StatusCode::INTERNAL_SERVER_ERROR)
}

/// What a future gives within a time. Many answers are there at once, and need no timer; and none is asked
/// for twice before something has happened.
async fn in_time<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut timer) = (pin!(future), pin!(None));
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if timer.is_none() {
            timer.set(Some(tokio::time::sleep(limit)));
        }
        let over = timer.as_mut().as_pin_mut();
        over.map_or(Poll::Pending, |over| over.poll(cx).map(|()| None))
    })
    .await
}

fn page(templates: &Templates, status: StatusCode) -> Response {
    let mut response = templates.error_page(status);
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

/// A line of the access log. It has no query, because queries carry tokens, and no token of a mailed link.
struct Line<'a> {
    start: Instant,
    method: Cow<'a, str>,
    path: Cow<'a, str>,
    /// The pattern of the router, which unlike the path is one of few.
    route: Cow<'a, str>,
    peer: Option<IpAddr>,
}

impl Line<'static> {
    fn of_question(peer: SocketAddr) -> Self {
        Self {
            start: Instant::now(),
            method: "GET".into(),
            path: VERIFY.into(),
            route: VERIFY.into(),
            peer: Some(peer.ip()),
        }
    }

    fn of(request: &Request<Body>) -> Self {
        let peer = request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip());
        let route = request.extensions().get::<MatchedPath>();
        Self {
            start: Instant::now(),
            method: shown(request.method().as_str()).into(),
            path: shown(&without_tokens(request.uri().path())).into(),
            route: route.map_or("other".into(), |route| route.as_str().to_owned().into()),
            peer,
        }
    }
}

impl Line<'_> {
    fn write(&self, id: &HeaderValue, status: StatusCode, time: Duration) {
        let access = Access {
            id: id.to_str().unwrap_or_default(),
            method: &self.method,
            path: &self.path,
            status: status.as_u16(),
            time,
            peer: self.peer,
        };
        access.write();
    }
}

/// The longest path or method that is written, in characters.
const LONGEST: usize = 512;

/// A path or method as it may stand in a log: one line of ASCII (CVE-2025-48432).
fn shown(text: &str) -> String {
    let escaped = text.chars().flat_map(char::escape_default);
    escaped.take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use djauth::settings::{SecretKey, Settings};

    use super::*;

    #[test]
    fn cve_2025_48432_a_path_cannot_write_lines_of_its_own() {
        assert_eq!(
            shown("/login/\nFAKE\x1b[31m\u{85}\u{202e}"),
            r"/login/\nFAKE\u{1b}[31m\u{85}\u{202e}"
        );
        assert_eq!(shown("/login/%0aFAKE"), "/login/%0aFAKE");
        assert!(shown(&"/a".repeat(10_000)).len() <= LONGEST);
    }

    #[test]
    fn a_reset_link_is_not_in_the_log() {
        let token = "diorzu-9fc095b5dc74d3db25dfdb8b697b0e9d";
        for end in ["/", "", ".", "%20"] {
            let path = format!("/accounts/reset/Mg/{token}{end}");
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let line = Line::of(&request);
            assert!(
                line.path.starts_with("/accounts/reset/Mg/***"),
                "{}",
                line.path
            );
            assert!(!line.path.contains("9fc095"), "{}", line.path);
        }
    }

    #[test]
    fn a_long_method_does_not_fill_the_log() {
        let request = Request::builder().method("A".repeat(60_000).as_str());
        let line = Line::of(&request.body(Body::empty()).unwrap());
        assert_eq!(line.method.len(), LONGEST);
    }

    #[tokio::test]
    async fn a_panic_is_a_500_and_a_late_answer_a_503() {
        let key = SecretKey::new("a key for the tests of the guard").unwrap();
        let templates = Templates::new(&Settings::new(key));
        let panic = answer(Duration::from_secs(60), &templates, async {
            panic!("shown on stderr by design")
        })
        .await;
        assert_eq!(panic.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let late = answer(Duration::ZERO, &templates, std::future::pending()).await;
        assert_eq!(late.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(late.headers().contains_key(header::RETRY_AFTER));
    }
}
