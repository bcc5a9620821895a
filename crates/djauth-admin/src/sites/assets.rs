//! The style sheet and the script, under names that change with what is in them.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use djauth::http::error_response;
use sha2::{Digest, Sha256};

/// A file that browsers may keep as long as they like.
pub(super) struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    hash: LazyLock<String>,
}

pub(super) static CSS: Asset = Asset {
    name: "admin.css",
    kind: "text/css; charset=utf-8",
    text: STYLE,
    hash: LazyLock::new(|| hash(STYLE)),
};

pub(super) static JS: Asset = Asset {
    name: "admin.js",
    kind: "text/javascript; charset=utf-8",
    text: SCRIPT,
    hash: LazyLock::new(|| hash(SCRIPT)),
};

const STYLE: &str = concat!(
    include_str!("../../assets/css/base.css"),
    include_str!("../../assets/css/list.css"),
    include_str!("../../assets/css/form.css"),
    include_str!("../../assets/css/more.css"),
);

const SCRIPT: &str = concat!(
    include_str!("../../assets/js/base.js"),
    include_str!("../../assets/js/list.js"),
    include_str!("../../assets/js/picker.js"),
    include_str!("../../assets/js/more.js"),
);

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    let digits = digest.iter().take(6).map(|byte| format!("{byte:02x}"));
    digits.collect()
}

impl Asset {
    /// The part of its path that names it: `<hash>/admin.css`.
    pub(super) fn address(&self) -> String {
        format!("{}/{}", *self.hash, self.name)
    }

    fn response(&self, method: &Method) -> Response<Body> {
        let body = match *method {
            Method::HEAD => Body::empty(),
            _ => Body::from(self.text),
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.text.len()));
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        headers.insert(CACHE_CONTROL, forever);
        response
    }
}

/// The file of this address, 404 if there is none: also for what it was before it changed.
pub(super) fn serve(address: &str, method: &Method) -> Response<Body> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = error_response(StatusCode::METHOD_NOT_ALLOWED);
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    let found = [&CSS, &JS]
        .into_iter()
        .find(|asset| asset.address() == address);
    found.map_or_else(
        || error_response(StatusCode::NOT_FOUND),
        |asset| asset.response(method),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_small_and_found_by_their_hash() {
        assert!(STYLE.len() <= 20_000, "{}", STYLE.len());
        assert!(SCRIPT.len() <= 14_000, "{}", SCRIPT.len());
        for asset in [&CSS, &JS] {
            let address = asset.address();
            let (hash, _) = address.split_once('/').unwrap();
            assert_eq!(hash.len(), 12);
            assert_eq!(serve(&address, &Method::GET).status(), StatusCode::OK);
        }
        for wrong in ["000000000000/admin.css", "admin.css", "", "../admin.css"] {
            assert_eq!(serve(wrong, &Method::GET).status(), StatusCode::NOT_FOUND);
        }
        let put = serve(&CSS.address(), &Method::PUT);
        assert_eq!(put.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(put.headers()[ALLOW], "GET, HEAD");
    }

    #[test]
    fn scripts_make_no_markup_of_text() {
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "document.write",
        ] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }
}
