//! What every template of the admin knows: Django's `each_context`.

use djauth::i18n::{Language, gettext};
use minijinja::{Value, context};

use super::index::{app_list, app_list_value};
use super::{SiteInfo, SiteInner, assets};
use crate::log::may_read;
use crate::messages::Message;
use crate::model::Actor;
use crate::permissions::may_list;
use crate::request::Route;

/// `actor` is nobody on the pages for who is not inside.
pub(super) fn each_context(
    site: &SiteInner,
    language: Language,
    actor: Option<&Actor>,
    messages: &[Message],
    (route, is_popup): (&Route, bool),
) -> Value {
    let info = &site.info;
    let apps = actor.map(|actor| app_list(site, actor, language));
    let apps = app_list_value(info, &apps.unwrap_or_default());
    context! {
        site_title => info.site_title(language),
        site_header => info.site_header(language),
        site_url => &info.site_url,
        has_permission => actor.is_some(),
        available_apps => apps.clone(),
        app_list => apps,
        is_popup,
        here => info.url(route),
        here_list => route.model().map(|model| info.url(&Route::List(model))),
        urls => urls(site, actor),
        site_tools => site_tools(site, actor, language),
        assets => assets_value(info),
        user => actor.map(user),
        messages => messages.iter().map(message).collect::<Value>(),
    }
}

fn urls(site: &SiteInner, actor: Option<&Actor>) -> Value {
    let info = &site.info;
    context! {
        index => info.url(&Route::Index),
        login => info.url(&Route::Login),
        logout => info.url(&Route::Logout),
        password_change => info.url(&Route::PasswordChange),
        log => actor.is_some_and(may_read).then(|| info.url(&Route::Log)),
        permissions => lists_permissions(site, actor).then(|| info.url(&Route::Holders(None))),
    }
}

fn lists_permissions(site: &SiteInner, actor: Option<&Actor>) -> bool {
    actor.is_some_and(may_list) && site.beyond.has_permissions()
}

/// Pages beside the lists, for who may see them: each `name` and `url`.
fn site_tools(site: &SiteInner, actor: Option<&Actor>, language: Language) -> Value {
    let permissions = lists_permissions(site, actor).then(|| {
        context! {
            name => gettext(language, "admin_more.permissions", &[]),
            url => site.info.url(&Route::Holders(None)),
        }
    });
    let log = actor.is_some_and(may_read).then(|| {
        context! {
            name => gettext(language, "admin_events.title", &[]),
            url => site.info.url(&Route::Log),
        }
    });
    permissions.into_iter().chain(log).collect()
}

fn assets_value(info: &SiteInfo) -> Value {
    context! {
        css => info.url(&Route::Static(assets::CSS.address())),
        js => info.url(&Route::Static(assets::JS.address())),
    }
}

fn user(actor: &Actor) -> Value {
    context! {
        name => &actor.name,
        pk => &actor.key_text,
        has_usable_password => actor.has_usable_password,
    }
}

fn message(message: &Message) -> Value {
    context! {
        level => message.level,
        tag => message.tag(),
        tags => message.tags(),
        text => message.html(),
    }
}
