//! The lines of the access log. There is one for each request, so they are written without the
//! machinery that is there for all other lines, which would take longer than many an answer; they look
//! the same.

use std::cell::RefCell;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use tracing::Level;

use super::PLAIN;

/// One request. Method, path and name are such that they can stand in a line.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) time: Duration,
    pub(crate) peer: Option<IpAddr>,
}

thread_local! {
    static LINE: RefCell<Text> = RefCell::default();
}

impl Access<'_> {
    /// Writes the line, if the log has such lines.
    pub(crate) fn write(&self) {
        if !tracing::enabled!(target: "djauth.access", Level::INFO) {
            return;
        }
        let Some(plain) = PLAIN.get() else {
            return self.event();
        };
        LINE.with_borrow_mut(|text| {
            text.line.clear();
            match plain.json {
                true => self.json(text),
                false => self.text(text),
            }
            plain.lines.add(&text.line, false);
        });
    }

    fn event(&self) {
        let peer = self.peer.map(|peer| peer.to_string()).unwrap_or_default();
        let hundredths = u32::try_from(self.hundredths()).unwrap_or(u32::MAX);
        let event = || {
            tracing::info!(
                target: "djauth.access",
                method = %self.method,
                path = %self.path,
                status = self.status,
                ms = f64::from(hundredths) / 100.0,
                peer = %peer,
            );
        };
        match http::HeaderValue::from_str(self.id) {
            Ok(id) => crate::request_id::CURRENT.sync_scope(id, event),
            Err(_) => event(),
        }
    }

    /// Of a millisecond, rounded.
    fn hundredths(&self) -> u64 {
        let rounded = (self.time.as_nanos() + 5_000) / 10_000;
        u64::try_from(rounded).unwrap_or(u64::MAX)
    }

    fn text(&self, text: &mut Text) {
        text.now();
        text.put("  INFO request{id=\"").put(self.id);
        text.put("\"}: djauth.access: method=").put(self.method);
        text.put(" path=").put(self.path);
        text.put(" status=").number(self.status.into());
        text.put(" ms=").decimal(self.hundredths());
        text.put(" peer=").address(self.peer);
        text.put("\n");
    }

    fn json(&self, text: &mut Text) {
        text.put(r#"{"timestamp":""#).now();
        text.put(r#"","level":"INFO","method":""#);
        text.escaped(self.method).put(r#"","path":""#);
        text.escaped(self.path).put(r#"","status":"#);
        text.number(self.status.into()).put(r#","ms":"#);
        text.decimal(self.hundredths()).put(r#","peer":""#);
        text.address(self.peer);
        text.put(r#"","target":"djauth.access","span":{"id":""#);
        text.put(self.id);
        text.put("\",\"name\":\"request\"}}\n");
    }
}

#[derive(Default)]
struct Text {
    line: Vec<u8>,
    /// The second that was written last, and how.
    second: Option<(u64, String)>,
}

impl Text {
    fn put(&mut self, text: &str) -> &mut Self {
        self.line.extend_from_slice(text.as_bytes());
        self
    }

    /// `2027-11-26T13:35:00.123456Z`.
    fn now(&mut self) -> &mut Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        self.moment(now.as_secs(), now.subsec_micros())
    }

    fn moment(&mut self, second: u64, micros: u32) -> &mut Self {
        let Self { line, second: last } = self;
        let known = last.take().filter(|(known, _)| *known == second);
        let (_, text) = last.insert(known.unwrap_or_else(|| (second, written(second))));
        line.extend_from_slice(text.as_bytes());
        line.push(b'.');
        push_digits(line, micros.into(), 6);
        line.push(b'Z');
        self
    }

    fn number(&mut self, number: u64) -> &mut Self {
        match u8::try_from(number) {
            Ok(digit @ 0..10) => self.line.push(b'0' + digit),
            // Most of them are parts of addresses.
            Ok(byte) => {
                let digits = [byte / 100, byte / 10 % 10, byte % 10].map(|digit| b'0' + digit);
                let from = usize::from(byte < 100);
                self.line.extend_from_slice(&digits[from..]);
            }
            Err(_) => {
                let digits = number.checked_ilog10().unwrap_or(0) + 1;
                push_digits(&mut self.line, number, digits);
            }
        }
        self
    }

    /// As floating-point numbers are written: `1.0`, `0.1`, `12.34`.
    fn decimal(&mut self, hundredths: u64) -> &mut Self {
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        self.number(whole).put(".");
        match rest % 10 {
            0 => self.number(rest / 10),
            _ => {
                push_digits(&mut self.line, rest, 2);
                self
            }
        }
    }

    fn address(&mut self, address: Option<IpAddr>) -> &mut Self {
        match address {
            Some(IpAddr::V4(address)) => {
                let [a, b, c, d] = address.octets().map(u64::from);
                self.number(a).put(".").number(b).put(".");
                self.number(c).put(".").number(d)
            }
            Some(address) => self.put(&address.to_string()),
            None => self,
        }
    }

    /// Of what `escape_default` leaves, only the backslash and the quote mean something in JSON.
    fn escaped(&mut self, text: &str) -> &mut Self {
        for part in text.split_inclusive(['\\', '"']) {
            match part.as_bytes() {
                [before @ .., special @ (b'\\' | b'"')] => {
                    self.line.extend_from_slice(before);
                    self.line.extend_from_slice(&[b'\\', *special]);
                }
                all => self.line.extend_from_slice(all),
            }
        }
        self
    }
}

fn written(second: u64) -> String {
    let time = i64::try_from(second).ok();
    let time = time.and_then(|second| DateTime::from_timestamp(second, 0));
    let time = time.unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The last `digits` of them.
fn push_digits(line: &mut Vec<u8>, mut number: u64, digits: u32) {
    let from = line.len();
    line.resize(from + digits as usize, b'0');
    for digit in line[from..].iter_mut().rev() {
        // Below ten.
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::fmt::format::JsonFields;

    use super::super::format;
    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Shared {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn some() -> Vec<Access<'static>> {
        let access = Access {
            id: "7f3a-01",
            method: "GET",
            path: "/auth/verify",
            status: 200,
            time: Duration::from_micros(1_234),
            peer: Some("127.0.0.1".parse().unwrap()),
        };
        vec![
            access,
            Access {
                path: r#"/a\n\"b\'\u{202e}"#,
                status: 503,
                time: Duration::from_secs(12),
                peer: Some("2001:db8::1".parse().unwrap()),
                ..access
            },
            Access {
                time: Duration::from_micros(96),
                peer: None,
                ..access
            },
            Access {
                time: Duration::from_micros(1_004),
                ..access
            },
        ]
    }

    /// Without the time.
    fn ends(lines: &str) -> Vec<String> {
        let rest = |line: &str| {
            let (_, rest) = line.split_once('Z').unwrap();
            rest.to_owned()
        };
        lines.lines().map(rest).collect()
    }

    /// What is written without tracing.
    fn direct(json: bool) -> Vec<String> {
        let mut text = Text::default();
        for access in some() {
            match json {
                true => access.json(&mut text),
                false => access.text(&mut text),
            }
        }
        ends(&String::from_utf8(text.line).unwrap())
    }

    /// What tracing-subscriber itself writes, the name of the request in a span.
    fn traced(json: bool) -> Vec<String> {
        let out = Shared::default();
        let lines = tracing_subscriber::fmt().with_writer(out.clone());
        let lines: Box<dyn tracing::Subscriber + Send + Sync> = match json {
            true => Box::new(
                lines
                    .json()
                    .flatten_event(true)
                    .with_span_list(false)
                    .finish(),
            ),
            false => Box::new(lines.with_ansi(false).finish()),
        };
        tracing::subscriber::with_default(lines, || {
            for access in some() {
                let span = tracing::error_span!(target: "djauth", "request", id = access.id);
                let peer = access.peer.map(|peer| peer.to_string());
                let ms = access.time.as_secs_f64() * 1000.0;
                let _entered = span.enter();
                tracing::info!(
                    target: "djauth.access",
                    method = %access.method,
                    path = %access.path,
                    status = access.status,
                    ms = (ms * 100.0).round() / 100.0,
                    peer = %peer.unwrap_or_default(),
                );
            }
        });
        let text = out.0.lock().clone();
        ends(&String::from_utf8(text).unwrap())
    }

    /// What our own format makes of the event.
    fn formatted(json: bool) -> Vec<String> {
        let out = Shared::default();
        let lines = tracing_subscriber::fmt().with_writer(out.clone());
        let lines: Box<dyn tracing::Subscriber + Send + Sync> = match json {
            true => {
                let lines = lines.with_ansi(false).fmt_fields(JsonFields::new());
                Box::new(lines.event_format(format::Json::new()).finish())
            }
            false => {
                let lines = lines.with_ansi(false);
                Box::new(lines.event_format(format::Text::new()).finish())
            }
        };
        tracing::subscriber::with_default(lines, || some().iter().for_each(Access::event));
        let text = out.0.lock().clone();
        ends(&String::from_utf8(text).unwrap())
    }

    #[test]
    fn lines_are_those_of_tracing() {
        assert_eq!(direct(false), traced(false));
        assert_eq!(formatted(false), traced(false));
    }

    #[test]
    fn objects_are_those_of_tracing() {
        assert_eq!(direct(true), traced(true));
        assert_eq!(formatted(true), traced(true));
    }

    #[test]
    fn times_are_written_as_tracing_writes_them() {
        let mut text = Text::default();
        text.moment(1_795_786_500, 42).put(" ");
        text.moment(1_795_786_500, 999_999).put(" ");
        text.moment(951_782_400, 0);
        let written = String::from_utf8(text.line).unwrap();
        assert_eq!(
            written,
            "2026-11-27T13:35:00.000042Z 2026-11-27T13:35:00.999999Z 2000-02-29T00:00:00.000000Z"
        );
    }
}
