//! The log, on stderr.

mod access;
mod format;

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use djauth::settings::Settings;
use parking_lot::{Condvar, Mutex};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;

pub(crate) use self::access::Access;
use self::format::{Json, Text};

/// How long lines of [`Level::INFO`] and below may wait to be written together. One write for each
/// request would cost more than the request.
const GATHER: Duration = Duration::from_millis(20);

/// So much waits at most, in bytes; more is written by whoever logs it, at the pace of the reader.
const LARGEST: usize = 256 * 1024;

/// Starts the log. `RUST_LOG`, if set, wins over `LOG_LEVEL`. What waits to be written is written
/// when the answer is dropped.
#[must_use]
pub(crate) fn start(settings: &Settings, color: Option<bool>) -> Log {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(&settings.log_level));
    let ansi = color
        .unwrap_or_else(|| io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    let log = Log::to(Box::new(io::stderr()));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Writers(log.0.clone()));
    let json = settings.log_format == "json";
    let started = if json {
        let lines = lines.with_ansi(false).fmt_fields(JsonFields::new());
        lines.event_format(Json::new()).try_init()
    } else {
        lines.with_ansi(ansi).event_format(Text::new()).try_init()
    };
    // A second start can only come from a second call, and then the first one holds.
    if started.is_ok() && (json || !ansi) {
        let _ = PLAIN.set(Plain {
            json,
            lines: log.0.clone(),
        });
    }
    log
}

/// Where lines go that are not for people at a terminal.
struct Plain {
    json: bool,
    lines: Arc<Lines>,
}

static PLAIN: OnceLock<Plain> = OnceLock::new();

/// The log, which is complete once this is dropped.
pub(crate) struct Log(Arc<Lines>);

struct Lines {
    waiting: Mutex<Vec<u8>>,
    some: Condvar,
    /// Locked before `waiting`, so that lines are written in their order.
    out: Mutex<Out>,
}

struct Out {
    to: Box<dyn Write + Send>,
    /// Empty; trades places with what waits, so that neither has to grow anew.
    lines: Vec<u8>,
}

impl Log {
    fn to(out: Box<dyn Write + Send>) -> Self {
        let lines = Arc::new(Lines {
            waiting: Mutex::default(),
            some: Condvar::new(),
            out: Mutex::new(Out {
                to: out,
                lines: Vec::new(),
            }),
        });
        let gatherer = lines.clone();
        let started = thread::Builder::new()
            .name("djauth-log".into())
            .spawn(move || gatherer.write_now_and_then());
        if started.is_err() {
            eprintln!("djauth: no thread for the log, whose lines may come late");
        }
        Log(lines)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.write_out();
    }
}

impl Lines {
    fn write_now_and_then(&self) {
        loop {
            let mut waiting = self.waiting.lock();
            while waiting.is_empty() {
                self.some.wait(&mut waiting);
            }
            drop(waiting);
            thread::sleep(GATHER);
            self.write_out();
        }
    }

    fn write_out(&self) {
        let mut out = self.out.lock();
        let Out { to, lines } = &mut *out;
        std::mem::swap(lines, &mut *self.waiting.lock());
        // A reader that has gone away must not stop the server.
        let _ = to.write_all(lines).and_then(|()| to.flush());
        lines.clear();
    }

    fn add(&self, line: &[u8], at_once: bool) {
        let mut waiting = self.waiting.lock();
        let first = waiting.is_empty();
        waiting.extend_from_slice(line);
        let at_once = at_once || waiting.len() > LARGEST;
        drop(waiting);
        if at_once {
            self.write_out();
        } else if first {
            self.some.notify_one();
        }
    }
}

struct Writers(Arc<Lines>);

/// Writes one line.
struct Line<'a> {
    lines: &'a Lines,
    at_once: bool,
}

impl<'a> MakeWriter<'a> for Writers {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            lines: &self.0,
            at_once: true,
        }
    }

    /// Warnings and errors do not wait: they may be the last words.
    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
        Line {
            lines: &self.0,
            at_once: *meta.level() <= Level::WARN,
        }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.add(line, self.at_once);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log() -> (Log, Shared) {
        let out = Shared::default();
        (Log::to(Box::new(out.clone())), out)
    }

    #[test]
    fn what_does_not_wait_takes_along_what_came_before() {
        let (log, out) = log();
        log.0.add(b"one\n", false);
        log.0.add(b"two\n", true);
        assert_eq!(*out.0.lock(), b"one\ntwo\n");
    }

    #[test]
    fn lines_that_wait_come_by_themselves() {
        let (log, out) = log();
        log.0.add(b"line\n", false);
        while out.0.lock().is_empty() {
            thread::yield_now();
        }
        assert_eq!(*out.0.lock(), b"line\n");
    }

    #[test]
    fn no_line_is_lost_whatever_the_number_and_at_the_end() {
        let (log, out) = log();
        let line = [b'x'; 1000];
        for _ in 0..1000 {
            log.0.add(&line, false);
        }
        assert!(log.0.waiting.lock().len() <= LARGEST);
        drop(log);
        assert_eq!(out.0.lock().len(), 1_000_000);
    }
}
