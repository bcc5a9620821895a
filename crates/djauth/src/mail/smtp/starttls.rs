//! The few words in clear text before TLS (RFC 3207).
//!
//! Spoken here rather than by the SMTP client, so that what the server sends before the handshake cannot
//! be taken for something that it sent after it: whoever sits in between could put it there.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{failed, unreachable};
use crate::Error;

/// The longest answer, in bytes.
const LONGEST: usize = 8 * 1024;

/// Asks for TLS; afterwards the next byte in both directions is TLS.
pub(super) async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    name: &str,
) -> Result<(), Error> {
    answer(stream, "220").await?;
    say(stream, &format!("EHLO {name}\r\n")).await?;
    let features = answer(stream, "250").await?;
    if !offers_tls(&features) {
        return Err(failed(
            "the mail server does not offer STARTTLS: nothing is sent in clear text",
        ));
    }
    say(stream, "STARTTLS\r\n").await?;
    answer(stream, "220").await.map(drop)
}

fn offers_tls(features: &[String]) -> bool {
    let mut features = features.iter().skip(1);
    features.any(|feature| feature.trim().eq_ignore_ascii_case("STARTTLS"))
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), line: &str) -> Result<(), Error> {
    let written = stream.write_all(line.as_bytes()).await;
    written.map_err(unreachable)?;
    stream.flush().await.map_err(unreachable)
}

/// The texts of the lines of one answer, which must have this code and be all that comes.
async fn answer(stream: &mut (impl AsyncRead + Unpin), code: &str) -> Result<Vec<String>, Error> {
    let mut bytes = Vec::new();
    while !is_whole(&bytes) {
        if bytes.len() > LONGEST {
            return Err(failed("an answer of the mail server is too long"));
        }
        let mut some = [0; 1024];
        match stream.read(&mut some).await.map_err(unreachable)? {
            0 => return Err(failed("the mail server closed the connection")),
            length => bytes.extend_from_slice(&some[..length]),
        }
    }
    lines(&bytes, code)
}

/// Whether the last line has come: `220 text`, where lines before it say `220-text`.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(text) = bytes.strip_suffix(b"\n") else {
        return false;
    };
    let last = text.rsplit(|byte| *byte == b'\n').next();
    last.is_some_and(|line| line.get(3) != Some(&b'-'))
}

/// Takes an answer apart. One that goes on after its last line was tampered with.
fn lines(bytes: &[u8], code: &str) -> Result<Vec<String>, Error> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = Vec::new();
    let mut over = false;
    for line in text.lines() {
        let rest = line.strip_prefix(code).ok_or_else(|| {
            let given = line
                .get(..3)
                .filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
            let given = given.unwrap_or("nothing that is SMTP");
            failed(format!("the mail server answered with {given} before TLS"))
        })?;
        if over {
            return Err(failed(
                "the mail server said more than was asked before TLS",
            ));
        }
        over = !rest.starts_with('-');
        lines.push(rest.get(1..).unwrap_or_default().to_owned());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::duplex;

    use super::*;

    /// What `ask` says to a server that answers so, and what is said to it.
    async fn conversation(answers: &[&'static str]) -> (Result<(), Error>, String) {
        let (mut client, mut server) = duplex(64 * 1024);
        let answers = answers.to_vec();
        let server = tokio::spawn(async move {
            let mut heard = Vec::new();
            // An empty answer closes the connection.
            for answer in answers.into_iter().take_while(|answer| !answer.is_empty()) {
                // A server that is gone while it speaks has been refused.
                let _ = server.write_all(answer.as_bytes()).await;
                let mut some = [0; 1024];
                let length = server.read(&mut some).await.unwrap_or(0);
                heard.extend_from_slice(&some[..length]);
            }
            String::from_utf8(heard).unwrap()
        });
        let result = ask(&mut client, "client.example").await;
        drop(client);
        (result, server.await.unwrap())
    }

    #[tokio::test]
    async fn a_server_that_offers_tls_is_asked_for_it() {
        let (result, heard) = conversation(&[
            "220-hello\r\n220 mail.example\r\n",
            "250-mail.example\r\n250-SIZE 1000\r\n250 starttls\r\n",
            "220 go ahead\r\n",
        ])
        .await;
        result.unwrap();
        assert_eq!(heard, "EHLO client.example\r\nSTARTTLS\r\n");
    }

    #[tokio::test]
    async fn everything_else_is_refused() {
        let ehlo = "250-m\r\n250 STARTTLS\r\n";
        for (what, answers) in [
            (
                "not offered",
                ["220 m\r\n", "250-m\r\n250 AUTH PLAIN\r\n", ""],
            ),
            ("offered as its name", ["220 m\r\n", "250 STARTTLS\r\n", ""]),
            ("refused", ["220 m\r\n", ehlo, "454 not now\r\n"]),
            ("busy", ["421 m\r\n", ehlo, "220 go\r\n"]),
            ("not SMTP", ["HTTP/1.1 400\r\n", "", ""]),
            ("closed", ["220 m\r\n", "", ""]),
            // The command injection of CVE-2011-0411 and its like, towards the client.
            (
                "said more",
                ["220 m\r\n", ehlo, "220 go\r\n250 AUTH PLAIN\r\n"],
            ),
            ("said it again", ["220 m\r\n", ehlo, "220 go\r\n220 go\r\n"]),
            (
                "went on",
                ["220 m\r\n", ehlo, "220 go\r\n220-go\r\n220 x\r\n"],
            ),
        ] {
            let (result, _) = conversation(&answers).await;
            let error = result.expect_err(what);
            assert_eq!(*error.kind(), crate::ErrorKind::Mail, "{what}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_refused() {
        let (mut client, mut server) = duplex(64 * 1024);
        let flood =
            tokio::spawn(async move { while server.write_all(b"220-more\r\n").await.is_ok() {} });
        ask(&mut client, "client.example").await.unwrap_err();
        drop(client);
        flood.await.unwrap();
    }

    proptest! {
        #[test]
        fn no_answer_breaks_the_reader(bytes: Vec<u8>) {
            let _ = is_whole(&bytes);
            let _ = lines(&bytes, "220");
        }
    }
}
