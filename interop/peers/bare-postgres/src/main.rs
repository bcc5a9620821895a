//! `bare-postgres ADDR:PORT`: a small axum application that answers `/auth/verify?perm=…` from memory and yet asks the
//! database at each request whether anything changed: a map, and one row that holds a version.
//!
//! No session is decoded or verified, nothing is logged, nothing expires: what djauth does beyond this
//! is what it costs. `DATABASE_URL` names the database; `BENCH_KEYS` a file of session keys, of which the
//! n-th is that of `user<n>`. The row, in the table `bare_version`, is made at the start; a site would
//! have to change it with every write.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_postgres::{Client, NoTls, Statement};

const X_REMOTE_USER: HeaderName = HeaderName::from_static("x-remote-user");

const MAKE: &str = "CREATE TABLE IF NOT EXISTS bare_version (id int PRIMARY KEY, version bigint NOT NULL); \
     INSERT INTO bare_version VALUES (1, 1) ON CONFLICT DO NOTHING";

const VERSION: &str = "SELECT version FROM bare_version WHERE id = 1";

const READ: &str = "SELECT auth_user.username, EXISTS (SELECT 1 FROM auth_permission \
     JOIN django_content_type ON django_content_type.id = auth_permission.content_type_id \
     JOIN auth_group_permissions ON auth_group_permissions.permission_id = auth_permission.id \
     JOIN auth_user_groups ON auth_user_groups.group_id = auth_group_permissions.group_id \
     WHERE auth_user_groups.user_id = auth_user.id \
     AND django_content_type.app_label = $2 AND auth_permission.codename = $3) \
     FROM auth_user WHERE auth_user.username = $1 AND auth_user.is_active";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("bare-postgres ADDR:PORT")?;
    let keys = std::fs::read_to_string(std::env::var("BENCH_KEYS")?)?;
    let users = keys.lines().enumerate();
    let users = users.map(|(n, key)| (key.to_owned(), format!("user{n}")));
    let peer = Peer {
        connections: connect().await?,
        next: AtomicUsize::new(0),
        users: users.collect(),
        cache: RwLock::default(),
    };
    let app = Router::new()
        .route("/auth/verify", get(verify))
        .with_state(Arc::new(peer));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener.tap_io(|io| drop(io.set_nodelay(true))), app).await?;
    Ok(())
}

/// `BARE_CONNECTIONS` of them. Statements of several requests follow each other on one connection
/// without waiting, so that a few are faster than one for each request.
async fn connect() -> Result<Vec<Connected>, Box<dyn Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let count = std::env::var("BARE_CONNECTIONS").ok();
    let count = count.map_or(Ok(4), |count| count.parse::<usize>())?;
    let mut connected = Vec::new();
    for _ in 0..count.max(1) {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(MAKE).await?;
        let version = client.prepare(VERSION).await?;
        let read = client.prepare(READ).await?;
        connected.push(Connected {
            client,
            version,
            read,
        });
    }
    Ok(connected)
}

struct Connected {
    client: Client,
    version: Statement,
    read: Statement,
}

struct Peer {
    connections: Vec<Connected>,
    next: AtomicUsize,
    /// Whose session it is, which no request changes.
    users: HashMap<String, String>,
    cache: RwLock<Cache>,
}

#[derive(Default)]
struct Cache {
    version: i64,
    entries: HashMap<String, Entry>,
}

struct Entry {
    user: HeaderValue,
    perms: Vec<(String, bool)>,
}

type Answer = Option<(HeaderValue, bool)>;

async fn verify(
    State(peer): State<Arc<Peer>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, StatusCode> {
    let key = session_key(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let perm = uri.query().and_then(|query| query.strip_prefix("perm="));
    let perm = perm.ok_or(StatusCode::BAD_REQUEST)?;
    let answer = peer.answer(key, perm).await;
    match answer.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)? {
        None => Err(StatusCode::UNAUTHORIZED),
        Some((_, false)) => Err(StatusCode::FORBIDDEN),
        Some((user, true)) => {
            let no_store = HeaderValue::from_static("no-store");
            Ok([(X_REMOTE_USER, user), (CACHE_CONTROL, no_store)].into_response())
        }
    }
}

fn session_key(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?.split("; ");
    cookies
        .filter_map(|cookie| cookie.strip_prefix("sessionid="))
        .last()
}

impl Peer {
    /// The user of the session, and whether they have the permission.
    async fn answer(&self, key: &str, perm: &str) -> Result<Answer, tokio_postgres::Error> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let connected = &self.connections[turn % self.connections.len()];
        let row = connected.client.query_one(&connected.version, &[]).await?;
        let version = row.try_get(0)?;
        if let Some(answer) = self.known(version, key, perm) {
            return Ok(Some(answer));
        }
        self.read(connected, version, key, perm).await
    }

    fn known(&self, version: i64, key: &str, perm: &str) -> Answer {
        let cache = self.cache.read().ok()?;
        let entry = cache
            .entries
            .get(key)
            .filter(|_| cache.version == version)?;
        let (_, has) = entry.perms.iter().find(|(name, _)| name == perm)?;
        Some((entry.user.clone(), *has))
    }

    async fn read(
        &self,
        connected: &Connected,
        version: i64,
        key: &str,
        perm: &str,
    ) -> Result<Answer, tokio_postgres::Error> {
        let Some(user) = self.users.get(key) else {
            return Ok(None);
        };
        let (app_label, codename) = perm.split_once('.').unwrap_or_default();
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [user, &app_label, &codename];
        let row = connected.client.query_opt(&connected.read, &params).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let (name, has) = (row.try_get::<_, &str>(0)?, row.try_get(1)?);
        let user = HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static(""));
        self.remember(version, key, perm, (user.clone(), has));
        Ok(Some((user, has)))
    }

    fn remember(&self, version: i64, key: &str, perm: &str, (user, has): (HeaderValue, bool)) {
        let Ok(mut cache) = self.cache.write() else {
            return;
        };
        if cache.version < version {
            cache.entries.clear();
            cache.version = version;
        }
        if cache.version == version {
            let perms = Vec::new();
            let entry = cache.entries.entry(key.to_owned());
            let entry = entry.or_insert(Entry { user, perms });
            entry.perms.push((perm.to_owned(), has));
        }
    }
}
