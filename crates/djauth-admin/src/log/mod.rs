//! The log of logins and changes.

mod export;
mod sources;

pub(crate) use self::export::export_view;
use crate::model::{Actor, Made};
use crate::request::{AdminRequest, Answer};
use crate::sites::SiteInner;

pub(crate) fn log_view<'a>(
    _site: &'a SiteInner,
    _request: &'a AdminRequest,
    _actor: &'a Actor,
) -> Made<'a, Answer> {
    Box::pin(std::future::ready(Ok(Answer::NotFound)))
}
