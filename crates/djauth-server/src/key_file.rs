//! The secret key that is kept beside a SQLite file of our own.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use djauth::settings::SecretKey;
use djauth_signing::crypto::get_random_secret_key;
use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use crate::failure::Failure;

/// The fewest bytes of a key; fewer mean that writing it was cut off.
const SHORTEST: usize = 50;

/// The most bytes that are read.
const LONGEST: u64 = 4096;

/// How an operator makes a new key. Deleting the file is not enough: a database without its key is
/// taken for somebody else's.
const NEW_KEY: &str = "set SECRET_KEY to a new key, or write one into the file \
    (one line of at least 50 random letters and digits, mode 600); a new key ends all sessions";

/// Where the key of a database file is kept.
pub(crate) fn path_beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".secret_key");
    path.into()
}

/// Makes a key, and a file for it that nobody had before. `None`: the file exists already.
///
/// It gets its name when it is whole and on the disk: whoever is killed in between leaves a file that nobody
/// looks for.
pub(crate) fn create(path: &Path) -> Result<Option<SecretKey>, Failure> {
    let key = get_random_secret_key();
    let written = write(path, &key).map_err(|error| cannot("write", path, &error))?;
    match written.persist_noclobber(path) {
        Ok(_) => (),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(cannot("make", path, &error.error)),
    }
    if let Err(error) = sync_folder(path) {
        let _ = std::fs::remove_file(path);
        return Err(cannot("write", path, &error));
    }
    Ok(Some(key))
}

/// Beside where it will be, for nobody else to read.
fn write(path: &Path, key: &SecretKey) -> std::io::Result<NamedTempFile> {
    // With the same end, so that whoever leaves keys out of a copy leaves this one out, too.
    let mut file = tempfile::Builder::new()
        .prefix(".")
        .suffix(path.file_name().unwrap_or_default())
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder_of(path))?;
    let mut line = key.as_bytes().to_vec();
    line.push(b'\n');
    file.write_all(&line)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// So that the file's name, too, survives a loss of power.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Reads the key. `None`: there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<SecretKey>, Failure> {
    // Without waiting: opening a pipe would last until somebody writes to it.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot("read", path, &error)),
    };
    // Of the open file, so that it cannot be exchanged between the look and the reading.
    let metadata = file
        .metadata()
        .map_err(|error| cannot("read", path, &error))?;
    if !metadata.is_file() {
        return Err(wrong(path, "is not a file"));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Failure::other(format!(
            "the secret key in {} can be read by others (mode {mode:03o}), so it may be known: {NEW_KEY}; \
             or run `chmod 600` on it if only you could read it",
            path.display()
        )));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot("read", path, &error))?;
    key_of(&bytes)
        .map(Some)
        .ok_or_else(|| wrong(path, "does not hold a whole key"))
}

/// One line of at least [`SHORTEST`] bytes with its end: what [`create`] writes.
fn key_of(bytes: &[u8]) -> Option<SecretKey> {
    let line = bytes.strip_suffix(b"\n")?;
    let good = line.len() >= SHORTEST && bytes.len() as u64 <= LONGEST && line.is_ascii();
    let good = good && !line.iter().any(u8::is_ascii_control);
    good.then(|| SecretKey::new(line).ok())?
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::caused(
        format!("cannot {what} the secret key {}: {error}", path.display()),
        error,
    )
}

fn wrong(path: &Path, what: &str) -> Failure {
    Failure::other(format!(
        "{} {what}: put the key back, or {NEW_KEY}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = path_beside(&folder.path().join("db.sqlite3"));
        (folder, path)
    }

    fn write_file(path: &Path, text: &str, mode: u32) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_is_private_and_reads_back() {
        let (_folder, path) = folder();
        assert!(path.ends_with("db.sqlite3.secret_key"));
        assert!(read(&path).unwrap().is_none());
        let made = create(&path).unwrap().unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(read(&path).unwrap().unwrap().as_bytes(), made.as_bytes());
        assert!(create(&path).unwrap().is_none());
    }

    /// Whoever looks meanwhile finds nothing, or the whole key.
    #[test]
    fn what_is_made_is_whole_at_once() {
        for _ in 0..200 {
            let (folder, path) = folder();
            let (looking, done) = (Barrier::new(2), AtomicBool::new(false));
            let made = std::thread::scope(|scope| {
                scope.spawn(|| {
                    looking.wait();
                    while !done.load(SeqCst) {
                        read(&path).unwrap();
                    }
                });
                looking.wait();
                let made = create(&path);
                done.store(true, SeqCst);
                made
            });
            let made = made.unwrap().unwrap();
            assert!(create(&path).unwrap().is_none(), "nothing is overwritten");
            assert_eq!(read(&path).unwrap().unwrap().as_bytes(), made.as_bytes());
            let files = std::fs::read_dir(folder.path()).unwrap();
            assert_eq!(files.count(), 1, "nothing else is left");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let (_folder, path) = folder();
        for mode in [0o644, 0o640, 0o604, 0o660] {
            write_file(&path, &format!("{}\n", "k".repeat(50)), mode);
            let text = read(&path).unwrap_err().to_string();
            assert!(text.contains("others") && !text.contains("kkk"), "{text}");
        }
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let (_folder, path) = folder();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let text = read(&path).unwrap_err().to_string();
        assert!(text.contains("is not a file"), "{text}");
    }

    #[test]
    fn a_half_written_file_is_refused() {
        let (_folder, path) = folder();
        let whole = "k".repeat(50);
        for text in [
            "",
            "\n",
            &whole,
            &whole[..20],
            &format!("{}\n", &whole[1..]),
            &format!("{whole}\nmore\n"),
        ] {
            write_file(&path, text, 0o600);
            let failure = read(&path).unwrap_err().to_string();
            assert!(failure.contains("whole key"), "{failure}");
        }
    }
}
