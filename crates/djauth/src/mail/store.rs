//! Senders that keep messages on this machine.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;
use chrono_tz::Tz;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use parking_lot::Mutex;
use uuid::Uuid;

use super::{EmailMessage, MailSender};
use crate::settings::Mailer;
use crate::{Error, ErrorKind};

/// As Django prints a message: line feeds alone, an empty line, 79 hyphens.
fn printed(message: &EmailMessage) -> Result<Vec<u8>, Error> {
    let formatted = message.mime()?.formatted();
    let mut text: Vec<u8> = formatted;
    text.retain(|byte| *byte != b'\r');
    if !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend([b'-'; 79]);
    text.push(b'\n');
    Ok(text)
}

fn failed(what: &str, error: io::Error) -> Error {
    Error::caused(ErrorKind::Mail, what, error)
}

/// Prints messages on standard output: `django.core.mail.backends.console`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConsoleSender;

impl MailSender for ConsoleSender {
    fn send(&self, message: EmailMessage) -> BoxFuture<'_, Result<(), Error>> {
        let print = |text: Vec<u8>| {
            let mut out = io::stdout().lock();
            out.write_all(&text).and_then(|()| out.flush())
        };
        let result = printed(&message).and_then(|text| {
            print(text).map_err(|error| failed("standard output cannot be written", error))
        });
        ready(result).boxed()
    }
}

/// Writes each message to a file of its own: `django.core.mail.backends.filebased`.
///
/// The files are named as Django's are, by time and a number. Only their owner can read them, since they
/// hold reset links; Django's have the process's usual mode.
#[derive(Clone, Debug)]
pub struct FileSender {
    folder: PathBuf,
    zone: Tz,
}

impl FileSender {
    /// Writes into this folder, which is made if it is not there.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the folder cannot be made or is none.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|error| {
            let text = format!("the mail folder {} cannot be made", folder.display());
            Error::caused(ErrorKind::ImproperlyConfigured, text, error)
        })?;
        Ok(Self {
            folder,
            zone: Tz::UTC,
        })
    }

    pub(super) fn of(mailer: &Mailer) -> Result<Self, Error> {
        let folder = mailer.file_path.as_ref().ok_or_else(|| {
            Error::improperly_configured("EMAIL_FILE_PATH is needed by the backend \"filebased\"")
        })?;
        Self::new(folder)
    }

    /// The zone of the times in the files' names.
    #[must_use]
    pub fn time_zone(mut self, zone: Tz) -> Self {
        self.zone = zone;
        self
    }

    fn file(&self) -> PathBuf {
        let time = Utc::now().with_timezone(&self.zone).format("%Y%m%d-%H%M%S");
        let (number, _) = Uuid::new_v4().as_u64_pair();
        self.folder.join(format!("{time}-{number}.log"))
    }
}

impl MailSender for FileSender {
    fn send(&self, message: EmailMessage) -> BoxFuture<'_, Result<(), Error>> {
        let file = self.file();
        async move {
            let text = printed(&message)?;
            let written = tokio::task::spawn_blocking(move || write(&file, &text)).await;
            let written = written.map_err(io::Error::other).flatten();
            written.map_err(|error| failed("the message's file cannot be written", error))
        }
        .boxed()
    }
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text)
}

/// Keeps messages in memory, where tests find them: `django.core.mail.backends.locmem`. Clones share
/// the messages.
#[derive(Clone, Default)]
pub struct MemorySender(Arc<Mutex<Vec<EmailMessage>>>);

impl MemorySender {
    /// The messages that were sent, oldest first: Django's `mail.outbox`.
    #[must_use]
    pub fn outbox(&self) -> Vec<EmailMessage> {
        self.0.lock().clone()
    }

    /// Forgets the messages.
    pub fn clear(&self) {
        self.0.lock().clear();
    }
}

impl MailSender for MemorySender {
    fn send(&self, message: EmailMessage) -> BoxFuture<'_, Result<(), Error>> {
        // Judged as for a mail server, so that tests find what one would refuse.
        let result = message.mime().map(|_| self.0.lock().push(message));
        ready(result).boxed()
    }
}

impl fmt::Debug for MemorySender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySender")
            .field("messages", &self.0.lock().len())
            .finish()
    }
}

/// Sends nothing: `django.core.mail.backends.dummy`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DummySender;

impl MailSender for DummySender {
    fn send(&self, _message: EmailMessage) -> BoxFuture<'_, Result<(), Error>> {
        ready(Ok(())).boxed()
    }
}
