//! Session files, as Django names and writes them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use djauth_signing::crypto::get_random_string;

use super::Loaded;
use crate::config::SessionConfig;
use crate::data::SessionData;
use crate::error::{Error, ErrorKind, Result};
use crate::expiry::Stored;
use crate::keys::{self, VALID_KEY_CHARS};

/// Longer files are no sessions (64 MiB).
const LONGEST_FILE: u64 = 64 * 1024 * 1024;

pub(super) struct FileStore {
    files: Arc<Files>,
}

/// What the blocking threads work with.
struct Files {
    directory: PathBuf,
    config: Arc<SessionConfig>,
}

impl FileStore {
    pub(super) fn new(config: Arc<SessionConfig>) -> Result<Self> {
        let directory = config.file_path.clone().unwrap_or_else(std::env::temp_dir);
        if !directory.is_dir() {
            let what = format!("SESSION_FILE_PATH is no directory: {}", directory.display());
            return Err(Error::new(ErrorKind::Configuration, what));
        }
        Ok(FileStore {
            files: Arc::new(Files { directory, config }),
        })
    }

    pub(super) async fn load(&self, key: &str) -> Result<Loaded> {
        let key = key.to_owned();
        self.blocking(move |files| files.load(&key)).await
    }

    pub(super) async fn add(&self, key: &str, data: &SessionData) -> Result<bool> {
        let (key, text) = (key.to_owned(), self.files.config.encode(data)?);
        self.blocking(move |files| files.add(&key, &text)).await
    }

    pub(super) async fn save(&self, key: &str, data: &SessionData) -> Result<bool> {
        let (key, text) = (key.to_owned(), self.files.config.encode(data)?);
        self.blocking(move |files| files.save(&key, &text)).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.blocking(move |files| absent_is_fine(fs::remove_file(files.path(&key))))
            .await
    }

    pub(super) async fn clear_expired(&self) -> Result<u64> {
        self.blocking(Files::clear_expired).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Files) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let files = self.files.clone();
        let outcome = tokio::task::spawn_blocking(move || f(&files)).await;
        outcome
            .map_err(io::Error::other)
            .flatten()
            .map_err(|source| {
                Error::with_source(
                    ErrorKind::Unavailable,
                    "the directory of the sessions cannot be used",
                    source,
                )
            })
    }
}

impl Files {
    fn path(&self, key: &str) -> PathBuf {
        self.directory
            .join(format!("{}{key}", self.config.cookie_name))
    }

    /// An ended session is deleted and absent. (Django makes a new, empty file in its place.)
    fn load(&self, key: &str) -> io::Result<Loaded> {
        Ok(match self.read_session(key)? {
            Found::Session(data) => Loaded::Found(data),
            Found::Ended | Found::Nothing => Loaded::Missing,
        })
    }

    fn read_session(&self, key: &str) -> io::Result<Found> {
        let path = self.path(key);
        let Some((text, modified)) = read(&path)? else {
            return Ok(Found::Nothing);
        };
        if text.is_empty() {
            // The placeholder of a session that is just being created.
            return Ok(Found::Session(SessionData::default()));
        }
        let data = self.config.decode(&text);
        if self.has_ended(&data, modified) {
            absent_is_fine(fs::remove_file(path))?;
            return Ok(Found::Ended);
        }
        Ok(Found::Session(data))
    }

    /// Everything relative counts from the last save. (In Django a number of seconds counts from the
    /// moment of reading, so that such a session never ends.)
    fn has_ended(&self, data: &SessionData, modified: DateTime<Utc>) -> bool {
        Stored::of(data).date(modified, self.config.cookie_age) <= self.config.now()
    }

    fn add(&self, key: &str, text: &str) -> io::Result<bool> {
        let path = self.path(key);
        match private().create_new(true).open(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(error),
        }
        let written = self.replace(&path, text);
        if written.is_err() {
            absent_is_fine(fs::remove_file(&path))?;
        }
        written.map(|()| true)
    }

    fn save(&self, key: &str, text: &str) -> io::Result<bool> {
        let path = self.path(key);
        if !path.is_file() {
            return Ok(false);
        }
        match self.replace(&path, text) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            outcome => outcome.map(|()| true),
        }
    }

    /// Through a temporary file, so that readers see the old text or the new.
    fn replace(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push("_out_");
        temporary.push(get_random_string(16, VALID_KEY_CHARS));
        let temporary = PathBuf::from(temporary);
        let mut file = private().create_new(true).open(&temporary)?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| rename_over(&temporary, path));
        // After an exchange the old text is under the temporary name.
        absent_is_fine(fs::remove_file(&temporary))?;
        written
    }

    fn clear_expired(&self) -> io::Result<u64> {
        let mut cleared = 0;
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let key = name
                .to_str()
                .and_then(|name| name.strip_prefix(&self.config.cookie_name));
            let Some(key) = key.filter(|key| keys::is_askable(key, 200) && keys::is_file_name(key))
            else {
                continue;
            };
            // Somebody else's file is not a reason to stop.
            cleared += u64::from(matches!(self.read_session(key), Ok(Found::Ended)));
        }
        Ok(cleared)
    }
}

/// What a file holds.
enum Found {
    Session(SessionData),
    /// It was deleted just now.
    Ended,
    Nothing,
}

/// The text and the time of the last change; none if there is no such file, or it is no session's.
fn read(path: &Path) -> io::Result<Option<(String, DateTime<Utc>)>> {
    // Asked before opening, because opening a pipe would wait for its other end.
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= LONGEST_FILE => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => return Ok(None),
    }
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let modified = file.metadata()?.modified()?.into();
    let mut bytes = Vec::new();
    file.take(LONGEST_FILE).read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.is_ascii());
    // As with Django, a file that is no ASCII is an unreadable session: a key without data.
    Ok(Some((text.unwrap_or_else(|| "?".into()), modified)))
}

/// Puts `from` in the place of `to`, which must exist: a file that is deleted meanwhile stays deleted
/// (`NotFound`). Where the file system cannot do that, a plain rename, as Django's.
#[cfg(target_os = "linux")]
fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(from, to),
        outcome => outcome.map_err(Into::into),
    }
}

#[cfg(not(target_os = "linux"))]
fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

fn absent_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Files that only their owner reads.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
