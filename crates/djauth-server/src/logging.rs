//! The log, on stderr.

use std::io::IsTerminal;

use djauth::settings::Settings;
use tracing_subscriber::EnvFilter;

/// Starts the log. `RUST_LOG`, if set, wins over `LOG_LEVEL`.
pub(crate) fn start(settings: &Settings, color: Option<bool>) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(&settings.log_level));
    let ansi = color.unwrap_or_else(|| {
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
    });
    // A second start can only come from a second call, and then the first one holds.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        .with_writer(std::io::stderr)
        .try_init();
}
