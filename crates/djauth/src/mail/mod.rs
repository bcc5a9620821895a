//! Mail: what `django.contrib.auth` needs of `django.core.mail`.
//!
//! An [`EmailMessage`] is sent by a [`MailSender`]. Which one that is say the settings `EMAIL_…` (or
//! `MAILERS`), or [`Builder::mail_sender`](crate::Builder::mail_sender):
//!
//! | `EMAIL_BACKEND` | sender | |
//! |---|---|---|
//! | `smtp` | [`SmtpSender`] | a mail server, encrypted by `EMAIL_USE_TLS` (STARTTLS) or `EMAIL_USE_SSL` |
//! | `console` | [`ConsoleSender`] | standard output, for development |
//! | `filebased` | [`FileSender`] | a file in `EMAIL_FILE_PATH` for each message |
//! | `locmem` | [`MemorySender`] | memory, for tests |
//! | `dummy` | [`DummySender`] | nowhere |
//!
//! Two ways lead out. [`Auth::send_mail`](crate::Auth::send_mail) sends now and says how it went, as
//! Django's `send_mail` does. [`MailQueue`], which [`Auth::mail`](crate::Auth::mail) answers, is for
//! messages that a stranger asked for:
//!
//! - **Nothing shows in the answer.** Whether an account exists, whether the mail server answered, and how
//!   long that took: all of it happens in the background, after the answer. A view gives
//!   [`MailQueue::defer`] the work itself (look the account up, make the token, render, send), so that the
//!   work before the answer is the same for known and unknown addresses.
//! - **It is bounded.** At most `EMAIL_QUEUE` pieces of work wait. What comes then is dropped and logged,
//!   and the client gets the same answer.
//! - **It is limited.** [`MailQueue::admit`] counts each request for mail by the address that was typed, known
//!   or not (`EMAIL_RATE_LIMIT_PER_ADDRESS`), and by the client's network (`EMAIL_RATE_LIMIT_PER_NETWORK`),
//!   so that nobody fills a mailbox from here, and the limit tells nothing of an account. The counts are
//!   this process's own. Beyond the limit nothing is sent, the log says so without the address, and the
//!   client gets the same answer.
//! - **It is drained.** The server waits `EMAIL_SHUTDOWN_TIMEOUT` for it at the end; see
//!   [`MailQueue::drain`].
//! - **Failures are logged** under the target `django.contrib.auth`, with what the work was about (a user's
//!   key, as Django does), and never with the address, the text or the mail server's words, which may hold
//!   them.
//!
//! ## What cannot happen
//!
//! A header with a line break is refused before anything is sent, wherever it comes from (subject, sender,
//! recipient, own headers), and so is an address that is not one (CVE-2021-32052, CVE-2026-53878). With
//! `EMAIL_USE_TLS` no message and no password is sent before TLS holds: a server that does not offer
//! STARTTLS, or fails in it, or speaks before it, gets nothing. Each message has a connection of its own, so
//! that none is used again in a state that nobody knows (CVE-2026-7666). The server's certificate is always
//! checked, against the system's authorities or `EMAIL_SSL_CAFILE`.
//!
//! ```
//! use djauth::mail::{EmailMessage, MailSender, MemorySender};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), djauth::Error> {
//! let sender = MemorySender::default();
//! let message = EmailMessage::new("Welcome", "Good to have you.", ["alice@example.com"])
//!     .from_email("Site <site@example.com>")
//!     .html("<p>Good to have you.</p>");
//! sender.send(message).await?;
//! assert_eq!(sender.outbox()[0].subject, "Welcome");
//! let injected = EmailMessage::new("Hi\nBcc: eve@example.com", "", ["alice@example.com"]);
//! assert!(sender.send(injected).await.is_err());
//! # Ok(())
//! # }
//! ```

mod address;
mod auth;
mod limits;
mod message;
mod queue;
mod smtp;
mod store;

use std::sync::Arc;

use chrono_tz::Tz;
use futures_util::future::BoxFuture;

use crate::Error;
use crate::settings::{MailBackend, Mailer};

pub use message::EmailMessage;
pub use queue::MailQueue;
pub use smtp::SmtpSender;
pub use store::{ConsoleSender, DummySender, FileSender, MemorySender};

/// What sends a message: Django's e-mail backend.
pub trait MailSender: Send + Sync {
    /// Sends one message.
    ///
    /// # Errors
    /// `Value`: the message cannot be sent by anybody (a line break in a header, a wrong address).
    /// `Mail`: it was not accepted. The text has no address and no word of the message.
    fn send(&self, message: EmailMessage) -> BoxFuture<'_, Result<(), Error>>;
}

impl<S: MailSender + ?Sized> MailSender for Arc<S> {
    fn send(&self, message: EmailMessage) -> BoxFuture<'_, Result<(), Error>> {
        (**self).send(message)
    }
}

/// The sender that a mailer describes; times in the names of files are in this zone.
///
/// # Errors
/// `ImproperlyConfigured`: a certificate cannot be read, or something is missing.
pub fn sender(mailer: &Mailer, zone: Tz) -> Result<Arc<dyn MailSender>, Error> {
    Ok(match mailer.backend {
        MailBackend::Smtp => Arc::new(SmtpSender::new(mailer)?),
        MailBackend::Console => Arc::new(ConsoleSender),
        MailBackend::Filebased => Arc::new(FileSender::of(mailer)?.time_zone(zone)),
        MailBackend::Locmem => Arc::new(MemorySender::default()),
        MailBackend::Dummy => Arc::new(DummySender),
    })
}
