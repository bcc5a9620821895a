//! Questions on a terminal.

use std::io::{BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// Whether somebody can be asked.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal()
}

/// The longest answer, in bytes.
const LONGEST: usize = 64 * 1024;

/// Asks for a line, which is shown while it is typed.
pub(crate) async fn ask(prompt: &str) -> Result<String, Failure> {
    question(prompt.to_owned(), false).await
}

/// Asks for a secret line, which is not shown.
pub(crate) async fn ask_hidden(prompt: &str) -> Result<String, Failure> {
    question(prompt.to_owned(), true).await
}

/// Asks on a thread of its own, so that Ctrl-C is seen meanwhile.
async fn question(prompt: String, hidden: bool) -> Result<String, Failure> {
    let before = tcgetattr(std::io::stdin()).ok();
    // Caught from before the question on: a Ctrl-C in between would leave a silent terminal behind.
    let interrupt = signal(SignalKind::interrupt());
    let mut interrupt =
        interrupt.map_err(|error| Failure::caused("cannot catch signals", &error))?;
    let answer = tokio::task::spawn_blocking(move || read(&prompt, hidden));
    tokio::select! {
        answer = answer => match answer {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => Err(Failure::Interrupted),
            Ok(Err(error)) => Err(Failure::caused(format!("cannot read the answer: {error}"), &error)),
            Err(error) => Err(Failure::caused("cannot read the answer", &error)),
        },
        _ = interrupt.recv() => {
            leave(before.as_ref());
        }
    }
}

/// Ends the program: the thread that reads cannot be stopped. The terminal shows what is typed again.
fn leave(before: Option<&Termios>) -> ! {
    if let Some(before) = before {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
    }
    let failure = Failure::Interrupted;
    failure.report(false);
    std::process::exit(failure.exit_code().into());
}

/// One line without its end; `None` at the end of the input.
fn read(prompt: &str, hidden: bool) -> std::io::Result<Option<String>> {
    let mut out = std::io::stdout();
    let echo = if hidden { Some(Hidden::new()?) } else { None };
    out.write_all(prompt.as_bytes())?;
    out.flush()?;
    let line = read_line(&mut std::io::stdin().lock());
    if echo.is_some() {
        writeln!(out)?;
    }
    line
}

fn read_line(input: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut limited = std::io::Read::take(input, LONGEST as u64 + 1);
    limited.read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() > LONGEST {
        return Err(std::io::Error::other("the answer is too long"));
    }
    if bytes.ends_with(b"\n") {
        bytes.pop();
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| std::io::Error::other("the answer is not UTF-8"))
}

/// While it lives, the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn new() -> std::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.remove(LocalModes::ECHONL);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_its_end_and_no_line_is_none() {
        let mut input = std::io::Cursor::new(b"one\n\ntwo".as_slice());
        let mut next = || read_line(&mut input).unwrap();
        assert_eq!(next().as_deref(), Some("one"));
        assert_eq!(next().as_deref(), Some(""));
        assert_eq!(next().as_deref(), Some("two"));
        assert_eq!(next(), None);
    }

    #[test]
    fn odd_answers_are_errors() {
        assert!(read_line(&mut std::io::Cursor::new(b"\xff\n")).is_err());
        assert!(read_line(&mut std::io::Cursor::new(vec![b'a'; LONGEST + 2])).is_err());
    }
}
