//! The query of a list.

use std::collections::BTreeMap;

use djauth::http::{QueryDict, urlencode};

pub(crate) const SEARCH: &str = "q";
pub(crate) const ORDER: &str = "o";
pub(crate) const PAGE: &str = "p";
pub(crate) const ALL: &str = "all";
pub(crate) const ERROR: &str = "e";
pub(crate) const FACETS: &str = "_facets";
pub(crate) const TO_FIELD: &str = "_to_field";
pub(crate) const AFTER: &str = "_after";
pub(crate) const BEFORE: &str = "_before";
pub(crate) const LAST: &str = "_last";

/// What belongs to one page of the list and is in none of its links.
const OF_THE_PAGE: [&str; 5] = [PAGE, ERROR, AFTER, BEFORE, LAST];

/// Of the list, and no filters.
const RESERVED: [&str; 7] = [
    ALL,
    ORDER,
    SEARCH,
    FACETS,
    djauth::admin::IS_POPUP_VAR,
    "_source_model",
    TO_FIELD,
];

/// The parameters of a list, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    /// What links keep.
    kept: BTreeMap<String, Vec<String>>,
    of_the_page: BTreeMap<String, String>,
}

impl Params {
    pub(crate) fn of(query: &QueryDict) -> Self {
        let mut params = Self::default();
        for (name, value) in query.iter() {
            if OF_THE_PAGE.contains(&name) {
                params.of_the_page.insert(name.to_owned(), value.to_owned());
            } else {
                let values = query.get_list(name).to_vec();
                params.kept.insert(name.to_owned(), values);
            }
        }
        params
    }

    /// The last value of a parameter that links keep, as Django takes it.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        let values = self.kept.get(name)?;
        values.last().map(String::as_str)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.kept.contains_key(name) || self.of_the_page.contains_key(name)
    }

    /// One of those that belong to the page.
    pub(crate) fn of_page(&self, name: &str) -> Option<&str> {
        self.of_the_page.get(name).map(String::as_str)
    }

    /// The number of the page; what is no number is the first.
    pub(crate) fn page(&self) -> i64 {
        let page = self.of_page(PAGE);
        page.and_then(|page| page.trim().parse().ok()).unwrap_or(1)
    }

    /// What filters.
    pub(crate) fn lookups(&self) -> impl Iterator<Item = (&str, &[String])> {
        let kept = self
            .kept
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()));
        kept.filter(|(name, _)| !RESERVED.contains(name))
    }

    /// Every parameter but one, for the hidden fields of a form.
    pub(crate) fn all_but(&self, without: &str) -> Vec<(&str, &str)> {
        let kept = self.kept.iter().filter(|(name, _)| *name != without);
        let pairs = kept
            .flat_map(|(name, values)| values.iter().map(|value| (name.as_str(), value.as_str())));
        pairs.collect()
    }

    /// A link to the list with other parameters: Django's `get_query_string`.
    pub(crate) fn link(&self, set: &[(&str, &str)], remove: &[&str]) -> String {
        let mut kept: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, values) in &self.kept {
            if !remove.contains(&name.as_str()) {
                kept.insert(name, values.iter().map(String::as_str).collect());
            }
        }
        kept.extend(set.iter().map(|(name, value)| (*name, vec![*value])));
        let pairs = kept
            .iter()
            .flat_map(|(name, values)| values.iter().map(move |v| (*name, *v)));
        format!("?{}", urlencode(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_sorted_and_begin_at_the_first_page() {
        let query = QueryDict::parse(b"q=a+b&p=3&is_staff__exact=1&e=1&_after=x&g=1&g=2", 100);
        let params = Params::of(&query.unwrap());
        let plain = "?g=1&g=2&is_staff__exact=1&q=a+b";
        assert_eq!(params.link(&[], &[]), plain);
        assert_eq!(
            params.link(&[("o", "-2.1")], &["g"]),
            "?is_staff__exact=1&o=-2.1&q=a+b"
        );
        assert_eq!((params.page(), params.has("e")), (3, true));
        let lookups: Vec<_> = params.lookups().map(|(name, _)| name).collect();
        assert_eq!(lookups, ["g", "is_staff__exact"]);
        assert_eq!(params.all_but("q").len(), 3);
    }
}
