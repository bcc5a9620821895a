//! All permissions, and who holds one.

use crate::model::{Actor, Made};
use crate::request::{AdminRequest, Answer};
use crate::sites::SiteInner;

pub(crate) fn holders_view<'a>(
    _site: &'a SiteInner,
    _request: &'a AdminRequest,
    _actor: &'a Actor,
    _permission: Option<i32>,
) -> Made<'a, Answer> {
    Box::pin(std::future::ready(Ok(Answer::NotFound)))
}
