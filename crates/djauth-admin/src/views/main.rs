//! The list as a page.

use djauth::Error;
use minijinja::{Value, context};

use super::asked::{Asked, incorrect};
use super::count::count_text;
use super::headers::headers;
use super::paging::{Paging, start};
use super::params::{ALL, FACETS, SEARCH};
use super::rows::Shown;
use crate::filters::{self, Filter, Scene};
use crate::model::{Actor, ListPage, Made, Registered, Start, capfirst};
use crate::request::{AdminRequest, Answer, Route};
use crate::sites::SiteInner;

pub(crate) fn changelist_view<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
) -> Made<'a, Answer> {
    match Asked::of(model, request, actor) {
        Ok(asked) => Box::pin(list(site, model, request, actor, asked)),
        Err(answer) => Box::pin(std::future::ready(Ok(*answer))),
    }
}

async fn list(
    site: &SiteInner,
    model: &Registered,
    request: &AdminRequest,
    actor: &Actor,
    asked: Asked<'_>,
) -> Result<Answer, Error> {
    let Some(found) = found(model, &asked).await? else {
        return Ok(incorrect(&asked.params, request));
    };
    let scene = Scene {
        model,
        language: request.language,
        zone: request.zone,
        now: site.clock.now(),
    };
    let mut panels = filters::filters(&scene).await?;
    if asked.params.has(FACETS) {
        filters::count(&scene, &mut panels, &asked.conditions).await?;
    }
    let total = match asked.is_whole() {
        true => None,
        false => Some(total(model, &asked).await?),
    };
    let list = List {
        model,
        request,
        asked: &asked,
        found: &found,
    };
    let values = context! {
        cl => list.value(&panels, total.as_ref()),
        ..page_values(model, request, actor)
    };
    Ok(Answer::page(
        site.template(model, "change_list.html"),
        values,
    ))
}

/// A page of the list with its number.
struct Found {
    page: ListPage,
    number: u64,
    size: u64,
    shows_all: bool,
}

/// `None`: there is no such page. A list of one page is shown whatever its number.
async fn found(model: &Registered, asked: &Asked<'_>) -> Result<Option<Found>, Error> {
    if asked.params.has(ALL)
        && let Some(found) = everything(model, asked).await?
    {
        return Ok(Some(found));
    }
    let size = model.options.list_per_page.max(1);
    let read = |start| async move { model.listed.page(&asked.query(start, size)).await };
    let number = asked.params.page();
    let mut page = read(start(&model.info, asked)).await?;
    let is_single = page.count.exact().is_some_and(|count| count <= size);
    let number = match u64::try_from(number) {
        _ if is_single => 1,
        Ok(number) if number > 0 => number,
        _ => return Ok(None),
    };
    if page.rows.is_empty() {
        // The place of a row that is not there any more, or a number too large.
        page = read(Start::Page(number)).await?;
    }
    let shows_all = false;
    Ok((number == 1 || !page.rows.is_empty()).then_some(Found {
        page,
        number,
        size,
        shows_all,
    }))
}

/// The whole list on one page. `None`: it is too long for that.
async fn everything(model: &Registered, asked: &Asked<'_>) -> Result<Option<Found>, Error> {
    let size = model.options.list_max_show_all;
    let page = model.listed.page(&asked.query(Start::First, size)).await?;
    let fits = page.count.exact().is_some_and(|count| count <= size);
    Ok(fits.then_some(Found {
        page,
        number: 1,
        size: size.max(1),
        shows_all: true,
    }))
}

/// How many there are without filters.
async fn total(model: &Registered, asked: &Asked<'_>) -> Result<ListPage, Error> {
    let mut query = asked.query(Start::First, 0);
    query.filters.clear();
    query.driver = None;
    model.listed.page(&query).await
}

/// What every page about the list knows.
pub(crate) fn page_values(model: &Registered, request: &AdminRequest, actor: &Actor) -> Value {
    let rights = actor.rights(model.id);
    let plural = model.info.verbose_name_plural.in_language(request.language);
    let params = [("models", capfirst(&plural))];
    let title = match rights.change {
        true => request.t("admin_list.title_change", &params),
        false => request.t("admin_list.title_view", &params),
    };
    context! {
        title,
        subtitle => (),
        app_label => &model.info.app_label,
        current_model => &model.info.object_name,
        model_name => capfirst(&plural),
        verbose_name => model.info.verbose_name.in_language(request.language),
        app_name => model.info.app_name.in_language(request.language),
        app_url => request.url(&Route::AppList(model.info.app_label.clone())),
        list_url => request.url(&Route::List(model.id)),
        has_add_permission => rights.add,
        add_url => rights.add.then(|| add_url(model, request)),
    }
}

/// Where one is added; the window of its own stays one.
fn add_url(model: &Registered, request: &AdminRequest) -> String {
    let url = request.url_keeping_filters(&Route::Add(model.id));
    match request.is_popup() {
        true => format!("{url}&{}=1", djauth::admin::IS_POPUP_VAR),
        false => url,
    }
}

/// What the template shows.
struct List<'a> {
    model: &'a Registered,
    request: &'a AdminRequest,
    asked: &'a Asked<'a>,
    found: &'a Found,
}

impl List<'_> {
    fn value(&self, panels: &[Filter], total: Option<&ListPage>) -> Value {
        let (model, request, asked) = (self.model, self.request, self.asked);
        let shown = Shown::new(model, request);
        let rows = self.found.page.rows.iter().map(|object| shown.row(object));
        let count = |page: &ListPage| count_text(request, model, page.count);
        context! {
            headers => headers(model, request, asked),
            results => rows.collect::<Value>(),
            count => count(&self.found.page),
            total => total.map(count),
            actions => asked.has_actions && !self.found.page.rows.is_empty(),
            across => self.across(),
            paging => self.paging(),
            search => self.search(),
            filters => self.filters(panels),
            clear => self.clear(panels),
            facets => self.facets(panels),
            all => asked.params.link(&[], &[SEARCH]),
        }
    }

    /// How many there are besides those that can be selected here.
    fn across(&self) -> Option<String> {
        let (page, here) = (&self.found.page, self.found.page.rows.len() as u64);
        let more = page.count.exact().filter(|count| *count > here);
        more.map(|_| count_text(self.request, self.model, page.count))
    }

    fn paging(&self) -> Value {
        let Found {
            page,
            number,
            size,
            shows_all,
        } = self.found;
        let paging = Paging {
            info: &self.model.info,
            asked: self.asked,
            page,
            number: *number,
            size: *size,
            shows_all: *shows_all,
            max_show_all: self.model.options.list_max_show_all,
        };
        paging.value()
    }

    fn search(&self) -> Option<Value> {
        let options = &self.model.options;
        let hidden = self.asked.params.all_but(SEARCH).into_iter();
        let hidden = hidden.map(|(name, value)| context! { name, value });
        let help = options.search_help_text.as_deref();
        (!options.search_fields.is_empty()).then(|| {
            context! {
                text => self.asked.params.last(SEARCH).map(|text| text.replace('\0', "")),
                hidden => hidden.collect::<Value>(),
                help => help.map(|key| djauth::i18n::gettext(self.request.language, key, &[])),
            }
        })
    }

    fn filters(&self, panels: &[Filter]) -> Value {
        let params = &self.asked.params;
        let choice = |panel: &Filter, choice: &filters::Choice| {
            let set: Vec<_> = choice
                .set
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect();
            let remove: Vec<_> = panel.own.iter().map(String::as_str).collect();
            context! {
                label => &choice.label,
                count => choice.count,
                selected => panel.is_selected(choice, params),
                url => params.link(&set, &remove),
            }
        };
        let panel = |panel: &Filter| {
            let choices = panel.choices.iter().map(|c| choice(panel, c));
            context! {
                title => &panel.title,
                active => panel.is_active(params),
                choices => choices.collect::<Value>(),
            }
        };
        panels.iter().map(panel).collect()
    }

    /// The link that takes every filter away, if there is one.
    fn clear(&self, panels: &[Filter]) -> Option<String> {
        let params = &self.asked.params;
        let names: Vec<_> = params.lookups().map(|(name, _)| name).collect();
        let is_any = !panels.is_empty() && !names.is_empty();
        is_any.then(|| params.link(&[], &names))
    }

    /// The link that shows or hides the counts of the filters.
    fn facets(&self, panels: &[Filter]) -> Option<Value> {
        let params = &self.asked.params;
        (!panels.is_empty()).then(|| match params.has(FACETS) {
            true => context! { shown => true, url => params.link(&[], &[FACETS]) },
            false => context! { shown => false, url => params.link(&[(FACETS, "True")], &[]) },
        })
    }
}
