//! The first page and the page of an application: who sees what.

use djauth::i18n::Language;
use minijinja::{Value, context};

use super::{SiteInfo, SiteInner};
use crate::model::{Actor, Made, ModelId, Registered, Rights, capfirst};
use crate::models::{ActionFlag, LogEntry, get_change_message};
use crate::request::{AdminRequest, Answer, Route};

/// How many of the visitor's own changes the first page shows.
const RECENT: u64 = 10;

/// An application with those of its models that somebody may see or change.
pub(super) struct App {
    label: String,
    name: String,
    models: Vec<Value>,
}

/// Django's `get_app_list`: by name, each with its models by name.
pub(super) fn app_list(site: &SiteInner, actor: &Actor, language: Language) -> Vec<App> {
    let mut apps: Vec<App> = Vec::new();
    for (name, model, rights) in visible(site, actor, language) {
        let label = &model.info.app_label;
        let value = model_value(&site.info, name, model, rights);
        match apps.iter_mut().find(|app| app.label == *label) {
            Some(app) => app.models.push(value),
            None => apps.push(App {
                label: label.clone(),
                name: model.info.app_name.in_language(language),
                models: vec![value],
            }),
        }
    }
    apps.sort_by_key(|app| app.name.to_lowercase());
    apps
}

/// The models that somebody may see or change, by their names.
fn visible<'a>(
    site: &'a SiteInner,
    actor: &Actor,
    language: Language,
) -> Vec<(String, &'a Registered, Rights)> {
    let mut found = Vec::new();
    for model in &site.models {
        let rights = actor.rights(model.id);
        if actor.sees_app(&model.info.app_label) && rights.any() {
            let name = model.info.verbose_name_plural.in_language(language);
            found.push((capfirst(&name), model, rights));
        }
    }
    found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    found
}

fn model_value(info: &SiteInfo, name: String, model: &Registered, rights: Rights) -> Value {
    let Rights {
        add,
        change,
        delete,
        view,
    } = rights;
    context! {
        name,
        object_name => &model.info.object_name,
        perms => context! { add, change, delete, view },
        admin_url => view.then(|| info.url(&Route::List(model.id))),
        add_url => add.then(|| info.url(&Route::Add(model.id))),
        view_only => view && !change,
    }
}

/// The list for templates.
pub(super) fn app_list_value(info: &SiteInfo, apps: &[App]) -> Value {
    let app = |app: &App| {
        context! {
            name => &app.name,
            app_label => &app.label,
            app_url => info.url(&Route::AppList(app.label.clone())),
            models => &app.models,
        }
    };
    apps.iter().map(app).collect()
}

/// The first page.
pub(super) fn index<'a>(
    site: &'a SiteInner,
    request: &'a AdminRequest,
    actor: &'a Actor,
) -> Made<'a, Answer> {
    Box::pin(async move {
        let recent = site.log.recent(&actor.key, RECENT).await?;
        let entry = |entry: &LogEntry| entry_value(site, request.language, entry);
        let values = context! {
            title => site.info.index_title(request.language),
            subtitle => (),
            log_entries => recent.iter().map(entry).collect::<Value>(),
        };
        Ok(Answer::page("admin/index.html", values))
    })
}

/// One of the visitor's changes, with a link unless its object is gone.
fn entry_value(site: &SiteInner, language: Language, entry: &LogEntry) -> Value {
    let model = site.models.iter().find(|model| {
        entry.model.as_ref().is_some_and(|(app, name)| {
            *app == model.info.app_label && *name == model.info.model_name
        })
    });
    let is_there = entry.action_flag != Some(ActionFlag::Deletion);
    let key = entry.object_id.as_ref().filter(|_| is_there);
    let url = |id: ModelId, key: &String| site.info.url(&Route::Change(id, key.clone()));
    context! {
        repr => &entry.object_repr,
        url => model.zip(key).map(|(model, key)| url(model.id, key)),
        model => model.map(|model| capfirst(&model.info.verbose_name.in_language(language))),
        action => entry.action_flag.map(ActionFlag::name),
        message => get_change_message(language, &entry.change_message),
    }
}

/// The page of one application: 404 for who has nothing in it.
pub(super) fn app_index(
    site: &SiteInner,
    request: &AdminRequest,
    actor: &Actor,
    label: &str,
) -> Answer {
    let apps = app_list(site, actor, request.language);
    let Some(app) = apps.iter().find(|app| app.label == label) else {
        return Answer::NotFound;
    };
    let values = context! {
        title => &app.name,
        subtitle => (),
        app_label => label,
        app_list => app_list_value(&site.info, std::slice::from_ref(app)),
    };
    let names = [
        format!("admin/{label}/app_index.html"),
        "admin/app_index.html".to_owned(),
    ];
    let found = site
        .templates
        .first_of(&names.each_ref().map(String::as_str));
    Answer::page(found.unwrap_or("admin/app_index.html"), values)
}
