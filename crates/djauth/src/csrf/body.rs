//! The token in a form's body. What is read of the body is put back for the handler.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;

use super::CSRF_FIELD_NAME;
use crate::http::{FormType, Parts, QueryDict, TooManyFieldsSent, field};

/// Why a form cannot be read: answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// More than `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes.
    TooBig,
    /// More than `DATA_UPLOAD_MAX_NUMBER_FIELDS` fields.
    TooManyFields,
    /// A form of parts that does not say what separates them.
    Malformed,
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
            BodyError::Malformed => "the form has no boundary between its parts, or no valid one",
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
                let whole = read.rest.is_none() && !read.broken;
                let token = multipart_token(&read.bytes, &boundary, max_fields, whole)?;
                Ok(TokenField {
                    token,
                    body: read.put_back(),
                })
            }
            FormType::Malformed => Err(BodyError::Malformed),
            FormType::Other => Ok(TokenField {
                token: String::new(),
                body,
            }),
        }
    }
}

fn declared_length(headers: &HeaderMap) -> usize {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// The last field of the token's name in a multipart body. A part at the end of what was read counts only
/// if nothing was left unread.
fn multipart_token(
    body: &[u8],
    boundary: &str,
    max_fields: usize,
    whole: bool,
) -> Result<String, BodyError> {
    let mut token = String::new();
    for (count, part) in Parts::new(body, boundary).enumerate() {
        if count >= max_fields {
            return Err(BodyError::TooManyFields);
        }
        let read = field(part.bytes).filter(|(name, _)| name == CSRF_FIELD_NAME);
        if let Some((_, value)) = read.filter(|_| part.complete || whole) {
            token = String::from_utf8_lossy(value).into_owned();
        }
    }
    Ok(token)
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
