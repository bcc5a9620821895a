//! What a list can be filtered by: `django/contrib/admin/filters.py`.
//!
//! A filter is a panel of links; what it asks for is a lookup like any other, which `lookups` reads.

mod boolean;
mod date;
mod facets;
pub(crate) mod related;
mod values;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use djauth::base_user::FieldKind;
use djauth::i18n::{Language, gettext};
use djauth::models::Q;

pub(crate) use self::facets::count;
use crate::model::{FieldSpec, Made, Registered, capfirst};
use crate::views::Params;

/// What filters look at.
pub(crate) struct Scene<'a> {
    pub(crate) model: &'a Registered,
    pub(crate) language: Language,
    pub(crate) zone: Tz,
    pub(crate) now: DateTime<Utc>,
}

/// A panel.
pub(crate) struct Filter {
    pub(crate) title: String,
    /// The parameters that are this filter's.
    pub(crate) own: Vec<String>,
    pub(crate) choices: Vec<Choice>,
}

/// One of its links.
pub(crate) struct Choice {
    pub(crate) label: String,
    /// What it sets; the filter's other parameters go.
    pub(crate) set: Vec<(String, String)>,
    /// How many rows it would leave, where that was asked.
    pub(crate) count: Option<u64>,
}

impl Choice {
    fn new(label: impl Into<String>, set: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            label: label.into(),
            set: set.iter().map(owned).collect(),
            count: None,
        }
    }
}

impl Filter {
    /// Whether the address asks for this choice.
    pub(crate) fn is_selected(&self, choice: &Choice, params: &Params) -> bool {
        self.own.iter().all(|name| {
            let wanted = choice.set.iter().find(|(known, _)| known == name);
            params.last(name) == wanted.map(|(_, value)| value.as_str())
        })
    }

    /// Whether the address asks for anything of this filter.
    pub(crate) fn is_active(&self, params: &Params) -> bool {
        self.own.iter().any(|name| params.last(name).is_some())
    }

    /// The conditions of a list but its own.
    fn without_own(&self, conditions: &[(String, Q)]) -> Vec<Q> {
        let others = conditions
            .iter()
            .filter(|(name, _)| !self.own.contains(name));
        others.map(|(_, condition)| condition.clone()).collect()
    }
}

impl Scene<'_> {
    fn t(&self, key: &'static str) -> String {
        gettext(self.language, key, &[])
    }

    fn title(&self, field: &FieldSpec) -> String {
        capfirst(&field.label.in_language(self.language))
    }
}

/// The panels of a list. One without a choice is left out.
pub(crate) fn filters<'a>(scene: &'a Scene<'a>) -> Made<'a, Vec<Filter>> {
    Box::pin(async move {
        let mut filters = Vec::new();
        for name in &scene.model.options.list_filter {
            if name == related::GROUP_NAMES {
                filters.extend(related::names(scene).await?);
            }
            let Some(field) = scene.model.info.field(name) else {
                continue;
            };
            let filter = match (field.relation, field.kind) {
                (Some(relation), _) => related::filter(scene, field, relation).await?,
                (None, FieldKind::Bool) => Some(boolean::filter(scene, field)),
                (None, FieldKind::DateTime) => date::filter(scene, field),
                (None, FieldKind::Text) => values::filter(scene, field).await?,
                _ => None,
            };
            filters.extend(filter);
        }
        Ok(filters)
    })
}
