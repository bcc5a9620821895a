//! What is done to the selected objects of a list: `django/contrib/admin/actions.py`.

use crate::model::{Actor, Made, Registered};
use crate::request::{AdminRequest, Answer};
use crate::sites::SiteInner;

pub(crate) fn changelist_action<'a>(
    _site: &'a SiteInner,
    _model: &'a Registered,
    _request: &'a AdminRequest,
    _actor: &'a Actor,
) -> Made<'a, Answer> {
    Box::pin(std::future::ready(Ok(Answer::NotFound)))
}
