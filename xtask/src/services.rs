//! Private PostgreSQL, MariaDB and Redis on free loopback ports.
//!
//! They run as an ordinary user (PostgreSQL refuses root), keep nothing, and end with us.

mod account;
mod launch;

use crate::Result;
use crate::guardian::Guardian;
use crate::workspace::Workspace;
use account::Account;
use std::path::{Path, PathBuf};

pub(crate) const POSTGRES: &str = "DJAUTH_TEST_POSTGRES_URL";
pub(crate) const MARIADB: &str = "DJAUTH_TEST_MARIADB_URL";
pub(crate) const REDIS: &str = "DJAUTH_TEST_REDIS_URL";

pub(crate) struct Services {
    urls: Vec<(&'static str, String)>,
    /// Stops them when it goes; `None` when all of them were there before.
    _guardian: Option<Guardian>,
}

impl Services {
    /// Those that the environment names are used; the others are started.
    pub(crate) fn start(data: &Path) -> Result<Self> {
        let given = |name| {
            Some((
                name,
                std::env::var(name).ok().filter(|url| !url.is_empty())?,
            ))
        };
        let mut urls: Vec<_> = [POSTGRES, MARIADB, REDIS]
            .into_iter()
            .filter_map(given)
            .collect();
        let missing = |name: &&str| !urls.iter().any(|(given, _)| given == name);
        let missing: Vec<_> = [POSTGRES, MARIADB, REDIS]
            .into_iter()
            .filter(missing)
            .collect();
        if missing.is_empty() {
            return Ok(Services {
                urls,
                _guardian: None,
            });
        }
        let mut house = House::build(data)?;
        for name in missing {
            let url = match name {
                POSTGRES => launch::postgres(&mut house)?,
                MARIADB => launch::mariadb(&mut house)?,
                _ => launch::redis(&mut house)?,
            };
            urls.push((name, url));
        }
        Ok(Services {
            urls,
            _guardian: Some(house.guardian),
        })
    }

    /// What tests read to find the servers.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.urls.clone()
    }
}

/// Where the servers live, who they are, and who stops them.
struct House {
    /// For data; below `target/` if the servers' user can get there.
    data: PathBuf,
    /// For sockets, whose paths may have hardly more than 100 bytes.
    sockets: PathBuf,
    account: Account,
    guardian: Guardian,
}

impl House {
    fn build(data: &Path) -> Result<Self> {
        let account = Account::choose()?;
        let mut guardian = Guardian::start()?;
        let name = format!("djauth-{}", std::process::id());
        let sockets = std::env::temp_dir().join(&name);
        account.make_folder(&sockets)?;
        guardian.folder(&sockets)?;
        let mut below = data.join(&name);
        std::fs::create_dir_all(data)?;
        guardian.folder(&below)?;
        account.make_folder(&below)?;
        if !account.can_enter(&below) {
            std::fs::remove_dir(&below)?;
            below = sockets.join("data");
            account.make_folder(&below)?;
        }
        Ok(House {
            data: below,
            sockets,
            account,
            guardian,
        })
    }
}

/// `cargo xtask services`.
pub(crate) fn stay(work: &Workspace) -> Result<()> {
    for (name, url) in work.environment()? {
        println!("export {name}={url}");
    }
    eprintln!("Ctrl-C stops them.");
    loop {
        std::thread::park();
    }
}
