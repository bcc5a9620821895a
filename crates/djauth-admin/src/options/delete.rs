//! The page that deletes an object.

use crate::model::{Actor, Made, Registered};
use crate::request::{AdminRequest, Answer};
use crate::sites::SiteInner;

pub(crate) fn delete_view<'a>(
    _site: &'a SiteInner,
    _model: &'a Registered,
    _request: &'a AdminRequest,
    _actor: &'a Actor,
    _key: &'a str,
) -> Made<'a, Answer> {
    Box::pin(std::future::ready(Ok(Answer::NotFound)))
}
