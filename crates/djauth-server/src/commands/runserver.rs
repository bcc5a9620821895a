//! `runserver [ADDR:PORT]`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use djauth::base_user::UserFlag;
use djauth::models::Q;
use djauth::rate_limit::Place;
use djauth::settings::Settings;
use djauth::{Auth, BaseUser};
use tokio::net::TcpListener;

use crate::app::App;
use crate::commands::createsuperuser;
use crate::database::{self, failed};
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::own_database::Plan;
use crate::serve::{Limits, Stop, serve, serve_aside};
use crate::{address, metrics, output, terminal};

/// The names that a server on loopback answers to when `ALLOWED_HOSTS` is empty.
const LOOPBACK_NAMES: [&str; 4] = ["localhost", ".localhost", "127.0.0.1", "[::1]"];

/// How long the log of logins may take at the end.
const LOG_LIMIT: Duration = Duration::from_secs(5);

/// Serves until it is stopped.
///
/// Whatever can be refused is refused first, so that a refused start leaves no files.
pub(crate) async fn run<U: BaseUser>(mut plan: Plan, address: Option<&str>) -> Result<(), Failure> {
    let address = address::parse(address)?;
    allow_loopback(&mut plan, address)?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| cannot_listen(address, &error))?;
    let numbers = numbers_listener(plan.settings()).await?;
    let opened = database::open_or_make::<U>(plan).await?;
    database::must_be_migrated(&opened.auth).await?;
    offer_superuser(&opened).await?;
    announce_limit(&opened.auth).await?;
    let stop = Stop::new()?;
    let limits = Limits::of(opened.auth.settings());
    let metrics = match numbers {
        Some(listener) => Some(serve_numbers(&opened.auth, listener, limits)?),
        None => None,
    };
    announce(&listener)?;
    serve(listener, App::new(&opened.auth, metrics), limits, stop).await;
    let limit = opened.auth.settings().email_shutdown_timeout;
    opened.auth.mail().drain(Duration::from_secs(limit)).await;
    last_seen(&opened.auth).await;
    opened.auth.access_log().drain(LOG_LIMIT).await;
    opened.auth.db().close().await;
    Ok(())
}

/// Writes what waited for the end of its minute.
async fn last_seen<U: BaseUser>(auth: &Auth<U>) {
    if let Err(error) = auth.user_sessions().write_last_seen().await {
        tracing::warn!(target: "djauth.server", %error, "it was not written when sessions were last seen");
    }
}

/// The listener of `METRICS_ADDRESS`.
async fn numbers_listener(settings: &Settings) -> Result<Option<TcpListener>, Failure> {
    let Some(address) = settings.metrics_address.as_ref() else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let text = format!("METRICS_ADDRESS: cannot listen on {address}: {error}");
        Failure::caused(text, &error)
    })?;
    Ok(Some(listener))
}

fn serve_numbers<U: BaseUser>(
    auth: &Auth<U>,
    listener: TcpListener,
    limits: Limits,
) -> Result<Arc<Metrics>, Failure> {
    let metrics = Metrics::new(auth);
    let address = bound_to(&listener)?;
    output::say(format!(
        "Numbers for Prometheus at http://{address}/metrics"
    ));
    serve_aside(listener, metrics::router(metrics.clone()), limits);
    Ok(metrics)
}

fn bound_to(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    let address = listener.local_addr();
    address.map_err(|error| Failure::caused("the listener has no address", &error))
}

fn allow_loopback(plan: &mut Plan, address: SocketAddr) -> Result<(), Failure> {
    if !plan.settings().allowed_hosts.is_empty() {
        return Ok(());
    }
    if !address.ip().to_canonical().is_loopback() {
        return Err(Failure::other(format!(
            "ALLOWED_HOSTS is empty, and {address} can be reached from other machines: \
             name the hosts that the server answers to, such as ALLOWED_HOSTS='[\"example.com\"]'"
        )));
    }
    plan.set_allowed_hosts(LOOPBACK_NAMES.map(String::from).to_vec());
    Ok(())
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "; is djauth running already? Name another port: `djauth runserver 8001`"
        }
        std::io::ErrorKind::PermissionDenied => "; ports below 1024 need special rights",
        _ => "",
    };
    Failure::caused(format!("cannot listen on {address}: {error}{hint}"), error)
}

fn announce(listener: &TcpListener) -> Result<(), Failure> {
    let address = bound_to(listener)?;
    output::say(format!("djauth serves http://{address}/ (Ctrl-C stops it)"));
    Ok(())
}

/// Says where failed logins are counted, where that is less than could be expected.
async fn announce_limit<U: BaseUser>(auth: &Auth<U>) -> Result<(), Failure> {
    let place = auth.login_rate_limit().place().await;
    match place.map_err(|error| failed("the database cannot be read", &error))? {
        Place::Nowhere => output::say("Failed logins are not limited."),
        Place::Memory => output::say(
            "Failed logins are counted by this process alone; CACHE_URL names a place for all.",
        ),
        _ => {}
    }
    Ok(())
}

/// Says how to make the first superuser, and on a terminal offers to.
async fn offer_superuser<U: BaseUser>(opened: &database::Opened<U>) -> Result<(), Failure> {
    if has_superuser(&opened.auth).await? {
        return Ok(());
    }
    if opened.fresh && terminal::is_interactive() {
        let answer = terminal::ask("There is no superuser yet. Make one now? [Y/n] ").await?;
        if matches!(answer.trim(), "" | "y" | "Y" | "yes") {
            return {
                let given = createsuperuser::Given {
                    fields: Vec::new(),
                    interactive: true,
                };
                createsuperuser::interactive(&opened.auth, &given, 1).await
            };
        }
    }
    output::say("There is no superuser yet: `djauth createsuperuser` makes one.");
    Ok(())
}

async fn has_superuser<U: BaseUser>(auth: &Auth<U>) -> Result<bool, Failure> {
    let UserFlag::Field(name) = &auth.user_meta().is_superuser else {
        return Ok(true);
    };
    let found = auth.users().filter(Q::eq(name, true)).exists().await;
    found.map_err(|error| failed("the database cannot be read", &error))
}
