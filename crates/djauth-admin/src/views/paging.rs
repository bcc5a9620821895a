//! Pages of a list, by number and by where the last one ended.
//!
//! A link to the next page carries what the last row had in the fields that the list is sorted by, so that
//! an index finds the place; its number stays what people and Django know.

use chrono::{DateTime, SecondsFormat, Utc};
use djauth::base_user::FieldKind;
use djauth_db::Value as Stored;
use djauth_signing::http::{urlsafe_base64_decode, urlsafe_base64_encode};
use minijinja::{Value, context};
use serde_json::Value as Json;
use uuid::Uuid;

use super::asked::Asked;
use super::params::{AFTER, ALL, BEFORE, LAST, PAGE};
use crate::listed::COUNT_LIMIT;
use crate::model::{FieldSpec, ListPage, ModelInfo, Object, Start};

/// The longest place that is read.
const LONGEST: usize = 1024;

const ON_EACH_SIDE: u64 = 3;
const ON_ENDS: u64 = 2;

/// Page numbers as Django elides them; `None` stands for those left out.
pub(super) fn elided(number: u64, pages: u64) -> Vec<Option<u64>> {
    let all = |range: std::ops::RangeInclusive<u64>| range.map(Some).collect::<Vec<_>>();
    if pages <= (ON_EACH_SIDE + ON_ENDS) * 2 {
        return all(1..=pages);
    }
    let mut shown = match number > ON_EACH_SIDE + ON_ENDS + 2 {
        true => [
            all(1..=ON_ENDS),
            vec![None],
            all(number - ON_EACH_SIDE..=number),
        ]
        .concat(),
        false => all(1..=number),
    };
    match number + ON_EACH_SIDE + ON_ENDS + 1 < pages {
        true => {
            shown.extend(all(number + 1..=number + ON_EACH_SIDE));
            shown.push(None);
            shown.extend(all(pages - ON_ENDS + 1..=pages));
        }
        false => shown.extend(all(number + 1..=pages)),
    }
    shown
}

/// The fields that a list is sorted by, if a place in it can be named: none of them may be empty.
fn fields<'a>(info: &'a ModelInfo, order: &[String]) -> Option<Vec<&'a FieldSpec>> {
    let field = |name: &String| {
        let name = name.trim_start_matches('-');
        let name = if name == "pk" { &info.pk } else { name };
        info.field(name)
            .filter(|field| !field.null && field.relation.is_none())
    };
    order.iter().map(field).collect()
}

/// A row's place.
pub(crate) fn cursor(info: &ModelInfo, order: &[String], object: &Object) -> Option<String> {
    let values = fields(info, order)?.into_iter().map(|field| {
        Some(match object.values.get(&field.name)? {
            Stored::Text(text) => Json::from(text.as_ref()),
            Stored::Int(number) => Json::from(*number),
            Stored::Bool(value) => Json::from(*value),
            Stored::Uuid(uuid) => Json::from(uuid.to_string()),
            Stored::Timestamp(at) => Json::from(at.to_rfc3339_opts(SecondsFormat::Micros, true)),
            _ => return None,
        })
    });
    let values = values.collect::<Option<Vec<_>>>()?;
    let text = urlsafe_base64_encode(Json::Array(values).to_string().as_bytes());
    Some(text).filter(|text| text.len() <= LONGEST)
}

/// The values of a place that an address names. `None`: it names none of this list.
pub(crate) fn place(
    info: &ModelInfo,
    order: &[String],
    text: &str,
) -> Option<Vec<Stored<'static>>> {
    let text = Some(text).filter(|text| text.len() <= LONGEST)?;
    let bytes = urlsafe_base64_decode(text).ok()?;
    let values: Vec<Json> = serde_json::from_slice(&bytes).ok()?;
    let fields = fields(info, order)?;
    if fields.len() != values.len() {
        return None;
    }
    let pairs = fields.iter().zip(&values);
    pairs
        .map(|(field, value)| stored(field.kind, value))
        .collect()
}

fn stored(kind: FieldKind, value: &Json) -> Option<Stored<'static>> {
    match kind {
        FieldKind::Text => {
            let text = value.as_str().filter(|text| !text.contains('\0'))?;
            Some(text.to_owned().into())
        }
        FieldKind::Bool => value.as_bool().map(Into::into),
        FieldKind::Int32 => i32::try_from(value.as_i64()?).ok().map(Into::into),
        FieldKind::Int64 => value.as_i64().map(Into::into),
        FieldKind::Uuid => Uuid::try_parse(value.as_str()?).ok().map(Into::into),
        FieldKind::DateTime => {
            let moment = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
            Some(DateTime::<Utc>::from(moment).into())
        }
        _ => None,
    }
}

/// Where the page of an address begins.
pub(super) fn start(info: &ModelInfo, asked: &Asked<'_>) -> Start {
    let page = u64::try_from(asked.params.page()).unwrap_or(1).max(1);
    let place = |name| place(info, &asked.order, asked.params.of_page(name)?);
    if !asked.is_whole() || page == 1 {
        return Start::Page(page);
    }
    if let Some(values) = place(AFTER) {
        return Start::After(values);
    }
    match place(BEFORE) {
        Some(values) => Start::Before(values),
        None if asked.params.has(LAST) => Start::Last,
        None => Start::Page(page),
    }
}

/// The page that is shown, for the template.
pub(super) struct Paging<'a> {
    pub(super) info: &'a ModelInfo,
    pub(super) asked: &'a Asked<'a>,
    pub(super) page: &'a ListPage,
    pub(super) number: u64,
    pub(super) size: u64,
    pub(super) shows_all: bool,
    pub(super) max_show_all: u64,
}

impl Paging<'_> {
    fn url(&self, number: u64, place: Option<&(&str, String)>) -> String {
        let number = number.to_string();
        let mut set = vec![(PAGE, number.as_str())];
        if let Some((name, text)) = place {
            set.push((name, text));
        }
        self.asked.params.link(&set, &[ALL])
    }

    /// What names the place of a row in a link, in a list without filters.
    fn place(&self, name: &'static str, row: Option<&Object>) -> Option<(&'static str, String)> {
        let row = row.filter(|_| self.asked.is_whole())?;
        Some((name, cursor(self.info, &self.asked.order, row)?))
    }

    fn pages(&self) -> u64 {
        self.page.count.known.div_ceil(self.size).max(1)
    }

    fn next(&self) -> Option<String> {
        let place = || self.place(AFTER, self.page.rows.last());
        let is_there = self.page.has_more && !self.shows_all;
        is_there.then(|| self.url(self.number + 1, place().as_ref()))
    }

    fn previous(&self) -> Option<String> {
        let place = || match self.number {
            2 => None,
            _ => self.place(BEFORE, self.page.rows.first()),
        };
        (self.number > 1).then(|| self.url(self.number - 1, place().as_ref()))
    }

    /// Of a list that is too long to be counted.
    fn last(&self) -> Option<String> {
        let about = self.page.count.estimate?;
        let page = about.div_ceil(self.size);
        (self.page.has_more && self.asked.is_whole())
            .then(|| self.url(page, Some(&(LAST, "1".to_owned()))))
    }

    pub(super) fn value(&self) -> Value {
        let link = |number: Option<u64>| {
            context! {
                number,
                current => number == Some(self.number),
                url => number.map(|number| self.url(number, None)),
            }
        };
        let pages = self.pages();
        let is_far = self.number > pages;
        let numbers = elided(self.number.min(pages), pages).into_iter();
        let can_show_all = self
            .page
            .count
            .exact()
            .is_some_and(|n| n <= self.max_show_all);
        let several = pages > 1 || is_far;
        context! {
            numbers => numbers.filter(|_| several && !self.shows_all).map(link).collect::<Value>(),
            more => self.page.count.more && COUNT_LIMIT > 0,
            far => is_far.then_some(self.number),
            next => self.next(),
            previous => self.previous().filter(|_| !self.shows_all),
            last => self.last(),
            show_all => (can_show_all && several && !self.shows_all)
                .then(|| self.asked.params.link(&[(ALL, "")], &[])),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_left_out_as_django_leaves_them_out() {
        let shown = |number, pages| {
            let texts = elided(number, pages).into_iter();
            let text = |number: Option<u64>| number.map_or("…".to_owned(), |n| n.to_string());
            texts.map(text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(5, 10), "1 2 3 4 5 6 7 8 9 10");
        assert_eq!(shown(1, 11), "1 2 3 4 … 10 11");
        assert_eq!(shown(7, 20), "1 2 3 4 5 6 7 8 9 10 … 19 20");
        assert_eq!(shown(8, 20), "1 2 … 5 6 7 8 9 10 11 … 19 20");
        assert_eq!(shown(20, 20), "1 2 … 17 18 19 20");
        assert_eq!(shown(14, 20), "1 2 … 11 12 13 14 15 16 17 18 19 20");
    }

    proptest! {
        #[test]
        fn no_place_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            for kind in [FieldKind::Text, FieldKind::DateTime, FieldKind::Int32, FieldKind::Uuid] {
                if let Ok(value) = serde_json::from_slice::<Json>(&bytes) {
                    let _ = stored(kind, &value);
                }
            }
        }
    }
}
