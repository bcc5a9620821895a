//! Numbers for Prometheus, on an address of their own (`METRICS_ADDRESS`).
//!
//! No label has a value that a client chooses: routes are the router's patterns, methods the known
//! ones, backends those of the settings. No number tells about one person.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use djauth::{Auth, BaseUser};
use http::{StatusCode, header};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

mod gauges;

/// The counters.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram>,
    logins: Family<Login, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Login {
    result: &'static str,
    /// Empty where no backend knew the credentials.
    backend: String,
}

/// The bounds of the durations, in seconds: a page from memory takes less than the first, a login with
/// its hash a few tenths, and the request's limit ends the rest.
const BOUNDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

impl Metrics {
    pub(crate) fn new<U: BaseUser>(auth: &Auth<U>) -> Arc<Self> {
        let mut registry = Registry::with_prefix("djauth");
        let requests = Family::default();
        let durations = Family::new_with_constructor(histogram as fn() -> Histogram);
        let logins = Family::default();
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register(
            "build",
            "The version that runs",
            Info::new(version.to_vec()),
        );
        registry.register(
            "http_requests",
            "Requests that were answered",
            requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time until the answer",
            durations.clone(),
        );
        registry.register(
            "logins",
            "Attempts to log in that were judged",
            logins.clone(),
        );
        registry.register_collector(Box::new(gauges::Gauges(auth.clone())));
        let metrics = Arc::new(Self {
            registry,
            requests,
            durations,
            logins,
        });
        metrics.hear_of_logins(auth);
        metrics
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, method: &str, route: &str, status: StatusCode, time: Duration) {
        let labels = Answered {
            method: known_method(method),
            route: route.to_owned(),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
        let route = route.to_owned();
        let durations = self.durations.get_or_create(&Route { route });
        durations.observe(time.as_secs_f64());
    }

    fn hear_of_logins<U: BaseUser>(self: &Arc<Self>, auth: &Auth<U>) {
        let metrics = self.clone();
        auth.signals().user_logged_in.connect(move |event| {
            let backend = event.user.base().backend();
            metrics.count_login("ok", backend.unwrap_or_default());
            async {}
        });
        let metrics = self.clone();
        auth.signals().user_login_failed.connect(move |_| {
            metrics.count_login("failed", "");
            async {}
        });
    }

    fn count_login(&self, result: &'static str, backend: &str) {
        let backend = backend.to_owned();
        self.logins.get_or_create(&Login { result, backend }).inc();
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The page of numbers.
pub(crate) fn router(metrics: Arc<Metrics>) -> Router {
    const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let page = move || {
        let text = metrics.text();
        async move {
            text.map(|text| ([(header::CONTENT_TYPE, KIND)], text))
                .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
    Router::new().route("/metrics", get(page))
}

/// Methods that a client invents count as one.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| *known == method);
    known.unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_methods_count_as_one() {
        assert_eq!(known_method("GET"), "GET");
        assert_eq!(known_method("get"), "other");
        assert_eq!(known_method("BREW"), "other");
    }
}
