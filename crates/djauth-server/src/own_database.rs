//! The first run: a SQLite file of our own, with its secret key beside it.
//!
//! Only for the file that `DATABASE_URL` names when nobody else has made it. Any other database is
//! somebody's: it must come with its `SECRET_KEY`, and is not migrated unasked.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use djauth::settings::{Draft, SecretKey, SecretUrl, Settings};

use crate::failure::Failure;
use crate::key_file;

/// What will be done about the database and the key. Finding it out changes nothing.
pub(crate) struct Plan {
    draft: Draft,
    /// The SQLite file, if the URL lets us make it.
    file: Option<PathBuf>,
    /// The key that was found beside the file.
    key: Option<SecretKey>,
    exists: bool,
}

impl Plan {
    /// Looks at what is there. Refuses what cannot be served, before anything is made.
    pub(crate) fn new(draft: Draft) -> Result<Self, Failure> {
        let file = sqlite_file(&draft.settings().database_url)?;
        let exists = file.as_ref().is_none_or(|file| file.exists());
        let key = match &file {
            Some(file) if !draft.has_secret_key() => key_file::read(&key_file::path_beside(file))?,
            _ => None,
        };
        let plan = Self {
            draft,
            file,
            key,
            exists,
        };
        plan.refuse_foreign()?;
        Ok(plan)
    }

    /// A database that is there, but has no key, is not ours.
    fn refuse_foreign(&self) -> Result<(), Failure> {
        if !self.exists || self.draft.has_secret_key() || self.key.is_some() {
            return Ok(());
        }
        let url = &self.draft.settings().database_url;
        let beside = match &self.file {
            Some(file) => format!(", nor is there {}", key_file::path_beside(file).display()),
            None => String::new(),
        };
        Err(Failure::other(format!(
            "SECRET_KEY is missing or empty{beside}: {url} is there already, so it needs the key that it is used with; \
             set SECRET_KEY in the environment or the settings file"
        )))
    }

    /// The settings as far as they are known; without a key it is a random one.
    pub(crate) fn settings(&self) -> &Settings {
        self.draft.settings()
    }

    /// Names the hosts that are answered, where the settings name none.
    pub(crate) fn set_allowed_hosts(&mut self, hosts: Vec<String>) {
        self.draft.set_allowed_hosts(hosts);
    }

    /// Whether the database is there.
    pub(crate) fn database_exists(&self) -> bool {
        self.exists
    }

    /// Makes what is missing: the key, then the empty file.
    pub(crate) fn make(mut self) -> Result<OwnDatabase, Failure> {
        let mut made = Made::default();
        let ours = self.key.is_some() || !self.exists;
        if let Some(file) = self.file.clone().filter(|_| !self.draft.has_secret_key()) {
            let key = match self.key.take() {
                Some(key) => key,
                None => made.key(&key_file::path_beside(&file))?,
            };
            self.draft.set_secret_key(key);
        }
        if let (Some(file), false) = (&self.file, self.exists) {
            made.database(file)?;
        }
        let fresh = made.database.is_some();
        let settings = self.draft.finish()?;
        Ok(OwnDatabase {
            settings,
            ours,
            fresh,
            made,
        })
    }
}

/// Settings with a key, and a database that can be connected to.
pub(crate) struct OwnDatabase {
    pub(crate) settings: Settings,
    /// Whether the file is of our own making, now or earlier, so that we may migrate it.
    pub(crate) ours: bool,
    /// Whether this process has just made it.
    pub(crate) fresh: bool,
    made: Made,
}

impl OwnDatabase {
    /// The URL to connect to. A file that was just made gets the write-ahead log.
    pub(crate) fn url(&self) -> String {
        let url = self.settings.database_url.expose();
        if !self.fresh {
            return url.to_owned();
        }
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        let others = parameters
            .split('&')
            .filter(|p| !p.is_empty() && !p.starts_with("mode="));
        let others: String = others
            .filter(|p| !p.starts_with("journal_mode="))
            .map(|p| format!("&{p}"))
            .collect();
        format!("{place}?mode=rw&journal_mode=wal{others}")
    }

    /// From here on the files stay, whatever happens.
    pub(crate) fn keep(&mut self) {
        self.made.key = None;
        self.made.database = None;
    }
}

/// Files that this process has made. Dropped, it takes them away again.
#[derive(Default)]
struct Made {
    key: Option<PathBuf>,
    database: Option<PathBuf>,
}

impl Made {
    fn key(&mut self, path: &Path) -> Result<SecretKey, Failure> {
        if let Some(key) = key_file::create(path)? {
            self.key = Some(path.to_owned());
            return Ok(key);
        }
        // Another process was faster.
        let missing = || {
            Failure::other(format!(
                "{} has just been removed; start again",
                path.display()
            ))
        };
        key_file::read(path)?.ok_or_else(missing)
    }

    fn database(&mut self, path: &Path) -> Result<(), Failure> {
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        match made {
            Ok(_) => self.database = Some(path.to_owned()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                let text = format!("cannot make the database {}: {error}", path.display());
                return Err(Failure::caused(text, &error));
            }
        }
        Ok(())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in [self.key.take(), self.database.take()]
            .into_iter()
            .flatten()
        {
            for suffix in ["", "-wal", "-shm", "-journal"] {
                let mut path = path.clone().into_os_string();
                path.push(suffix);
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// The file of a SQLite URL that lets us make it: one without `mode`, or with `mode=rwc`.
fn sqlite_file(url: &SecretUrl) -> Result<Option<PathBuf>, Failure> {
    if url.scheme() != "sqlite" {
        return Ok(None);
    }
    let (_, rest) = url.expose().split_once("://").unwrap_or_default();
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if parameters
        .split('&')
        .any(|p| p.starts_with("mode=") && p != "mode=rwc")
    {
        return Ok(None);
    }
    let path = percent_encoding::percent_decode_str(path).decode_utf8();
    let path = path.map_err(|_| Failure::other("DATABASE_URL: the path is not UTF-8"))?;
    if path.is_empty() {
        return Err(Failure::other(
            "DATABASE_URL: expected sqlite://PATH, but there is no path",
        ));
    }
    Ok(Some(PathBuf::from(path.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(variables: &[(&str, &str)]) -> Draft {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| std::ffi::OsString::from(value))
        };
        Draft::read_with(None, lookup).unwrap()
    }

    fn url(folder: &tempfile::TempDir) -> String {
        format!("sqlite://{}/db.sqlite3", folder.path().display())
    }

    fn files(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_first_run_makes_both_files_and_the_second_finds_them() {
        let folder = tempfile::tempdir().unwrap();
        let plan = || Plan::new(draft(&[("DATABASE_URL", &url(&folder))])).unwrap();
        let mut first = plan().make().unwrap();
        assert!(first.fresh && first.ours);
        assert!(first.url().ends_with("?mode=rw&journal_mode=wal"));
        first.keep();
        let second = plan().make().unwrap();
        assert!(!second.fresh && second.ours);
        assert_eq!(
            second.settings.secret_key.as_bytes(),
            first.settings.secret_key.as_bytes()
        );
        drop((first, second));
        assert_eq!(files(&folder), ["db.sqlite3", "db.sqlite3.secret_key"]);
    }

    #[test]
    fn what_fails_later_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let made = Plan::new(draft(&[("DATABASE_URL", &url(&folder))]))
            .unwrap()
            .make()
            .unwrap();
        assert_eq!(files(&folder).len(), 2);
        drop(made);
        assert_eq!(files(&folder), [""; 0]);
    }

    #[test]
    fn a_given_key_makes_no_key_file() {
        let folder = tempfile::tempdir().unwrap();
        let given = draft(&[("DATABASE_URL", &url(&folder)), ("SECRET_KEY", "given")]);
        let mut made = Plan::new(given).unwrap().make().unwrap();
        made.keep();
        assert_eq!(files(&folder), ["db.sqlite3"]);
        assert_eq!(made.settings.secret_key.as_bytes(), b"given");
    }

    #[test]
    fn databases_of_others_need_their_key() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("db.sqlite3"), "").unwrap();
        let own = url(&folder);
        let read_only = format!("{own}?mode=ro");
        for url in [
            own.as_str(),
            &read_only,
            "postgres://app:hidden@db/live",
            "mysql://app@db/live",
        ] {
            for key in [
                &[("DATABASE_URL", url)][..],
                &[("DATABASE_URL", url), ("SECRET_KEY", "")],
            ] {
                let text = Plan::new(draft(key)).err().unwrap().to_string();
                assert!(
                    text.contains("SECRET_KEY") && !text.contains("hidden"),
                    "{text}"
                );
            }
        }
        assert_eq!(files(&folder), ["db.sqlite3"]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let plan = Plan::new(draft(&[(
            "DATABASE_URL",
            "sqlite:///nowhere/at/all/db.sqlite3",
        )]))
        .unwrap();
        assert!(
            plan.make()
                .err()
                .unwrap()
                .to_string()
                .contains("/nowhere/at/all/db.sqlite3.secret_key")
        );
    }
}
