//! A message, and the form in which it is sent.

use std::fmt;
use std::time::SystemTime;

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use uuid::Uuid;

use super::address::mailbox;
use crate::Error;

/// The most recipients of one message.
const MOST_RECIPIENTS: usize = 100;

/// A message: Django's `EmailMessage`, or with [`html`](EmailMessage::html) its
/// `EmailMultiAlternatives`.
///
/// `Debug` shows neither addresses nor texts: a message may hold the link that resets a password.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmailMessage {
    /// One line.
    pub subject: String,
    /// The plain text.
    pub body: String,
    /// The same as HTML, for programs that show it.
    pub html: Option<String>,
    /// The sender, with or without a name; `None` is `DEFAULT_FROM_EMAIL`.
    pub from_email: Option<String>,
    /// The recipients, who see each other.
    pub to: Vec<String>,
    /// Further recipients, named as such.
    pub cc: Vec<String>,
    /// Recipients whom nobody sees.
    pub bcc: Vec<String>,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

impl EmailMessage {
    /// A message of plain text.
    pub fn new<T: Into<String>>(
        subject: impl Into<String>,
        body: impl Into<String>,
        to: impl IntoIterator<Item = T>,
    ) -> Self {
        Self {
            subject: subject.into(),
            body: body.into(),
            to: to.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Adds the same text as HTML.
    #[must_use]
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }

    /// Sets the sender.
    #[must_use]
    pub fn from_email(mut self, address: impl Into<String>) -> Self {
        self.from_email = Some(address.into());
        self
    }

    /// Adds a header. `Date` and `Message-ID` replace those that are made.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Everybody who gets it.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        let all = self.to.iter().chain(&self.cc).chain(&self.bcc);
        all.map(String::as_str)
    }

    /// The message as it is sent, and to whom. Judges everything that comes from outside.
    ///
    /// # Errors
    /// `Value`: a line break in a header, a wrong address, no recipient or too many.
    pub(crate) fn mime(&self) -> Result<Message, Error> {
        let recipients = self.recipients().count();
        if !(1..=MOST_RECIPIENTS).contains(&recipients) {
            return Err(Error::value(format!(
                "a message has 1 to {MOST_RECIPIENTS} recipients, not {recipients}"
            )));
        }
        let mut builder = Message::builder().subject(one_line(&self.subject)?);
        let from = self.from_email.as_deref();
        builder = builder.from(mailbox(from.unwrap_or(NOBODY))?);
        for (add, addresses) in self.address_headers() {
            for address in addresses {
                builder = add(builder, mailbox(address)?);
            }
        }
        if !self.has_header("Date") {
            builder = builder.date(SystemTime::now());
        }
        if !self.has_header("Message-ID") {
            builder = builder.message_id(Some(message_id()));
        }
        for (name, value) in &self.headers {
            builder = builder.raw_header(header(name, value)?);
        }
        self.with_bodies(builder)
    }

    fn address_headers(&self) -> [(AddAddress, &[String]); 4] {
        [
            (MessageBuilder::to, &self.to),
            (MessageBuilder::cc, &self.cc),
            (MessageBuilder::bcc, &self.bcc),
            (MessageBuilder::reply_to, &self.reply_to),
        ]
    }

    fn has_header(&self, name: &str) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name);
        names.any(|other| other.eq_ignore_ascii_case(name))
    }

    fn with_bodies(&self, builder: MessageBuilder) -> Result<Message, Error> {
        let plain = SinglePart::plain(lines(&self.body));
        let built = match &self.html {
            None => builder.singlepart(plain),
            Some(html) => {
                let html = SinglePart::html(lines(html));
                builder.multipart(MultiPart::alternative().singlepart(plain).singlepart(html))
            }
        };
        built.map_err(|_| Error::value("the message has no sender or no recipient"))
    }
}

type AddAddress = fn(MessageBuilder, Mailbox) -> MessageBuilder;

/// Stands in where a sender is asked for directly and nobody said who sends.
const NOBODY: &str = "webmaster@localhost";

/// The headers that are made from fields of their own; Django refuses or ignores them too.
const OWN_HEADERS: [&str; 10] = [
    "From",
    "To",
    "Cc",
    "Bcc",
    "Reply-To",
    "Subject",
    "Sender",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

fn one_line(text: &str) -> Result<String, Error> {
    if text.contains(char::is_control) {
        return Err(Error::value(
            "a header of a message holds a line break or another control character",
        ));
    }
    Ok(text.to_owned())
}

fn header(name: &str, value: &str) -> Result<HeaderValue, Error> {
    let own = OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name));
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if own || !plain {
        return Err(Error::value(
            "the name of a further header of a message is none, or has a field of its own",
        ));
    }
    let name = HeaderName::new_from_ascii(name.to_owned());
    let name = name.map_err(|_| Error::value("the name of a header is too long"))?;
    Ok(HeaderValue::new(name, one_line(value)?))
}

/// Line feeds alone, and none at the end, where one is added.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.strip_suffix('\n').unwrap_or(&text).to_owned()
}

fn message_id() -> String {
    format!("<{}@{}>", Uuid::new_v4().simple(), host_name())
}

/// This machine's name, as far as it may stand in a header and in a greeting.
pub(super) fn host_name() -> String {
    let name = node_name();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if name.is_empty() || name.len() > 255 || !name.chars().all(good) {
        return "localhost".into();
    }
    name
}

#[cfg(target_os = "linux")]
fn node_name() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().into_owned()
}

#[cfg(not(target_os = "linux"))]
fn node_name() -> String {
    String::new()
}

impl fmt::Debug for EmailMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailMessage")
            .field("recipients", &self.recipients().count())
            .field("html", &self.html.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
