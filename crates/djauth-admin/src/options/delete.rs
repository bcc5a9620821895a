//! The page that deletes an object.

use djauth::{Error, ErrorKind};
use minijinja::context;

use super::Page;
use super::response::response_delete;
use crate::deleted::Going;
use crate::model::{Actor, Made, Object, Registered};
use crate::request::{AdminRequest, Answer};
use crate::sites::SiteInner;

/// Asks first; deletes when the form with `post` comes back, and nothing forbids it.
pub(crate) fn delete_view<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
    key: &'a str,
) -> Made<'a, Answer> {
    Box::pin(async move {
        let page = Page::new(site, model, request, actor);
        if page.asks_by_other_field() {
            return Ok(Answer::BadRequest);
        }
        if !page.rights.delete {
            return Ok(Answer::Forbidden);
        }
        let Some(object) = model.edited.get(key).await? else {
            return Ok(page.missing(key));
        };
        let keys = [object.key.clone()];
        let going = model.edited.going(&keys).await?;
        let going = going.seen_by(actor, model.id);
        let confirmed = request.is_post() && request.data().contains("post");
        if !confirmed || going.is_blocked() {
            return confirmation(&page, &object, &going, false).await;
        }
        let cx = page.editing(Vec::new(), Some(request.data()));
        match model.edited.delete(&cx, &keys).await {
            Ok(0) => Ok(page.missing(key)),
            Ok(_) => Ok(response_delete(&page, &object)),
            Err(error) if matches!(error.kind(), ErrorKind::Integrity { .. }) => {
                confirmation(&page, &object, &going, true).await
            }
            Err(error) => Err(error),
        }
    })
}

/// `refused`: the database has found something that refers to the object.
async fn confirmation(
    page: &Page<'_>,
    object: &Object,
    going: &Going,
    refused: bool,
) -> Result<Answer, Error> {
    let keys = std::slice::from_ref(&object.key);
    let last = page.model.edited.includes_last_superuser(keys).await?;
    let params = [("name", page.name())];
    let title = if refused || going.is_blocked() {
        page.request.t("admin_form.title_cannot_delete", &params)
    } else {
        page.request.t("admin_form.title_delete", &params)
    };
    let values = context! {
        subtitle => &object.repr,
        going => going.value(&page.site.info, page.model, page.request.language),
        blocked => refused || going.is_blocked(),
        last_superuser => last,
        is_self => object.key == page.actor.key_text && object.password.is_some(),
    };
    let values = context! { ..values, ..page.context(title, Some(object)) };
    let template = page.site.template(page.model, "delete_confirmation.html");
    Ok(Answer::page(template, values))
}
