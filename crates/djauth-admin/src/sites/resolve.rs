//! Addresses: from a path to a page, in the order of Django's patterns, and back.

use djauth::http;

use crate::model::ModelId;
use crate::quote::{quote, unquote};
use crate::request::Route;

/// Where the pages of a registered model are.
#[derive(Clone, Debug)]
pub(crate) struct ModelPath {
    pub(crate) id: ModelId,
    pub(crate) app_label: String,
    pub(crate) model_name: String,
}

impl ModelPath {
    fn folder(&self) -> String {
        format!("{}/{}/", self.app_label, self.model_name)
    }
}

/// What a path below the prefix asks for; it is percent-decoded already.
pub(crate) fn resolve(rest: &str, models: &[ModelPath]) -> Route {
    if let Some(route) = page_of_the_site(rest) {
        return route;
    }
    for model in models {
        if let Some(rest) = rest.strip_prefix(&model.folder()) {
            return page_of_a_model(model.id, rest).unwrap_or(Route::Nowhere);
        }
    }
    if let Some(route) = page_of_permissions(rest) {
        return route;
    }
    let label = rest.strip_suffix('/').unwrap_or_default();
    match models.iter().any(|model| model.app_label == label) {
        true => Route::AppList(label.to_owned()),
        false => Route::Nowhere,
    }
}

fn page_of_the_site(rest: &str) -> Option<Route> {
    Some(match rest {
        "" => Route::Index,
        "login/" => Route::Login,
        "logout/" => Route::Logout,
        "password_change/" => Route::PasswordChange,
        "password_change/done/" => Route::PasswordChangeDone,
        "autocomplete/" => Route::Autocomplete,
        "jsi18n/" => Route::JsI18n,
        "log/" => Route::Log,
        "log/export/" => Route::Export,
        _ => return file_or_object(rest),
    })
}

/// `static/<hash>/<name>`, and `r/<content type>/<object>/`.
fn file_or_object(rest: &str) -> Option<Route> {
    if let Some(file) = rest.strip_prefix("static/") {
        return Some(Route::Static(file.to_owned()));
    }
    let (content_type, object) = rest
        .strip_prefix("r/")?
        .strip_suffix('/')?
        .rsplit_once('/')?;
    (!content_type.is_empty() && !object.is_empty()).then_some(Route::ViewOnSite)
}

fn page_of_a_model(model: ModelId, rest: &str) -> Option<Route> {
    match rest {
        "" => return Some(Route::List(model)),
        "add/" => return Some(Route::Add(model)),
        _ => {}
    }
    if let Some(route) = page_of_a_user(model, rest) {
        return Some(route);
    }
    if let Some((key, page)) = key_and_page(rest) {
        let key = unquote(key);
        match page {
            "history" => return Some(Route::History(model, key)),
            "delete" => return Some(Route::Delete(model, key)),
            "change" => return Some(Route::Change(model, key)),
            _ => {}
        }
    }
    let key = rest.strip_suffix('/').filter(|key| !key.is_empty())?;
    Some(Route::Bare(model, key.to_owned()))
}

/// `<key>/<page>/`, where slashes may stand in the key.
fn key_and_page(rest: &str) -> Option<(&str, &str)> {
    let (key, page) = rest.strip_suffix('/')?.rsplit_once('/')?;
    (!key.is_empty()).then_some((key, page))
}

/// Pages of users alone, whose key is one part of the path.
fn page_of_a_user(model: ModelId, rest: &str) -> Option<Route> {
    let (key, page) = rest.split_once('/')?;
    if model != ModelId::Users || key.is_empty() {
        return None;
    }
    let key = unquote(key);
    match page {
        "password/" => Some(Route::Password(key)),
        "sessions/" => Some(Route::Sessions(key)),
        "permissions/" => Some(Route::Effective(key)),
        _ => None,
    }
}

fn page_of_permissions(rest: &str) -> Option<Route> {
    let rest = rest.strip_prefix("auth/permission/")?;
    if rest.is_empty() {
        return Some(Route::Holders(None));
    }
    let id = rest.strip_suffix("/holders/")?;
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| id.parse().ok().map(Some).map(Route::Holders))?
}

/// The path of a page below the prefix, quoted as an address. Nothing for what is no page.
pub(crate) fn reverse(route: &Route, models: &[ModelPath]) -> String {
    match route {
        Route::Login => "login/".to_owned(),
        Route::Logout => "logout/".to_owned(),
        Route::PasswordChange => "password_change/".to_owned(),
        Route::PasswordChangeDone => "password_change/done/".to_owned(),
        Route::Autocomplete => "autocomplete/".to_owned(),
        Route::JsI18n => "jsi18n/".to_owned(),
        Route::Log => "log/".to_owned(),
        Route::Export => "log/export/".to_owned(),
        Route::Holders(None) => "auth/permission/".to_owned(),
        Route::Holders(Some(id)) => format!("auth/permission/{id}/holders/"),
        Route::AppList(label) => format!("{}/", escaped(label)),
        Route::Static(file) => format!("static/{file}"),
        Route::Index | Route::ViewOnSite | Route::Nowhere => String::new(),
        _ => path_of_a_model(route, models),
    }
}

fn path_of_a_model(route: &Route, models: &[ModelPath]) -> String {
    let key = |key: &str| escaped(&quote(key));
    let (model, path) = match route {
        Route::Add(model) => (*model, "add/".to_owned()),
        Route::Change(model, id) => (*model, format!("{}/change/", key(id))),
        Route::Delete(model, id) => (*model, format!("{}/delete/", key(id))),
        Route::History(model, id) => (*model, format!("{}/history/", key(id))),
        Route::Bare(model, id) => (*model, format!("{}/change/", escaped(id))),
        Route::Password(id) => (ModelId::Users, format!("{}/password/", key(id))),
        Route::Sessions(id) => (ModelId::Users, format!("{}/sessions/", key(id))),
        Route::Effective(id) => (ModelId::Users, format!("{}/permissions/", key(id))),
        Route::List(model) => (*model, String::new()),
        _ => return String::new(),
    };
    let folder = models.iter().find(|known| known.id == model);
    folder.map_or_else(String::new, |folder| {
        format!("{}{path}", escaped(&folder.folder()))
    })
}

/// As Django's `reverse` leaves it.
fn escaped(path: &str) -> String {
    http::quote(path, "!$&'()*+,;=/~:@")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn models() -> Vec<ModelPath> {
        [(ModelId::Groups, "group"), (ModelId::Users, "user")]
            .map(|(id, name)| ModelPath {
                id,
                app_label: "auth".into(),
                model_name: name.into(),
            })
            .to_vec()
    }

    fn at(path: &str) -> Route {
        resolve(path, &models())
    }

    #[test]
    fn paths_lead_where_django_leads_them() {
        use ModelId::{Groups, Users};
        let key = |key: &str| key.to_owned();
        for (path, route) in [
            ("", Route::Index),
            ("login/", Route::Login),
            ("auth/", Route::AppList(key("auth"))),
            ("auth/user/", Route::List(Users)),
            ("auth/group/add/", Route::Add(Groups)),
            ("auth/user/5/password/", Route::Password(key("5"))),
            ("auth/user/5/change/", Route::Change(Users, key("5"))),
            ("auth/user/a/b/change/", Route::Change(Users, key("a/b"))),
            ("auth/user/a_2Fb/delete/", Route::Delete(Users, key("a/b"))),
            ("auth/user/5/history/", Route::History(Users, key("5"))),
            ("auth/user/a/password/", Route::Password(key("a"))),
            (
                "auth/user/a/b/password/",
                Route::Bare(Users, key("a/b/password")),
            ),
            (
                "auth/group/5/password/",
                Route::Bare(Groups, key("5/password")),
            ),
            ("auth/user/5/", Route::Bare(Users, key("5"))),
            ("auth/user/change/", Route::Bare(Users, key("change"))),
            ("auth/user/add/change/", Route::Change(Users, key("add"))),
            ("auth/user/5/sessions/", Route::Sessions(key("5"))),
            ("auth/user/5/permissions/", Route::Effective(key("5"))),
            ("auth/permission/", Route::Holders(None)),
            ("auth/permission/7/holders/", Route::Holders(Some(7))),
            ("auth/permission/x/holders/", Route::Nowhere),
            ("log/export/", Route::Export),
            ("r/3/5/", Route::ViewOnSite),
            ("r/3/", Route::Nowhere),
            ("auth/user", Route::Nowhere),
            ("auth/user//", Route::Nowhere),
            ("auth/other/", Route::Nowhere),
            ("login", Route::Nowhere),
            ("other/", Route::Nowhere),
            ("static/x/admin.css", Route::Static(key("x/admin.css"))),
        ] {
            assert_eq!(at(path), route, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(key in "[0-9a-c/_%é\"]{1,9}") {
            // The key's own slashes are quoted, so it is always one part of the path.
            for route in [
                Route::Change(ModelId::Users, key.clone()),
                Route::Delete(ModelId::Groups, key.clone()),
                Route::History(ModelId::Users, key.clone()),
                Route::Password(key.clone()),
                Route::Sessions(key.clone()),
            ] {
                let path = reverse(&route, &models());
                let path = percent_decoded(&path);
                prop_assert_eq!(at(&path), route);
            }
        }

        #[test]
        fn anything_leads_somewhere(path in "(auth/|user/|a_2|/|r/|change/|\\PC){0,6}") {
            let _ = at(&path);
        }
    }

    fn percent_decoded(path: &str) -> String {
        let query = path.replace('+', "%2B");
        let fields = http::QueryDict::parse(format!("p={query}").as_bytes(), 9).unwrap();
        fields.get("p").unwrap().to_owned()
    }
}
