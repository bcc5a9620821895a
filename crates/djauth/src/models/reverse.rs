//! The other direction of a many-to-many field: `group.user_set`, `permission.group_set`,
//! `permission.user_set`.

use super::link::Link;
use super::query::{Q, QuerySet};
use super::table::{Entity, Table};
use crate::Error;
use crate::db::{Executor, Field};

/// Keys in one statement.
const CHUNK: usize = 400;

/// What links to `target`, by key.
pub(super) async fn owners<T: Entity, E: Executor>(
    ex: &E,
    table: &Table<T>,
    link: &Link,
    target: i32,
) -> Result<Vec<T>, Error> {
    let ids: Vec<T::Id> = link.owners(ex, &target).await?;
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let keys = chunk.iter().map(|id| id.to_value().into_owned());
        let rows = QuerySet::new(table, ex).filter(Q::in_("pk", keys));
        found.extend(rows.order_by(&["pk"]).all().await?);
    }
    Ok(found)
}
