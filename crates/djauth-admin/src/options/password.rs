//! The password of a user.

use djauth::admin::IS_POPUP_VAR;
use djauth::forms::Form;
use minijinja::context;

use super::{Page, form_value};
use crate::messages::Level;
use crate::model::{Actor, Made, Object, PasswordSet, Registered};
use crate::request::{AdminRequest, Answer, Route};
use crate::sites::SiteInner;

/// Sets somebody's password or turns it off. Whether the user exists is told only to who may change users.
pub(crate) fn user_change_password<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
    key: &'a str,
) -> Made<'a, Answer> {
    Box::pin(async move {
        let page = Page::new(site, model, request, actor);
        if !page.rights.change {
            return Ok(Answer::Forbidden);
        }
        if !request.is_post() {
            let form = model.edited.password_form(key).await?;
            let form = form.map(|(form, object)| password_page(&page, &form, &object));
            return Ok(form.unwrap_or(Answer::NotFound));
        }
        let cx = page.editing(Vec::new(), Some(request.data()));
        Ok(match model.edited.set_password(&cx, key).await? {
            PasswordSet::Gone => Answer::NotFound,
            PasswordSet::Invalid(found) => password_page(&page, &found.0, &found.1),
            PasswordSet::Contradiction => {
                let text = request.t("admin_form.password_contradiction", &[]);
                request.messages.add(Level::Error, text);
                Answer::Redirect(request.request().get_full_path())
            }
            PasswordSet::Done(usable) => done(&page, key, usable),
        })
    })
}

fn done(page: &Page<'_>, key: &str, usable: bool) -> Answer {
    let text = match usable {
        true => page.request.t("admin_form.password_set", &[]),
        false => page.request.t("admin_form.password_off", &[]),
    };
    page.request.messages.add(Level::Success, text);
    let route = Route::Change(page.model.id, key.to_owned());
    Answer::Redirect(page.request.url_keeping_filters(&route))
}

fn password_page(page: &Page<'_>, form: &Form, object: &Object) -> Answer {
    let params = [("name", object.repr.clone())];
    let can_turn_off = form
        .fields()
        .iter()
        .any(|field| field.name() == "usable_password");
    let title = match can_turn_off {
        true => page.request.t("admin_form.title_password", &params),
        false => page.request.t("admin_form.title_first_password", &params),
    };
    let values = context! {
        username => &object.username,
        can_turn_off,
        is_popup_var => IS_POPUP_VAR,
        ..form_value(page, form, &[])
    };
    let values = context! { ..values, ..page.context(title, Some(object)) };
    let own = page.model.options.change_user_password_template.clone();
    let template = own.unwrap_or_else(|| "admin/auth/user/change_password.html".to_owned());
    Answer::page(template, values)
}
