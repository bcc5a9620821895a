//! The limit on guesses at passwords. Django has none; it is on unless
//! [`LOGIN_RATE_LIMIT_PER_NETWORK`](crate::Settings::login_rate_limit_per_network) and
//! [`LOGIN_RATE_LIMIT_PER_USERNAME`](crate::Settings::login_rate_limit_per_username) are empty.
//!
//! # What counts
//!
//! Every call of [`Auth::authenticate`](crate::Auth::authenticate), which every way to log in leads
//! through, is counted **before** a password is looked at, in one step that also compares with the
//! limit: guesses that come at the same time are told apart like any others, across processes too.
//! One over the limit is refused with [`ErrorKind::TooManyAttempts`](crate::ErrorKind), which a page
//! answers with 429 and `Retry-After`; it is neither hashed nor counted. A success takes back its own
//! count and no other, so an office behind one address may log in as often as it likes, and nobody
//! wins guesses back by logging in as somebody else in between. So does a failure of the server,
//! which tells nothing about the password, and one that is shed because too many passwords wait to
//! be hashed ([`hashing`](crate::hashing)): it was not looked at. A wrong password, an unknown name and an account that may
//! not log in stay counted, all alike. A request that is given up stays counted too.
//!
//! Counters are kept, each in periods of the rate's length by the clock (at the most twice the
//! limit falls into a period that begins anywhere):
//!
//! - per **network**: an IPv4 address, or the 64 leading bits of an IPv6 address, which one customer
//!   has to himself. It is the address of
//!   [`Request::client_address`](crate::Request::client_address), so `TRUSTED_PROXIES` must name the
//!   proxies. Without a request, or where the server does not give the peer's address on, there is
//!   none; a line in the log says so (`into_make_service_with_connect_info` is what such a server
//!   lacks).
//! - per **wide network** of IPv6, the 48 leading bits, which anybody can have to himself too: with
//!   65,536 networks in it, he would have as many times the limit. So many guesses are allowed as to
//!   16 networks.
//! - per **username** as it was typed, whether or not there is such an account. Spellings that a
//!   database could take for the same name share a counter: letters and capitals, accents, letters of
//!   full width, blanks and invisible characters make no difference, and a name that a database finds
//!   by a spelling beyond that logs nobody in. While a stranger guesses, the
//!   owner of the account is kept out as well, for a period at the most. Names that no `username`
//!   comes with (tokens of an own backend) have none.
//!
//! `REMOTE_USER` is no guess and counts nowhere.
//!
//! # Where
//!
//! In Redis, if `CACHE_URL` is set; otherwise in the table `djauth_login_attempts`, which
//! [`Auth::migrate`](crate::Auth::migrate) makes along with Django's tables, but not in a database
//! that Django has made; otherwise in the memory of the process: then each process counts for itself,
//! a restart begins anew, and of more than [`Memory::LARGEST`] counters those with the fewest
//! attempts are given up. [`LoginRateLimit::place`] tells which. Counters are named by an HMAC: no
//! name and no address is stored.

mod database;
mod memory;
mod redis;
pub(crate) mod spelling;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use djauth_sessions::Cache;
use djauth_signing::crypto::salted_hmac_hex;
use djauth_signing::{Clock, SecretKey};
use tokio::sync::OnceCell;

pub use memory::Memory;

use self::database::Table;
use self::redis::Redis;
use crate::db::Database;
use crate::settings::{Rate, Settings};
use crate::{Error, ErrorKind};

/// The limits of one [`Auth`](crate::Auth), with their counters.
pub struct LoginRateLimit {
    per_network: Option<Rate>,
    per_username: Option<Rate>,
    key: SecretKey,
    clock: Arc<dyn Clock>,
    db: Database,
    cache: Option<Cache>,
    store: OnceCell<Store>,
    unknown_peers: Once,
}

/// Where attempts are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Nowhere: both limits are turned off.
    Nowhere,
    /// In the table `djauth_login_attempts`.
    Database,
    /// In the Redis of `CACHE_URL`.
    Redis,
    /// In this process, for itself alone.
    Memory,
}

enum Store {
    Table(Table),
    Redis(Redis),
    Memory(Memory),
}

/// One counter in the present period.
#[derive(Clone, Debug)]
struct Counter {
    /// An HMAC of what is counted.
    id: String,
    limit: u32,
    /// The end of the period, in seconds since 1970. It names the period.
    period_end: i64,
    now: i64,
}

/// Attempts that were counted, to be taken back by what was no failed guess.
pub(crate) struct Attempt<'a> {
    limit: &'a LoginRateLimit,
    counted: Vec<Counter>,
}

const SALT: &str = "djauth.rate_limit";

/// A wide network has so many times the limit of one network.
const WIDE: u32 = 16;

impl LoginRateLimit {
    pub(crate) fn new(
        settings: &Settings,
        db: &Database,
        clock: &Arc<dyn Clock>,
        cache: Option<Cache>,
    ) -> Self {
        Self {
            per_network: settings.login_rate_limit_per_network,
            per_username: settings.login_rate_limit_per_username,
            key: settings.secret_key.clone(),
            clock: clock.clone(),
            db: db.clone(),
            cache,
            store: OnceCell::new(),
            unknown_peers: Once::new(),
        }
    }

    /// Says, once, that a request did not tell where it came from.
    pub(crate) fn warn_of_unknown_peers(&self) {
        self.unknown_peers.call_once(|| {
            tracing::warn!(
                target: "djauth.rate_limit",
                "somebody logs in, and the server does not say from which address: guesses are not \
                 counted per network, and all clients together have one share of the hashing threads. \
                 Serve the application with \
                 `app.into_make_service_with_connect_info::<SocketAddr>()`"
            );
        });
    }

    /// Counts an attempt, or refuses it.
    ///
    /// # Errors
    /// `TooManyAttempts`. Otherwise the store's: nothing is let through uncounted.
    pub(crate) async fn count(
        &self,
        address: Option<IpAddr>,
        username: Option<&str>,
    ) -> Result<Attempt<'_>, Error> {
        let now = self.clock.now().timestamp();
        let network = address.and_then(|address| self.network(address, now));
        let wide = address.and_then(|address| self.wide_network(address, now));
        let username = username.and_then(|username| self.username(username, now));
        let mut attempt = Attempt {
            limit: self,
            counted: Vec::new(),
        };
        for counter in [network, wide, username].into_iter().flatten() {
            if self.store().await?.count(&counter).await? {
                attempt.counted.push(counter);
                continue;
            }
            attempt.take_back().await;
            let seconds = u64::try_from(counter.period_end - now).unwrap_or(1).max(1);
            return Err(Error::too_many_attempts(Duration::from_secs(seconds)));
        }
        Ok(attempt)
    }

    /// Whether attempts at both names go into one counter. A backend that finds a user by another
    /// spelling of the name must take it for nobody's otherwise, or each spelling would be worth as
    /// many guesses as the limit allows.
    #[must_use]
    pub fn counts_together(&self, typed: &str, stored: &str) -> bool {
        self.per_username.is_none()
            || typed == stored
            || spelling::fold(typed) == spelling::fold(stored)
    }

    /// Forgets the attempts of a network, and those of the wide network around it; whether there were
    /// any.
    ///
    /// # Errors
    /// The store's.
    pub async fn unlock_network(&self, address: IpAddr) -> Result<bool, Error> {
        let now = self.clock.now().timestamp();
        let wide = self.unlock(self.wide_network(address, now)).await?;
        Ok(self.unlock(self.network(address, now)).await? || wide)
    }

    /// Forgets the attempts at a username; whether there were any.
    ///
    /// # Errors
    /// The store's.
    pub async fn unlock_username(&self, username: &str) -> Result<bool, Error> {
        self.unlock(self.username(username, self.clock.now().timestamp()))
            .await
    }

    async fn unlock(&self, counter: Option<Counter>) -> Result<bool, Error> {
        match counter {
            Some(counter) => self.store().await?.forget(&counter).await,
            None => Ok(false),
        }
    }

    /// Forgets all attempts.
    ///
    /// # Errors
    /// The store's.
    pub async fn unlock_all(&self) -> Result<(), Error> {
        self.store().await?.forget_all().await
    }

    /// Where attempts are counted. The first call finds it out.
    ///
    /// # Errors
    /// The database's.
    pub async fn place(&self) -> Result<Place, Error> {
        if self.per_network.is_none() && self.per_username.is_none() {
            return Ok(Place::Nowhere);
        }
        Ok(match self.store().await? {
            Store::Table(_) => Place::Database,
            Store::Redis(_) => Place::Redis,
            Store::Memory(_) => Place::Memory,
        })
    }

    async fn store(&self) -> Result<&Store, Error> {
        self.store.get_or_try_init(|| self.find_store()).await
    }

    async fn find_store(&self) -> Result<Store, Error> {
        if let Some(cache) = &self.cache {
            return Ok(Store::Redis(Redis::new(cache.clone())));
        }
        if let Some(table) = Table::find(&self.db).await? {
            return Ok(Store::Table(table));
        }
        tracing::warn!(
            target: "djauth.rate_limit",
            "attempts to log in are counted by each process for itself: neither is CACHE_URL set \
             nor has the database a table for them"
        );
        Ok(Store::Memory(Memory::default()))
    }

    fn network(&self, address: IpAddr, now: i64) -> Option<Counter> {
        let network = match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("{:x}", address.to_bits() >> 64),
        };
        Some(self.counter("network", &network, self.per_network?, now))
    }

    fn wide_network(&self, address: IpAddr, now: i64) -> Option<Counter> {
        let IpAddr::V6(address) = address.to_canonical() else {
            return None;
        };
        let network = format!("{:x}", address.to_bits() >> 80);
        let mut counter = self.counter("wide network", &network, self.per_network?, now);
        counter.limit = counter.limit.saturating_mul(WIDE);
        Some(counter)
    }

    fn username(&self, username: &str, now: i64) -> Option<Counter> {
        let rate = self.per_username?;
        Some(self.counter("username", &spelling::fold(username), rate, now))
    }

    fn counter(&self, kind: &str, value: &str, rate: Rate, now: i64) -> Counter {
        let period = i64::from(rate.seconds());
        // The period is part of the name, so that a change of the setting counts anew.
        let value = format!("{kind}:{period}:{value}");
        let secret = self.key.as_bytes();
        Counter {
            id: salted_hmac_hex(SALT, value.as_bytes(), secret),
            limit: rate.count(),
            period_end: (now.div_euclid(period) + 1) * period,
            now,
        }
    }
}

impl fmt::Debug for LoginRateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRateLimit")
            .field("per_network", &self.per_network)
            .field("per_username", &self.per_username)
            .finish_non_exhaustive()
    }
}

impl Attempt<'_> {
    /// It was no failed guess. A counter that cannot be written stays too high, which is safe.
    pub(crate) async fn take_back(self) {
        if self.counted.is_empty() {
            return;
        }
        let taken = async { self.limit.store().await?.take_back(&self.counted).await };
        if let Err(error) = taken.await {
            tracing::warn!(target: "djauth.rate_limit", %error, "an attempt stays counted");
        }
    }
}

impl Store {
    /// Whether there was room; it is taken then.
    async fn count(&self, counter: &Counter) -> Result<bool, Error> {
        match self {
            Store::Table(table) => table.count(counter).await,
            Store::Redis(redis) => redis.count(counter).await,
            Store::Memory(memory) => Ok(memory.count(counter)),
        }
    }

    async fn take_back(&self, counters: &[Counter]) -> Result<(), Error> {
        if let Store::Table(table) = self {
            return table.take_back(counters).await;
        }
        for counter in counters {
            match self {
                Store::Table(_) => {}
                Store::Redis(redis) => redis.take_back(counter).await?,
                Store::Memory(memory) => memory.take_back(counter),
            }
        }
        Ok(())
    }

    async fn forget(&self, counter: &Counter) -> Result<bool, Error> {
        match self {
            Store::Table(table) => table.forget(counter).await,
            Store::Redis(redis) => redis.forget(counter).await,
            Store::Memory(memory) => Ok(memory.forget(counter)),
        }
    }

    async fn forget_all(&self) -> Result<(), Error> {
        match self {
            Store::Table(table) => table.forget_all().await,
            Store::Redis(redis) => redis.forget_all().await,
            Store::Memory(memory) => {
                memory.forget_all();
                Ok(())
            }
        }
    }
}

impl Error {
    fn too_many_attempts(retry_after: Duration) -> Self {
        Error::new(
            ErrorKind::TooManyAttempts { retry_after },
            "too many attempts to log in",
        )
    }
}
