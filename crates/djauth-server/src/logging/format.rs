//! How lines look: as tracing-subscriber writes them, with the name of the request.
//!
//! The name stands where the fields of a span would. A real span for each request would cost more than
//! many an answer.

use std::fmt;

use http::HeaderValue;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{self, Format, Full, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::request_id::CURRENT;

/// For people.
pub(super) struct Text(Format<Full, ()>);

impl Text {
    pub(super) fn new() -> Self {
        Self(format::format().without_time().with_level(false))
    }
}

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let style = if writer.has_ansi_escapes() {
            ANSI
        } else {
            NONE
        };
        writer.write_str(style.dim)?;
        SystemTime.format_time(&mut writer)?;
        let level = *event.metadata().level();
        let (color, end) = (style.color(level), style.end);
        write!(writer, "{end} {color}{:>5}{end} ", level.as_str())?;
        if let Some(id) = current() {
            let Style {
                dim, bold, italic, ..
            } = style;
            write!(
                writer,
                "{bold}request{end}{bold}{{{end}{italic}id{end}{dim}={end}\"{id}\"{bold}}}{end}{dim}:{end} "
            )?;
        }
        self.0.format_event(context, writer, event)
    }
}

/// Escape sequences of terminals.
#[derive(Clone, Copy)]
struct Style {
    dim: &'static str,
    bold: &'static str,
    italic: &'static str,
    end: &'static str,
}

const NONE: Style = Style {
    dim: "",
    bold: "",
    italic: "",
    end: "",
};

const ANSI: Style = Style {
    dim: "\x1b[2m",
    bold: "\x1b[1m",
    italic: "\x1b[3m",
    end: "\x1b[0m",
};

impl Style {
    fn color(self, level: Level) -> &'static str {
        match level {
            _ if self.end.is_empty() => "",
            Level::ERROR => "\x1b[31m",
            Level::WARN => "\x1b[33m",
            Level::INFO => "\x1b[32m",
            Level::DEBUG => "\x1b[34m",
            Level::TRACE => "\x1b[35m",
        }
    }
}

/// For programs: one object a line.
pub(super) struct Json(Format<format::Json>);

impl Json {
    pub(super) fn new() -> Self {
        let format = format::format().json().flatten_event(true);
        Self(format.with_current_span(false).with_span_list(false))
    }
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(id) = current() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        let object = line.trim_end().strip_suffix('}').ok_or(fmt::Error)?;
        writeln!(
            writer,
            r#"{object},"span":{{"id":"{id}","name":"request"}}}}"#
        )
    }
}

/// Names of requests have no characters that would need an escape.
fn current() -> Option<HeaderText> {
    CURRENT.try_with(HeaderValue::clone).ok().map(HeaderText)
}

struct HeaderText(HeaderValue);

impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}
