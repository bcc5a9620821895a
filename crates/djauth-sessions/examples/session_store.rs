//! A session store for scripts: commands on standard input, one answer a line on standard output.
//!
//! `interop/sessions_live.py` drives it beside real Django. Settings come from the environment under
//! Django's names: `SECRET_KEY`, `SESSION_ENGINE`, `SESSION_FILE_PATH`, `DATABASE_URL`, `CACHE_URL`,
//! `CACHE_KEY_PREFIX`.
//!
//! | command | does |
//! |---|---|
//! | `create JSON` | stores a new session |
//! | `load KEY` | reads one |
//! | `set KEY NAME JSON` | sets a value and saves |
//! | `cycle KEY` | gives a new key |
//! | `flush KEY` | deletes |
//! | `clear` | deletes what has ended |
//!
//! An answer is the key (`-` for none), a blank, and the data as JSON; or `error` and its kind.

use std::env::var;
use std::io::{BufRead, Write, stdin, stdout};

use djauth_db::Database;
use djauth_sessions::{
    Cache, EngineKind, ErrorKind, Result, Session, SessionConfig, SessionData, SessionEngine,
};
use djauth_signing::{SecretKey, SecretKeys};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Failure> {
    let engine = engine().await?;
    for line in stdin().lock().lines() {
        let answer = match run(&engine, &line?).await {
            Ok(session) => shown(&session).await,
            Err(error) => format!("error {:?}", error.kind()),
        };
        writeln!(stdout(), "{answer}")?;
        stdout().flush()?;
    }
    Ok(())
}

async fn engine() -> std::result::Result<SessionEngine, Failure> {
    let kind: EngineKind = var("SESSION_ENGINE")?.parse()?;
    let mut config = SessionConfig::new(&SecretKeys::new(SecretKey::from_env("SECRET_KEY")?));
    config.file_path = var("SESSION_FILE_PATH").ok().map(Into::into);
    Ok(match kind {
        EngineKind::Db => SessionEngine::db(database().await?, config),
        EngineKind::CachedDb => SessionEngine::cached_db(database().await?, cache()?, config),
        EngineKind::Cache => SessionEngine::cache(cache()?, config),
        EngineKind::File => SessionEngine::file(config)?,
        _ => SessionEngine::signed_cookies(config),
    })
}

async fn database() -> std::result::Result<Database, Failure> {
    Ok(Database::connect(&var("DATABASE_URL")?).await?)
}

fn cache() -> std::result::Result<Cache, Failure> {
    Ok(Cache::new(
        &var("CACHE_URL")?,
        &var("CACHE_KEY_PREFIX").unwrap_or_default(),
        1,
    )?)
}

async fn run(engine: &SessionEngine, line: &str) -> Result<Session> {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (key, rest_of_key) = rest.split_once(' ').unwrap_or((rest, ""));
    let session = engine.open((command != "create").then_some(key));
    match command {
        "create" => {
            session
                .update(&SessionData::from_json(rest.as_bytes()).unwrap_or_default())
                .await?;
            session.save().await?;
        }
        "set" => {
            let (name, json) = rest_of_key.split_once(' ').unwrap_or((rest_of_key, "null"));
            let mut value = SessionData::new();
            value.insert_json(name, json)?;
            session.update(&value).await?;
            session.save().await?;
        }
        "cycle" => session.cycle_key().await?,
        "flush" => session.flush().await?,
        "clear" => drop(engine.clear_expired().await?),
        _ => {}
    }
    Ok(session)
}

async fn shown(session: &Session) -> String {
    let data = match session.data().await {
        Ok(data) => data,
        Err(error) => return format!("error {:?}", error.kind()),
    };
    let key = session.session_key().unwrap_or_else(|| "-".into());
    match data.to_json() {
        Ok(json) => format!("{key} {json}"),
        Err(error) if error.kind() == ErrorKind::NotCarried => {
            format!("{key} {:?}", data.get_str("_auth_user_id"))
        }
        Err(error) => format!("error {:?}", error.kind()),
    }
}
