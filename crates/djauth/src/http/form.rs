//! The two encodings of forms.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

use super::{QueryDict, TooManyFieldsSent, strip};

/// How the body of a request is encoded, by its `Content-Type`.
pub(crate) enum FormType {
    Urlencoded,
    /// With the text that separates the parts.
    Multipart(String),
    /// `multipart/form-data` whose boundary is missing or cannot be one: 400, as in Django.
    Malformed,
    Other,
}

impl FormType {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let header = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let (kind, parameters) = header
            .unwrap_or("")
            .split_once(';')
            .unwrap_or((header.unwrap_or(""), ""));
        match strip(kind).to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => FormType::Urlencoded,
            // Django's parser knows the small letters alone.
            "multipart/form-data" if !kind.trim_start().starts_with("multipart/") => {
                FormType::Malformed
            }
            "multipart/form-data" => parameter(parameters, "boundary")
                .filter(|boundary| (1..=201).contains(&boundary.len()))
                .map_or(FormType::Malformed, FormType::Multipart),
            _ => FormType::Other,
        }
    }

    /// The fields of a body that was read whole. Files are left out.
    pub(crate) fn fields(
        &self,
        body: &[u8],
        max_fields: usize,
    ) -> Result<QueryDict, TooManyFieldsSent> {
        match self {
            FormType::Urlencoded => QueryDict::parse(body, max_fields),
            FormType::Multipart(boundary) => multipart_fields(body, boundary, max_fields),
            FormType::Malformed | FormType::Other => Ok(QueryDict::default()),
        }
    }
}

fn multipart_fields(
    body: &[u8],
    boundary: &str,
    max_fields: usize,
) -> Result<QueryDict, TooManyFieldsSent> {
    let mut fields = QueryDict::default();
    for (count, part) in Parts::new(body, boundary).enumerate() {
        if count >= max_fields {
            return Err(TooManyFieldsSent);
        }
        if let Some((name, value)) = field(part.bytes) {
            fields.append(name, String::from_utf8_lossy(value));
        }
    }
    Ok(fields)
}

/// The name and content of a part, if it is a field and no file.
pub(crate) fn field(part: &[u8]) -> Option<(String, &[u8])> {
    let part = part.strip_prefix(b"\r\n")?;
    let split = find(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&part[..split]).ok()?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    if parameter(disposition, "filename").is_some() {
        return None;
    }
    Some((parameter(disposition, "name")?, &part[split + 4..]))
}

/// The parts between the delimiters of a multipart body.
pub(crate) struct Parts<'a> {
    delimiter: Vec<u8>,
    rest: Option<&'a [u8]>,
}

pub(crate) struct Part<'a> {
    pub(crate) bytes: &'a [u8],
    /// Whether a delimiter follows.
    pub(crate) complete: bool,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(body: &'a [u8], boundary: &str) -> Self {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // The first delimiter has no line break before it.
        let rest = body
            .strip_prefix(&delimiter[2..])
            .or_else(|| find(body, &delimiter).map(|at| &body[at + delimiter.len()..]));
        Parts { delimiter, rest }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let rest = self.rest.take()?;
        let Some(end) = find(rest, &self.delimiter) else {
            // What follows the last delimiter is its "--"; anything else was cut off.
            let cut = !rest.is_empty() && !rest.starts_with(b"--");
            return cut.then_some(Part {
                bytes: rest,
                complete: false,
            });
        };
        self.rest = Some(&rest[end + self.delimiter.len()..]);
        Some(Part {
            bytes: &rest[..end],
            complete: true,
        })
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str = "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\r\n2\r\n\
        --XyZ\r\ncontent-disposition: form-data; name=f; filename=\"f\"\r\n\r\nfile\r\n\
        --XyZ\r\nContent-Type: text/plain\r\n\r\nnameless\r\n\
        --XyZ\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain\r\n\r\né\r\n--XyZ--\r\n";

    fn form() -> FormType {
        FormType::Multipart("XyZ".into())
    }

    #[test]
    fn fields_of_a_multipart_form() {
        let fields = form().fields(BODY.as_bytes(), 1000).unwrap();
        assert_eq!(fields.get_list("a"), ["1\r\n\r\n2", "é"]);
        assert_eq!(fields.iter().count(), 1);
        assert_eq!(form().fields(BODY.as_bytes(), 3), Err(TooManyFieldsSent));
    }

    #[test]
    fn a_last_part_that_was_cut_off_counts_as_in_django() {
        let body = "--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\ncut";
        let fields = form().fields(body.as_bytes(), 10).unwrap();
        assert_eq!(fields.get("a"), Some("cut"));
    }

    proptest! {
        #[test]
        fn hostile_multipart_bodies_do_not_panic(
            pieces in proptest::collection::vec("--XyZ|\r\n|\r|:|;|name=|csrfmiddlewaretoken|\"|Content-Disposition|-|é", 0..60)
        ) {
            let _ = form().fields(pieces.concat().as_bytes(), 1000);
        }
    }
}
