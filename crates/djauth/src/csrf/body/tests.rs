use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use proptest::prelude::*;

use super::*;

fn headers(content_type: &str) -> HeaderMap {
    let value = HeaderValue::from_bytes(content_type.as_bytes()).unwrap();
    HeaderMap::from_iter([(CONTENT_TYPE, value)])
}

async fn read(
    content_type: &str,
    body: impl Into<Body>,
    max: u64,
) -> Result<TokenField, BodyError> {
    TokenField::read(&headers(content_type), body.into(), max, 1000).await
}

async fn whole(body: Body) -> Vec<u8> {
    body.collect().await.unwrap().to_bytes().to_vec()
}

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=XyZ";

fn multipart(fields: &[(&str, &str)]) -> String {
    let parts = fields.iter().map(|(head, value)| {
        format!("--XyZ\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    });
    parts.chain(["--XyZ--\r\n".to_owned()]).collect()
}

#[tokio::test]
async fn the_field_is_found_and_the_body_stays() {
    let form = "csrfmiddlewaretoken=old&a=b&csrfmiddlewaretoken=to%6Ben";
    let field = read(&format!("{FORM}; charset=utf-8"), form, 100)
        .await
        .unwrap();
    assert_eq!(field.token, "token");
    assert_eq!(whole(field.body).await, form.as_bytes());
}

#[tokio::test]
async fn the_field_is_found_among_files() {
    let body = multipart(&[
        ("name=\"csrfmiddlewaretoken\"", "token"),
        ("name=\"csrfmiddlewaretoken\"; filename=\"x\"", "a file"),
        ("name=\"other\"", "--XyY\r\n--Xy"),
    ]);
    for content_type in [
        MULTIPART,
        "multipart/Form-Data;charset=utf-8; boundary=\"XyZ\"",
    ] {
        let field = read(content_type, format!("preamble\r\n{body}"), 1000)
            .await
            .unwrap();
        assert_eq!(field.token, "token");
        assert!(whole(field.body).await.ends_with(body.as_bytes()));
    }
}

#[tokio::test]
async fn a_large_upload_is_read_up_to_the_limit_alone() {
    let file = "x".repeat(100_000);
    let body = multipart(&[
        ("name=\"csrfmiddlewaretoken\"", "token"),
        ("name=\"f\"", &file),
    ]);
    let chunks: Vec<_> = body.as_bytes().chunks(1000).map(<[u8]>::to_vec).collect();
    let stream = futures_util::stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>));
    let field = read(MULTIPART, Body::from_stream(stream), 5000)
        .await
        .unwrap();
    assert_eq!(field.token, "token");
    assert_eq!(whole(field.body).await, body.as_bytes());
}

/// CVE-2026-33034 and others: the limit holds whatever length was announced, or none.
#[tokio::test]
async fn cve_2026_33034_large_forms_are_refused() {
    let stream = || {
        let chunks = (0..100).map(|_| Ok::<_, std::io::Error>("a=b&".repeat(10)));
        Body::from_stream(futures_util::stream::iter(chunks))
    };
    assert_eq!(
        read(FORM, stream(), 100).await.err(),
        Some(BodyError::TooBig)
    );
    for (length, refused) in [("5", true), ("5000", true), ("rubbish", true)] {
        let mut headers = headers(FORM);
        headers.insert(CONTENT_LENGTH, length.parse().unwrap());
        let field = TokenField::read(&headers, stream(), 100, 1000).await;
        assert_eq!(field.is_err(), refused, "{length}");
    }
    let many = "&".repeat(1000);
    assert_eq!(
        read(FORM, many, 10_000).await.err(),
        Some(BodyError::TooManyFields)
    );
}

#[tokio::test]
async fn a_broken_connection_is_no_token_and_breaks_for_the_handler_too() {
    let chunks = [
        Ok("csrfmiddlewaretoken=token"),
        Err(std::io::Error::other("gone")),
    ];
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    let field = read(FORM, body, 1000).await.unwrap();
    assert_eq!(field.token, "");
    assert!(field.body.collect().await.is_err());
}

#[tokio::test]
async fn a_form_of_parts_needs_its_boundary() {
    for content_type in ["multipart/form-data", "multipart/form-data; boundary="] {
        let field = read(content_type, "csrfmiddlewaretoken=token", 100).await;
        assert_eq!(field.err(), Some(BodyError::Malformed));
    }
}

#[tokio::test]
async fn other_bodies_are_left_alone() {
    for content_type in ["application/json", "", "text/plain; boundary=x"] {
        let field = read(content_type, "csrfmiddlewaretoken=token", 1)
            .await
            .unwrap();
        assert_eq!(field.token, "");
        assert_eq!(whole(field.body).await, b"csrfmiddlewaretoken=token");
    }
}

proptest! {
    #[test]
    fn hostile_multipart_bodies_do_not_panic(
        pieces in proptest::collection::vec("--XyZ|\r\n|\r|:|;|name=|csrfmiddlewaretoken|\"|Content-Disposition|-|é", 0..60)
    ) {
        let _ = multipart_token(pieces.concat().as_bytes(), "XyZ", 1000, true);
    }
}
