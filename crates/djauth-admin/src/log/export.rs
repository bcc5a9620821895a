//! The log as a file.

use crate::model::{Actor, Made};
use crate::request::{AdminRequest, Answer};
use crate::sites::SiteInner;

pub(crate) fn export_view<'a>(
    _site: &'a SiteInner,
    _request: &'a AdminRequest,
    _actor: &'a Actor,
) -> Made<'a, Answer> {
    Box::pin(std::future::ready(Ok(Answer::NotFound)))
}
