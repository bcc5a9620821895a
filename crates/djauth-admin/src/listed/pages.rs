//! How a page of a table is read, so that an index serves it where one can.
//!
//! The whole table is read in its order from where the last page ended. What is filtered is read by keys
//! first: one pass gives the page and how many there are, up to [`COUNT_LIMIT`].

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, Utc};
use djauth::Error;
use djauth::models::{Q, QuerySet, Rows};
use djauth_db::{Database, Field, Value};
use parking_lot::Mutex;

use crate::model::{Count, ListQuery, Start};

/// Up to here rows are counted one by one.
pub(crate) const COUNT_LIMIT: u64 = 10_000;

/// One more than is counted: then there are more.
const LOOK: u64 = COUNT_LIMIT + 1;

/// So long a guess at the number of rows is good.
const ESTIMATE_SECONDS: i64 = 60;

/// The last guess, and when it was made.
#[derive(Default)]
pub(crate) struct Estimate(Mutex<Option<(DateTime<Utc>, u64)>>);

impl Estimate {
    pub(crate) fn fresh(&self, now: DateTime<Utc>) -> Option<u64> {
        let (made, count) = (*self.0.lock())?;
        let age = (now - made).num_seconds();
        (0..ESTIMATE_SECONDS).contains(&age).then_some(count)
    }

    pub(crate) fn keep(&self, now: DateTime<Utc>, count: u64) -> u64 {
        *self.0.lock() = Some((now, count));
        count
    }

    /// Something has changed the number.
    pub(crate) fn forget(&self) {
        *self.0.lock() = None;
    }
}

/// A table with what its keys are.
pub(super) struct Table<'a, T: Rows, K> {
    pub(super) all: QuerySet<'a, T, Database>,
    pub(super) estimate: &'a Estimate,
    pub(super) now: DateTime<Utc>,
    pub(super) key: fn(&T) -> K,
    /// `None`: no row has such a key.
    pub(super) parse: &'a (dyn Fn(&str) -> Option<K> + Send + Sync),
}

/// Rows of a page, how many there are on all pages, and whether more follow.
pub(super) type Page<T> = (Vec<T>, Count, bool);

impl<T: Rows, K: Field + Copy + Eq + Hash + Send> Table<'_, T, K> {
    pub(super) async fn page(self, query: &ListQuery) -> Result<Page<T>, Error> {
        let is_whole = query.filters.is_empty() && query.driver.is_none();
        match &query.start {
            Start::Keys(keys) => self.of_keys(query, keys).await,
            _ if is_whole => self.of_all(query).await,
            _ => self.of_some(query).await,
        }
    }

    /// Keys of the list, in its order.
    pub(super) async fn keys(self, query: &ListQuery, limit: u64) -> Result<Vec<K>, Error> {
        let (rows, _) = self.narrowed(query).await?;
        ordered(rows, &query.order).keys(limit).await
    }

    /// How many rows of the list meet each of these.
    pub(super) async fn counts(self, without: &[Q], asked: &[Q]) -> Result<Vec<u64>, Error> {
        filtered(self.all, without).counts(asked).await
    }

    async fn of_all(self, query: &ListQuery) -> Result<Page<T>, Error> {
        let count = match query.count {
            true => self.count().await?,
            false => Count::default(),
        };
        if query.size == 0 {
            return Ok((Vec::new(), count, false));
        }
        let (rows, is_turned) = started(self.all, query);
        let mut rows = rows.limit(query.size + 1).collected().await?;
        let has_more = rows.len() as u64 > query.size;
        rows.truncate(usize::try_from(query.size).unwrap_or(usize::MAX));
        if is_turned {
            rows.reverse();
        }
        let follows = match query.start {
            Start::Before(_) => true,
            Start::Last => false,
            _ => has_more,
        };
        Ok((rows, count, follows))
    }

    async fn count(&self) -> Result<Count, Error> {
        let known = self.all.clone().count_up_to(LOOK).await?;
        let mut count = counted(known);
        if count.more {
            count.estimate = Some(self.estimated().await?.max(known));
        }
        Ok(count)
    }

    /// On SQLite a guess counts every row, so it is made once a minute at the most.
    async fn estimated(&self) -> Result<u64, Error> {
        match self.estimate.fresh(self.now) {
            Some(count) => Ok(count),
            None => {
                let count = self.all.clone().estimated_count().await?;
                Ok(self.estimate.keep(self.now, count))
            }
        }
    }

    async fn of_some(self, query: &ListQuery) -> Result<Page<T>, Error> {
        let (narrowed, members) = self.narrowed(query).await?;
        let rows = ordered(narrowed, &query.order);
        let (keys, count) = match members {
            // How many there are is known already: only the page is read.
            Some(members) => (page_of(&rows, query).await?, counted(members)),
            None => found(&rows, query).await?,
        };
        let has_more = keys.len() as u64 > query.size;
        let keys: Vec<K> = keys.into_iter().take(to_size(query.size)).collect();
        Ok((self.of_each(keys).await?, count, has_more))
    }

    /// Those of the keys that are in the list.
    async fn of_keys(self, query: &ListQuery, keys: &[String]) -> Result<Page<T>, Error> {
        let parsed = keys.iter().filter_map(|key| (self.parse)(key));
        let among = Q::in_("pk", parsed.map(|key| key.to_value().into_owned()));
        let (narrowed, _) = self.narrowed(query).await?;
        let rows = ordered(narrowed.filter(among), &query.order)
            .collected()
            .await?;
        let count = counted(rows.len() as u64);
        Ok((rows, count, false))
    }

    /// The rows of these keys, in their order.
    async fn of_each(self, keys: Vec<K>) -> Result<Vec<T>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let places: HashMap<K, usize> = keys.iter().copied().zip(0..).collect();
        let among = Q::in_("pk", keys.iter().map(|key| key.to_value().into_owned()));
        let mut rows = self.all.filter(among).collected().await?;
        rows.sort_by_key(|row| places.get(&(self.key)(row)).copied());
        Ok(rows)
    }

    /// With the conditions. A relation to few rows is gone through first; one to many is asked for each row,
    /// in the order of the list. How many rows there are, up to one more than is counted, is told where that
    /// was found out on the way.
    async fn narrowed(&self, query: &ListQuery) -> Result<Narrowed<'_, T>, Error> {
        let rows = self.all.clone();
        let Some((relation, key)) = query.driver else {
            return Ok((filtered(rows, &query.filters), None));
        };
        let linked = rows.clone().via(relation.name(), key);
        let members = linked.clone().count_up_to(LOOK).await?;
        let rows = match members < LOOK {
            true => linked,
            false => rows.filter(Q::linked(relation.name(), [key])),
        };
        let known = query.filters.is_empty().then_some(members);
        Ok((filtered(rows, &query.filters), known))
    }
}

/// The rows of a list, and how many they are, if that is known.
type Narrowed<'a, T> = (QuerySet<'a, T, Database>, Option<u64>);

/// The number of rows before the page.
fn skipped(query: &ListQuery) -> u64 {
    let page = match query.start {
        Start::Page(page) => page.max(1),
        _ => 1,
    };
    (page - 1).saturating_mul(query.size)
}

/// The keys of the page, and one more if there is one.
async fn page_of<T: Rows, K: Field>(
    rows: &QuerySet<'_, T, Database>,
    query: &ListQuery,
) -> Result<Vec<K>, Error> {
    let rows = rows.clone().offset(skipped(query));
    rows.keys(query.size + 1).await
}

/// The same, and how many there are: one pass tells both, if the page is not beyond what is counted.
async fn found<T: Rows, K: Field>(
    rows: &QuerySet<'_, T, Database>,
    query: &ListQuery,
) -> Result<(Vec<K>, Count), Error> {
    let keys: Vec<K> = rows.clone().keys(LOOK).await?;
    let count = counted(keys.len() as u64);
    let skipped = skipped(query);
    let keys = match skipped.saturating_add(query.size) > COUNT_LIMIT && count.more {
        true => page_of(rows, query).await?,
        false => keys.into_iter().skip(to_size(skipped)).collect(),
    };
    Ok((keys, count))
}

fn to_size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn counted(found: u64) -> Count {
    Count {
        known: found.min(COUNT_LIMIT),
        more: found > COUNT_LIMIT,
        estimate: None,
    }
}

fn filtered<'a, T: Rows>(
    rows: QuerySet<'a, T, Database>,
    conditions: &[Q],
) -> QuerySet<'a, T, Database> {
    conditions
        .iter()
        .fold(rows, |rows, condition| rows.filter(condition.clone()))
}

fn ordered<'a, T: Rows>(
    rows: QuerySet<'a, T, Database>,
    order: &[String],
) -> QuerySet<'a, T, Database> {
    let order: Vec<_> = order.iter().map(String::as_str).collect();
    rows.order_by(&order)
}

/// From where the page begins, and whether the order is turned round for it.
pub(crate) fn started<'a, T: Rows>(
    rows: QuerySet<'a, T, Database>,
    query: &ListQuery,
) -> (QuerySet<'a, T, Database>, bool) {
    let order = &query.order;
    match &query.start {
        Start::After(values) => (ordered(rows.filter(beyond(order, values)), order), false),
        Start::Before(values) => {
            let turned = turned(order);
            let rows = rows.filter(beyond(&turned, values));
            (ordered(rows, &turned), true)
        }
        Start::Last => (ordered(rows, &turned(order)), true),
        Start::Page(page) => {
            let skipped = page.saturating_sub(1).saturating_mul(query.size);
            (ordered(rows, order).offset(skipped), false)
        }
        Start::First | Start::Keys(_) => (ordered(rows, order), false),
    }
}

fn turned(order: &[String]) -> Vec<String> {
    let turn = |field: &String| match field.strip_prefix('-') {
        Some(field) => field.to_owned(),
        None => format!("-{field}"),
    };
    order.iter().map(turn).collect()
}

/// Rows that come after these values in an order: `a >= ? AND (a > ? OR a = ? AND b > ?)`, of which an index
/// can use the first part.
fn beyond(order: &[String], values: &[Value<'static>]) -> Q {
    let pairs: Vec<_> = order.iter().zip(values).collect();
    let after = (0..pairs.len()).map(|at| {
        let same = pairs[..at].iter().map(|(field, value)| {
            let field = field.trim_start_matches('-');
            Q::eq(field, (*value).clone())
        });
        let (field, value) = pairs[at];
        Q::all_of(same.chain([farther(field, value, false)]))
    });
    let any = Q::any_of(after);
    match pairs.first() {
        Some((field, value)) => farther(field, value, true).and(any),
        None => any,
    }
}

fn farther(field: &str, value: &Value<'static>, or_equal: bool) -> Q {
    let value = value.clone();
    match (field.strip_prefix('-'), or_equal) {
        (Some(field), true) => Q::lte(field, value),
        (Some(field), false) => Q::lt(field, value),
        (None, true) => Q::gte(field, value),
        (None, false) => Q::gt(field, value),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_guess_is_good_for_a_minute() {
        let (estimate, now) = (Estimate::default(), DateTime::UNIX_EPOCH);
        assert_eq!(estimate.fresh(now), None);
        assert_eq!(estimate.keep(now, 5), 5);
        for (seconds, expected) in [(0, Some(5)), (59, Some(5)), (60, None), (-1, None)] {
            let later = now + TimeDelta::seconds(seconds);
            assert_eq!(estimate.fresh(later), expected, "{seconds}");
        }
        estimate.keep(now + TimeDelta::seconds(60), 6);
        assert_eq!(estimate.fresh(now + TimeDelta::seconds(61)), Some(6));
        estimate.forget();
        assert_eq!(estimate.fresh(now + TimeDelta::seconds(61)), None);
    }

    /// On SQLite these would run on the async worker that asks, however long they take.
    #[test]
    fn no_list_is_read_inline() {
        let own = [
            include_str!("users.rs"),
            include_str!("groups.rs"),
            include_str!("../views/main.rs"),
            include_str!("../views/rows.rs"),
            include_str!("../filters/facets.rs"),
            include_str!("../filters/related.rs"),
            include_str!("../filters/values.rs"),
            include_str!("../actions.rs"),
        ];
        let of_pages = include_str!("pages.rs").split("#[cfg(test)]").next();
        for text in own.into_iter().chain(of_pages) {
            let bare: String = text.split_whitespace().collect();
            for call in [
                ".all().await",
                ".fetch(",
                ".fetch_optional(",
                ".first().await",
                ".count().await",
                ".exists().await",
                ".ids().await",
            ] {
                // The number of rows of the whole list, which ends at a limit.
                let bare = bare.replace("self.count().await", "");
                assert!(!bare.contains(call), "{call}");
            }
        }
    }
}
