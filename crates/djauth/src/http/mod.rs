//! The pieces of `django.http`, `django.utils.http` and `django.utils.cache` that authentication
//! stands on: cookies, hosts, redirects, query strings and response headers, as Django's.
//!
//! All of it is pure: text in, text out, in linear time.

mod cookie;
mod error_page;
mod form;
mod headers;
mod host;
mod json;
mod query_dict;
mod quote;
mod redirect;
mod request;
mod url_has_allowed_host;
mod urlsplit;

use cookie::find_cookie;
pub use cookie::{Cookies, InvalidCookie, SetCookie, parse_cookie};
pub(crate) use error_page::{ErrorPage, error_page, try_again_later, use_own_page};
pub use error_page::{error_response, error_response_with, failure_response};
pub(crate) use form::{FormType, Parts, field};
pub use headers::{add_never_cache_headers, http_date, patch_vary_headers};
pub use host::{DisallowedHost, is_same_domain, split_domain_port, validate_host};
pub(crate) use json::{json_error, json_response, sends_json};
pub(crate) use query_dict::each_field;
pub use query_dict::{DATA_UPLOAD_MAX_NUMBER_FIELDS, QueryDict, TooManyFieldsSent};
pub use quote::{escape_leading_slashes, escape_uri_path, iri_to_uri, quote, urlencode};
pub use redirect::{DisallowedRedirect, MAX_URL_REDIRECT_LENGTH, redirect, redirect_to_login};
pub use request::Request;
pub(crate) use request::{cookie_of, meta_header};
pub use url_has_allowed_host::{MAX_URL_LENGTH, url_has_allowed_host_and_scheme};
pub use urlsplit::{InvalidUrl, SplitResult, urlsplit};

/// Python's `str.strip`, which also takes the four separators of ASCII for white space.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\x1c'..='\x1f'))
}
