//! `bare-sqlite ADDR:PORT`: a small axum application that answers `/auth/verify?perm=…` from memory and yet sees each
//! change of the database at once: a map, and `PRAGMA data_version` for every request.
//!
//! No session is decoded or verified, nothing is logged, nothing expires: what djauth does beyond this
//! is what it costs. `DATABASE_URL` names the file; `BENCH_KEYS` a file of session keys, of which the
//! n-th is that of `user<n>`. Every thread has its own connection and its own map, so that none waits.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::sync::OnceLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use rusqlite::{Connection, OptionalExtension};
use tokio::net::TcpListener;

const X_REMOTE_USER: HeaderName = HeaderName::from_static("x-remote-user");

const READ: &str = "SELECT auth_user.username, EXISTS (SELECT 1 FROM auth_permission \
     JOIN django_content_type ON django_content_type.id = auth_permission.content_type_id \
     JOIN auth_group_permissions ON auth_group_permissions.permission_id = auth_permission.id \
     JOIN auth_user_groups ON auth_user_groups.group_id = auth_group_permissions.group_id \
     WHERE auth_user_groups.user_id = auth_user.id \
     AND django_content_type.app_label = ?2 AND auth_permission.codename = ?3) \
     FROM auth_user WHERE auth_user.username = ?1 AND auth_user.is_active";

/// Whose session it is, which no request changes.
static USERS: OnceLock<HashMap<String, String>> = OnceLock::new();

thread_local! {
    static CACHE: RefCell<Option<Cache>> = const { RefCell::new(None) };
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("bare-sqlite ADDR:PORT")?;
    let keys = std::fs::read_to_string(std::env::var("BENCH_KEYS")?)?;
    let users = keys.lines().enumerate();
    let users = users.map(|(n, key)| (key.to_owned(), format!("user{n}")));
    USERS.get_or_init(|| users.collect());
    let app = Router::new().route("/auth/verify", get(verify));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener.tap_io(|io| drop(io.set_nodelay(true))), app).await?;
    Ok(())
}

async fn verify(headers: HeaderMap, uri: Uri) -> Result<Response, StatusCode> {
    let key = session_key(&headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let perm = uri.query().and_then(|query| query.strip_prefix("perm="));
    let perm = perm.ok_or(StatusCode::BAD_REQUEST)?;
    let answer = CACHE.with_borrow_mut(|cache| {
        let cache = match cache {
            Some(cache) => cache,
            None => cache.insert(Cache::open()?),
        };
        cache.answer(key, perm)
    });
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

struct Cache {
    connection: Connection,
    version: i64,
    entries: HashMap<String, Entry>,
}

struct Entry {
    user: HeaderValue,
    perms: Vec<(String, bool)>,
}

impl Cache {
    fn open() -> rusqlite::Result<Self> {
        let url = std::env::var("DATABASE_URL").unwrap_or_default();
        let connection = Connection::open(url.trim_start_matches("sqlite://"))?;
        Ok(Self {
            connection,
            version: 0,
            entries: HashMap::new(),
        })
    }

    /// The user of the session, and whether they have the permission.
    fn answer(&mut self, key: &str, perm: &str) -> rusqlite::Result<Option<(HeaderValue, bool)>> {
        let mut pragma = self.connection.prepare_cached("PRAGMA data_version")?;
        let version = pragma.query_row([], |row| row.get(0))?;
        drop(pragma);
        if version != self.version {
            self.entries.clear();
            self.version = version;
        }
        if let Some(entry) = self.entries.get(key)
            && let Some((_, has)) = entry.perms.iter().find(|(name, _)| name == perm)
        {
            return Ok(Some((entry.user.clone(), *has)));
        }
        self.read(key, perm)
    }

    fn read(&mut self, key: &str, perm: &str) -> rusqlite::Result<Option<(HeaderValue, bool)>> {
        let Some(user) = USERS.get().and_then(|users| users.get(key)) else {
            return Ok(None);
        };
        let (app_label, codename) = perm.split_once('.').unwrap_or_default();
        let mut statement = self.connection.prepare_cached(READ)?;
        let row = statement.query_row([user.as_str(), app_label, codename], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?))
        });
        let Some((name, has)) = row.optional()? else {
            return Ok(None);
        };
        let user = HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static(""));
        let entry = self.entries.entry(key.to_owned()).or_insert(Entry {
            user: user.clone(),
            perms: Vec::new(),
        });
        entry.perms.push((perm.to_owned(), has));
        Ok(Some((user, has)))
    }
}
