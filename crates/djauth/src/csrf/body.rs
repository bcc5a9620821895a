//! The token in a form's body. What is read of the body is put back for the handler.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;

use super::CSRF_FIELD_NAME;
use crate::http::{QueryDict, TooManyFieldsSent, strip};

/// Why a form cannot be read: answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// More than `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes.
    TooBig,
    /// More than `DATA_UPLOAD_MAX_NUMBER_FIELDS` fields.
    TooManyFields,
}

impl From<TooManyFieldsSent> for BodyError {
    fn from(_: TooManyFieldsSent) -> Self {
        BodyError::TooManyFields
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyError::TooBig => "the form is larger than DATA_UPLOAD_MAX_MEMORY_SIZE allows",
            BodyError::TooManyFields => {
                "the form has more fields than DATA_UPLOAD_MAX_NUMBER_FIELDS allows"
            }
        })
    }
}

/// The token field of a form, and the body as it was.
pub(crate) struct TokenField {
    /// The last value of the field; empty when there is none, when the body is no form, or when the
    /// connection broke.
    pub(crate) token: String,
    pub(crate) body: Body,
}

impl TokenField {
    /// Reads the field. A form of fields alone is read whole, within `max_bytes`. Of one with files
    /// (`multipart/form-data`) at most `max_bytes` are read, in which the token must be found: a form
    /// begins with it.
    pub(crate) async fn read(
        headers: &HeaderMap,
        body: Body,
        max_bytes: u64,
        max_fields: usize,
    ) -> Result<Self, BodyError> {
        let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        match FormType::of(headers) {
            FormType::Urlencoded if declared_length(headers) > max_bytes => Err(BodyError::TooBig),
            FormType::Urlencoded => {
                let read = ReadPart::of(body, max_bytes).await;
                if read.bytes.len() > max_bytes {
                    return Err(BodyError::TooBig);
                }
                let fields = QueryDict::parse(&read.bytes, max_fields)?;
                let token = fields.get(CSRF_FIELD_NAME).filter(|_| !read.broken);
                Ok(TokenField {
                    token: token.unwrap_or("").to_owned(),
                    body: read.put_back(),
                })
            }
            FormType::Multipart(boundary) => {
                let read = ReadPart::of(body, max_bytes).await;
                let token = multipart_token(&read.bytes, boundary.as_bytes(), max_fields)?;
                Ok(TokenField {
                    token,
                    body: read.put_back(),
                })
            }
            FormType::Other => Ok(TokenField {
                token: String::new(),
                body,
            }),
        }
    }
}

enum FormType {
    Urlencoded,
    Multipart(String),
    Other,
}

impl FormType {
    fn of(headers: &HeaderMap) -> Self {
        let header = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let (kind, parameters) = header
            .unwrap_or("")
            .split_once(';')
            .unwrap_or((header.unwrap_or(""), ""));
        match strip(kind).to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => FormType::Urlencoded,
            "multipart/form-data" => parameter(parameters, "boundary")
                .filter(|boundary| (1..=201).contains(&boundary.len()))
                .map_or(FormType::Other, FormType::Multipart),
            _ => FormType::Other,
        }
    }
}

fn declared_length(headers: &HeaderMap) -> usize {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// A parameter of a header such as `form-data; name="x"`, with or without quotes.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    parameters.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let value = strip(value);
        let quoted = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        strip(key)
            .eq_ignore_ascii_case(name)
            .then(|| quoted.unwrap_or(value).to_owned())
    })
}

/// The last complete field of the token's name in a multipart body, of which the end may be missing.
fn multipart_token(body: &[u8], boundary: &[u8], max_fields: usize) -> Result<String, BodyError> {
    let delimiter = [b"\r\n--", boundary].concat();
    // The first delimiter has no line break before it.
    let mut rest = match body.strip_prefix(&delimiter[2..]) {
        Some(rest) => rest,
        None => match find(body, &delimiter) {
            Some(at) => &body[at + delimiter.len()..],
            None => return Ok(String::new()),
        },
    };
    let (mut token, mut parts) = (String::new(), 0);
    while let Some(end) = find(rest, &delimiter) {
        parts += 1;
        if parts > max_fields {
            return Err(BodyError::TooManyFields);
        }
        if let Some(value) = token_part(&rest[..end]) {
            token = String::from_utf8_lossy(value).into_owned();
        }
        rest = &rest[end + delimiter.len()..];
    }
    Ok(token)
}

/// The content of a part, if it is the token's.
fn token_part(part: &[u8]) -> Option<&[u8]> {
    let part = part.strip_prefix(b"\r\n")?;
    let split = find(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&part[..split]).ok()?;
    let is_token = head.split("\r\n").any(|line| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        name.eq_ignore_ascii_case("content-disposition")
            && parameter(value, "name").as_deref() == Some(CSRF_FIELD_NAME)
            && parameter(value, "filename").is_none()
    });
    is_token.then(|| &part[split + 4..])
}

/// Where `needle` begins, found in linear time: the first byte of each needle here is a carriage
/// return that occurs nowhere else in it but before the blank line.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|&byte| byte == needle[0]) {
        if haystack[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// What was read of a body, and what was not.
struct ReadPart {
    bytes: Vec<u8>,
    /// The chunk that went beyond the limit is part of `bytes`.
    rest: Option<Body>,
    broken: bool,
}

impl ReadPart {
    /// Reads until more than `limit` bytes are there.
    async fn of(mut body: Body, limit: usize) -> Self {
        let mut bytes = Vec::new();
        while bytes.len() <= limit {
            match body.frame().await {
                None => {
                    return ReadPart {
                        bytes,
                        rest: None,
                        broken: false,
                    };
                }
                Some(Err(_)) => {
                    return ReadPart {
                        bytes,
                        rest: None,
                        broken: true,
                    };
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        bytes.extend_from_slice(&data);
                    }
                }
            }
        }
        ReadPart {
            bytes,
            rest: Some(body),
            broken: false,
        }
    }

    /// The body as it was; a broken one breaks for the handler too.
    fn put_back(self) -> Body {
        if self.rest.is_none() && !self.broken {
            return Body::from(self.bytes);
        }
        Body::new(Chained {
            first: Some(self.bytes.into()),
            rest: self.rest,
            broken: self.broken,
        })
    }
}

struct Chained {
    first: Option<Bytes>,
    rest: Option<Body>,
    broken: bool,
}

impl HttpBody for Chained {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if std::mem::take(&mut self.broken) {
            return Poll::Ready(Some(Err(axum::Error::new("the client broke off"))));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let rest = self
            .rest
            .as_ref()
            .map(HttpBody::size_hint)
            .unwrap_or_default();
        let mut hint = SizeHint::new();
        hint.set_lower(first + rest.lower());
        hint
    }
}

#[cfg(test)]
mod tests;
