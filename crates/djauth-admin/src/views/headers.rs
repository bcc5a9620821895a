//! The headers of the columns, and the order that they ask for.

use minijinja::{Value, context};

use super::asked::Asked;
use super::params::ORDER;
use crate::model::{Registered, capfirst};
use crate::request::AdminRequest;

/// The columns of a list. Where rows can be selected, the boxes for it are the first column, so that the
/// others have other numbers.
pub(crate) struct Columns<'a> {
    pub(crate) names: &'a [String],
    offset: usize,
    sortable: Vec<bool>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(model: &'a Registered, has_boxes: bool) -> Self {
        let names = &model.options.list_display;
        let is_sortable = |name: &String| {
            let field = model.info.field(name);
            name == "pk" || field.is_some_and(|field| field.relation.is_none())
        };
        Self {
            names,
            offset: usize::from(has_boxes),
            sortable: names.iter().map(is_sortable).collect(),
        }
    }

    /// The field of a column that can be sorted by.
    fn field(&self, number: usize) -> Option<&'a str> {
        let place = number.checked_sub(self.offset)?;
        let is_sortable = self.sortable.get(place).copied().unwrap_or_default();
        is_sortable.then(|| self.names[place].as_str())
    }

    /// The columns that an address sorts by, the most important first, and whether downwards.
    fn asked(&self, order: &str) -> Vec<(usize, bool)> {
        let mut asked: Vec<(usize, bool)> = Vec::new();
        for part in order.split('.') {
            let (before, number) = match part.rsplit_once('-') {
                Some((_, number)) => (true, number),
                None => (false, part),
            };
            let number = number.trim().parse().ok();
            let number = number.filter(|number| self.field(*number).is_some());
            if let Some(number) = number.filter(|n| asked.iter().all(|(known, _)| known != n)) {
                asked.push((number, before));
            }
        }
        asked
    }

    /// The columns that the list is sorted by.
    fn sorted(&self, order: Option<&str>, ordering: &[String]) -> Vec<(usize, bool)> {
        if let Some(order) = order {
            return self.asked(order);
        }
        let column = |field: &String| {
            let (name, down) = direction(field);
            let place = self.names.iter().position(|known| known == name)?;
            Some((place + self.offset, down))
        };
        ordering.iter().filter_map(column).collect()
    }
}

fn direction(field: &str) -> (&str, bool) {
    match field.strip_prefix('-') {
        Some(name) => (name, true),
        None => (field, false),
    }
}

/// The order of a list: the columns that the address names, the model's own order, and the key if nothing
/// in it is unique.
pub(super) fn order_of(
    order: Option<&str>,
    columns: &Columns<'_>,
    model: &Registered,
) -> Vec<String> {
    let asked = columns.asked(order.unwrap_or_default()).into_iter();
    let asked = asked.filter_map(|(number, down)| {
        let sign = if down { "-" } else { "" };
        Some(format!("{sign}{}", columns.field(number)?))
    });
    let mut fields: Vec<String> = Vec::new();
    for field in asked.chain(model.options.ordering.iter().cloned()) {
        let is_new = |known: &String| direction(known).0 != direction(&field).0;
        if fields.iter().all(is_new) {
            fields.push(field);
        }
    }
    if !fields
        .iter()
        .any(|field| is_unique(model, direction(field).0))
    {
        fields.push("-pk".to_owned());
    }
    fields
}

fn is_unique(model: &Registered, name: &str) -> bool {
    let field = model.info.field(name);
    name == "pk" || name == model.info.pk || field.is_some_and(|f| f.unique && !f.null)
}

/// The headers for the template.
pub(super) fn headers(model: &Registered, request: &AdminRequest, asked: &Asked<'_>) -> Value {
    let columns = &asked.columns;
    let sorted = columns.sorted(asked.params.last(ORDER), &model.options.ordering);
    let header = |(place, name): (usize, &String)| {
        let number = place + columns.offset;
        let text = label(model, request, name);
        match columns.field(number) {
            Some(_) => sortable(asked, &sorted, number, text),
            None => context! { text, sortable => false },
        }
    };
    columns.names.iter().enumerate().map(header).collect()
}

/// What a column is called.
pub(super) fn label(model: &Registered, request: &AdminRequest, name: &str) -> String {
    let language = request.language;
    let computed = model
        .options
        .computed
        .iter()
        .find(|(known, _)| *known == name);
    let label = match (computed, model.info.field(name)) {
        (Some((_, label)), _) => label,
        (None, Some(field)) => &field.label,
        (None, None) => &model.info.verbose_name,
    };
    capfirst(&label.in_language(language))
}

fn sortable(asked: &Asked<'_>, sorted: &[(usize, bool)], number: usize, text: String) -> Value {
    let place = sorted.iter().position(|(known, _)| *known == number);
    let down = place.is_some_and(|place| sorted[place].1);
    let turned = (number, place.is_some() && !down);
    let others = || sorted.iter().filter(|(known, _)| *known != number).copied();
    let link = |order: Vec<(usize, bool)>| {
        let parts: Vec<_> = order.into_iter().map(part).collect();
        asked.params.link(&[(ORDER, &parts.join("."))], &[])
    };
    let toggled = sorted.iter().map(|column| match column.0 == number {
        true => turned,
        false => *column,
    });
    context! {
        text,
        sortable => true,
        sorted => place.is_some(),
        ascending => !down,
        priority => place.map(|place| place + 1),
        several => sorted.len() > 1,
        url_primary => link(std::iter::once(turned).chain(others()).collect()),
        url_toggle => link(toggled.collect()),
        url_remove => link(others().collect()),
    }
}

fn part((number, down): (usize, bool)) -> String {
    format!("{}{number}", if down { "-" } else { "" })
}
