//! What the address of a list asks for, and whether the visitor may ask it.

use djauth::models::Q;
use minijinja::context;

use super::headers::{Columns, order_of};
use super::params::{self, Params};
use crate::lookups;
use crate::messages::Level;
use crate::model::{Actor, ListQuery, Registered, Relation, Start};
use crate::request::{AdminRequest, Answer};
use crate::search;

/// A list that may be shown.
pub(crate) struct Asked<'a> {
    pub(crate) params: Params,
    pub(crate) columns: Columns<'a>,
    /// By their parameters; the search is `q`.
    pub(crate) conditions: Vec<(String, Q)>,
    /// Which of the conditions is one key of a relation.
    driver: Option<(usize, Relation, i32)>,
    pub(crate) order: Vec<String>,
    /// Whether rows can be selected.
    pub(crate) has_actions: bool,
}

impl<'a> Asked<'a> {
    /// `Err`: how the request is answered instead.
    pub(crate) fn of(
        model: &'a Registered,
        request: &AdminRequest,
        actor: &Actor,
    ) -> Result<Self, Box<Answer>> {
        let rights = actor.rights(model.id);
        if !rights.view {
            return Err(Box::new(Answer::Forbidden));
        }
        let params = Params::of(request.query());
        if !is_allowed(model, &params) {
            return Err(Box::new(Answer::BadRequest));
        }
        let has_actions = rights.delete && !request.is_popup();
        let columns = Columns::new(model, has_actions);
        let order = order_of(params.last(params::ORDER), &columns, model);
        let mut asked = Self {
            params,
            columns,
            conditions: Vec::new(),
            driver: None,
            order,
            has_actions,
        };
        asked.filter(model, request)?;
        asked.search(model, request);
        Ok(asked)
    }

    fn filter(&mut self, model: &Registered, request: &AdminRequest) -> Result<(), Box<Answer>> {
        for (name, values) in self.params.lookups() {
            match lookups::parse(&model.info, request.zone, name, values) {
                Ok(condition) => {
                    if let Some((relation, key)) = lookups::driver(&model.info, name, values) {
                        let place = self.conditions.len();
                        self.driver.get_or_insert((place, relation, key));
                    }
                    self.conditions.push((name.to_owned(), condition));
                }
                Err(lookups::Incorrect) => return Err(Box::new(incorrect(&self.params, request))),
            }
        }
        Ok(())
    }

    /// A search with a NUL in it finds everything, and a message says why.
    fn search(&mut self, model: &Registered, request: &AdminRequest) {
        let Some(text) = self.params.last(params::SEARCH) else {
            return;
        };
        if text.contains('\0') {
            let text = request.t("admin_list.nul", &[]);
            return request.messages.add(Level::Error, text);
        }
        let fields = &model.options.search_fields;
        let found = search::search(&model.info, request.zone, fields, text);
        let named = found.map(|condition| (params::SEARCH.to_owned(), condition));
        self.conditions.extend(named);
    }

    /// Whether all rows of the table are asked for.
    pub(crate) fn is_whole(&self) -> bool {
        self.conditions.is_empty()
    }

    pub(crate) fn query(&self, start: Start, size: u64) -> ListQuery {
        let driver = self.driver.map(|(place, ..)| place);
        let filters = self.conditions.iter().enumerate();
        let filters = filters.filter(|(place, _)| Some(*place) != driver);
        ListQuery {
            filters: filters.map(|(_, (_, filter))| filter.clone()).collect(),
            driver: self.driver.map(|(_, relation, key)| (relation, key)),
            order: self.order.clone(),
            start,
            size,
            count: true,
        }
    }
}

/// Filters that read what the visitor may not see, and other keys than the key, are refused.
fn is_allowed(model: &Registered, params: &Params) -> bool {
    let refused = params
        .lookups()
        .find(|(name, _)| !model.listed.lookup_allowed(name));
    if let Some((name, _)) = refused {
        tracing::warn!(target: "django.security.DisallowedModelAdminLookup", name, "a filter was refused");
        return false;
    }
    let to_field = params.last(params::TO_FIELD);
    let is_key = to_field.is_none_or(|field| field == model.info.pk);
    if !is_key {
        tracing::warn!(target: "django.security.DisallowedModelAdminToField", "_to_field was refused");
    }
    is_key
}

/// To the list as it is without parameters; if they were not to blame, there is a page that says so.
pub(crate) fn incorrect(params: &Params, request: &AdminRequest) -> Answer {
    if params.has(params::ERROR) {
        let title = request.t("admin_list.broken", &[]);
        return Answer::page("admin/invalid_setup.html", context! { title });
    }
    Answer::Redirect(format!("{}?e=1", request.url(&request.route)))
}
