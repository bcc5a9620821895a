//! A mail server in this process, which can fail in every way.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::tls_support::acceptor;

/// How the server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No TLS.
    Plain,
    /// TLS after STARTTLS.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Does not offer STARTTLS.
    NotOffered,
    /// Offers STARTTLS and refuses it.
    Refused,
    /// Agrees, and then speaks no TLS but SMTP.
    Broken,
    /// Agrees and goes on in clear text within the same packet.
    Injecting,
    /// Takes the connection and says nothing.
    Silent,
    /// Refuses the recipient, whom it names.
    NoSuchUser,
    /// Refuses the login.
    WrongLogin,
}

/// What the server saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    /// Commands in clear text.
    pub(crate) clear: Vec<String>,
    /// Commands within TLS.
    pub(crate) secure: Vec<String>,
    pub(crate) messages: Vec<String>,
}

pub(crate) struct MailServer {
    pub(crate) port: u16,
    seen: Arc<Mutex<Seen>>,
    // Ends the server with this value.
    _tasks: JoinSet<()>,
}

impl MailServer {
    pub(crate) async fn start(mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut tasks = JoinSet::new();
        let shared = seen.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                shared.lock().connections += 1;
                connections.spawn(serve(mode, stream, shared.clone()));
            }
        });
        Self {
            port,
            seen,
            _tasks: tasks,
        }
    }

    pub(crate) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock())
    }
}

async fn serve(mode: Mode, stream: TcpStream, seen: Arc<Mutex<Seen>>) {
    match mode {
        Mode::Silent => std::future::pending().await,
        Mode::Tls => {
            // A client that does not like the certificate is gone.
            let Ok(stream) = acceptor().accept(stream).await else {
                return;
            };
            talk(mode, stream, &seen, true, true).await;
        }
        _ => {
            let Some(stream) = talk(mode, stream, &seen, false, true).await else {
                return;
            };
            if let Ok(stream) = acceptor().accept(stream).await {
                talk(mode, stream, &seen, true, false).await;
            }
        }
    }
}

/// Speaks SMTP to the end, or until TLS shall begin: then the stream comes back.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mode: Mode,
    stream: S,
    seen: &Mutex<Seen>,
    secure: bool,
    greet: bool,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    if greet {
        stream.write_all(b"220 stub ready\r\n").await.ok()?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        {
            let mut seen = seen.lock();
            let commands = if secure {
                &mut seen.secure
            } else {
                &mut seen.clear
            };
            commands.push(line.clone());
        }
        let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
        let answer = answer(mode, &verb, secure);
        stream.write_all(answer.as_bytes()).await.ok()?;
        match verb.as_str() {
            "STARTTLS" if mode == Mode::StartTls => return Some(stream.into_inner()),
            "DATA" => {
                let message = data(&mut stream).await?;
                seen.lock().messages.push(message);
                stream.write_all(b"250 taken\r\n").await.ok()?;
            }
            "QUIT" => return None,
            _ => {}
        }
    }
}

fn answer(mode: Mode, verb: &str, secure: bool) -> &'static str {
    match verb {
        "EHLO" if secure || mode == Mode::Plain => {
            "250-stub\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"
        }
        "EHLO" if mode == Mode::NotOffered => "250-stub\r\n250 AUTH PLAIN LOGIN\r\n",
        "EHLO" => "250-stub\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n",
        "STARTTLS" => match mode {
            Mode::Refused => "454 not now\r\n",
            Mode::Broken => "220 go\r\n",
            Mode::Injecting => "220 go\r\n250-stub\r\n250 AUTH PLAIN\r\n",
            _ => "220 go ahead\r\n",
        },
        "AUTH" if mode == Mode::WrongLogin => "535 wrong password for ann hunter2\r\n",
        "AUTH" => "235 welcome\r\n",
        "RCPT" if mode == Mode::NoSuchUser => "550 no such user <alice@example.com>\r\n",
        "DATA" => "354 go on\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 fine\r\n",
    }
}

/// The message up to the dot, without the dots that were put before dots.
async fn data<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.as_str() {
            "" => return None,
            ".\r\n" => return Some(message),
            line => message.push_str(line.strip_prefix('.').unwrap_or(line)),
        }
    }
}
