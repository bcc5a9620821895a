//! The session engine that the settings describe.

use std::sync::Arc;

use djauth_sessions::{Cache, SessionConfig, SessionEngine};
use djauth_signing::{Clock, SecretKeys};

use crate::Error;
use crate::db::Database;
use crate::settings::{self, Settings};

pub(super) fn engine(
    settings: &Settings,
    keys: &SecretKeys,
    db: &Database,
    clock: &Arc<dyn Clock>,
) -> Result<SessionEngine, Error> {
    let config = config(settings, keys, clock);
    Ok(match settings.session_engine {
        settings::SessionEngine::Db => SessionEngine::db(db.clone(), config),
        settings::SessionEngine::CachedDb => {
            SessionEngine::cached_db(db.clone(), cache(settings)?, config)
        }
        settings::SessionEngine::Cache => SessionEngine::cache(cache(settings)?, config),
        settings::SessionEngine::File => SessionEngine::file(config)?,
        settings::SessionEngine::SignedCookies => SessionEngine::signed_cookies(config),
    })
}

fn config(settings: &Settings, keys: &SecretKeys, clock: &Arc<dyn Clock>) -> SessionConfig {
    let mut config = SessionConfig::new(keys).with_clock(clock.clone());
    config.cookie_name.clone_from(&settings.session_cookie_name);
    config.cookie_age = i64::try_from(settings.session_cookie_age).unwrap_or(i64::MAX);
    config
        .cookie_domain
        .clone_from(&settings.session_cookie_domain);
    config.cookie_secure = settings.session_cookie_secure;
    config.cookie_path.clone_from(&settings.session_cookie_path);
    config.cookie_httponly = settings.session_cookie_httponly;
    config.cookie_samesite = settings.session_cookie_samesite.value().map(str::to_owned);
    config.save_every_request = settings.session_save_every_request;
    config.expire_at_browser_close = settings.session_expire_at_browser_close;
    config.file_path.clone_from(&settings.session_file_path);
    config
}

fn cache(settings: &Settings) -> Result<Cache, Error> {
    shared_cache(settings)?.ok_or_else(|| {
        Error::improperly_configured("SESSION_ENGINE needs a cache, but CACHE_URL is not set")
    })
}

/// The cache of `CACHE_URL`, if there is one.
pub(super) fn shared_cache(settings: &Settings) -> Result<Option<Cache>, Error> {
    let Some(url) = settings.cache_url.as_ref() else {
        return Ok(None);
    };
    let version = u32::try_from(settings.cache_version)
        .map_err(|_| Error::improperly_configured("CACHE_VERSION is too large"))?;
    let prefix = &settings.cache_key_prefix;
    Ok(Some(Cache::new(url.expose(), prefix, version)?))
}
