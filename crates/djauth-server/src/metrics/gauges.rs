//! Numbers that are looked up when somebody asks.

use std::fmt;

use djauth::{Auth, BaseUser};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// How busy the hashing threads, the mail queue and the connections to the database are.
#[derive(Debug)]
pub(super) struct Gauges<U: BaseUser>(pub(super) Auth<U>);

impl<U: BaseUser> Collector for Gauges<U> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        self.hashing(&mut encoder)?;
        let waiting = self.0.mail().waiting() as u64;
        gauge(&mut encoder, "mail_waiting", "Mails that wait", waiting)?;
        self.cache(&mut encoder)?;
        self.database(&mut encoder)
    }
}

impl<U: BaseUser> Gauges<U> {
    fn hashing(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.hashing().stats();
        let (work, wait) = (stats.work.as_secs_f64(), stats.wait.as_secs_f64());
        gauge(
            encoder,
            "hashing_waiting",
            "Password hashes that wait",
            stats.waiting,
        )?;
        gauge(
            encoder,
            "hashing_running",
            "Password hashes that are made",
            stats.running,
        )?;
        gauge(
            encoder,
            "hashing_lanes",
            "Password hashes that are made beside others in a thread (PBKDF2)",
            stats.lanes,
        )?;
        gauge(
            encoder,
            "hashing_memory_bytes",
            "Memory set aside for Argon2 and scrypt",
            stats.memory,
        )?;
        counter(
            encoder,
            "hashing_dropped",
            "Password hashes whose client had gone",
            stats.dropped,
        )?;
        counter(encoder, "hashing_jobs", "Password hashes done", stats.done)?;
        counter(
            encoder,
            "hashing_refused",
            "Password hashes refused (503)",
            stats.refused,
        )?;
        counter(
            encoder,
            "hashing_refused_unnamed",
            "Password hashes refused whose client's address is not known",
            stats.refused_unnamed,
        )?;
        counter(
            encoder,
            "hashing_work_seconds",
            "Time that hashes took",
            work,
        )?;
        counter(
            encoder,
            "hashing_wait_seconds",
            "Time that hashes waited",
            wait,
        )
    }

    fn cache(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(stats) = self.0.auth_cache_stats() else {
            return Ok(());
        };
        for (name, help, value) in [
            (
                "auth_cache_hits",
                "Authenticated requests answered by the cache",
                stats.hits,
            ),
            (
                "auth_cache_misses",
                "Authenticated requests that asked the database",
                stats.misses,
            ),
            (
                "auth_cache_proofs",
                "Proofs that an entry is still right",
                stats.proofs,
            ),
            ("auth_cache_changed", "Proofs that said no", stats.changed),
            (
                "auth_cache_failed_proofs",
                "Proofs that could not be had",
                stats.failed_proofs,
            ),
        ] {
            counter(encoder, name, help, value)?;
        }
        let entries = stats.entries;
        gauge(
            encoder,
            "auth_cache_entries",
            "Sessions in the cache",
            entries,
        )?;
        let help = "Bytes that the cache takes, about";
        gauge(encoder, "auth_cache_bytes", help, stats.bytes)
    }

    fn database(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(stats) = self.0.db().pool_stats() else {
            return Ok(());
        };
        for (name, help, value) in [
            ("db_connections_limit", "Connections at most", stats.limit),
            (
                "db_connections_open",
                "Connections that are open",
                stats.open,
            ),
            (
                "db_connections_idle",
                "Open connections that are free",
                stats.idle,
            ),
            (
                "db_waiting",
                "Statements that wait for a connection",
                stats.waiting,
            ),
        ] {
            gauge(encoder, name, help, value as u64)?;
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn counter<N>(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: N) -> fmt::Result
where
    ConstCounter<N>: EncodeMetric,
{
    let counter = ConstCounter::new(value);
    counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
}
