//! Who holds a permission.
//!
//! Three ways lead to a page, so that none reads more rows of holders than [`Bounds`] allow; users who are as
//! active as is asked for, and superusers, are found by one pass over the table, which has no index for them.
//! Few holders are found by the rows that give the permission, and sorted. Where they are many, but few users
//! are as active as is asked for, those are asked. Otherwise [users are walked](super::walk).

use std::collections::HashMap;

use djauth::base_user::UserFlag;
use djauth::models::{Q, QuerySet};
use djauth::{BaseUser, Error};
use djauth_db::{Database, Field as _};
use indexmap::IndexMap;

use super::{AskedHolders, Held, Holder, HolderPage, Named, Reason, Reasons, Why, named};
use crate::beyond::Users;
use crate::listed::started;
use crate::model::{Count, ListQuery, Object, Start};

/// How much is read for one page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Holders on a page.
    pub(super) page: u64,
    /// Up to here holders are counted and sorted, not looked for among all users.
    pub(super) sorted: u64,
    /// Keys in one statement.
    pub(super) keys: usize,
    /// Users that are read at once: first, so that a page which is full soon costs little, and then.
    pub(super) first_window: usize,
    pub(super) window: usize,
    /// After so many users a page ends, however few of them hold the permission.
    pub(super) walked: usize,
}

/// What a page reads however many users there are.
pub(super) const BOUNDS: Bounds = Bounds {
    page: 100,
    sorted: 30_000,
    keys: 2_000,
    first_window: 500,
    window: 5_000,
    walked: 20_000,
};

impl<U: BaseUser> Users<U> {
    pub(super) async fn found(
        &self,
        asked: &AskedHolders<'_>,
        bounds: Bounds,
    ) -> Result<HolderPage, Error> {
        let ids = self.same_name(asked.permission).await?;
        let Some(users) = self.of_activity(asked.is_active) else {
            return Ok(HolderPage::default());
        };
        match self.few(&users, &ids, asked, bounds).await? {
            Some(keys) => self.sorted(users, keys, asked, &ids, bounds).await,
            None => self.walked(asked, &ids, bounds).await,
        }
    }

    /// A page of holders whose keys are all known.
    async fn sorted(
        &self,
        users: QuerySet<'_, U, Database>,
        keys: Vec<U::Id>,
        asked: &AskedHolders<'_>,
        ids: &[i32],
        bounds: Bounds,
    ) -> Result<HolderPage, Error> {
        let query = self.query(asked, bounds);
        let held = Held::Exactly(keys.len() as u64);
        let keys = nearest(&users, &query, keys, bounds).await?;
        let (rows, is_turned) = started(among(users, &keys), &query);
        let rows = rows.collected().await?;
        let has_more = rows.len() as u64 > query.size;
        let rows = on_page(rows, &query, is_turned);
        Ok(HolderPage {
            rows: self.with_reasons(rows, ids).await?,
            held,
            is_preceded: match is_turned {
                true => has_more,
                false => !matches!(asked.start, Start::First),
            },
            is_followed: is_turned || has_more,
            walked: None,
        })
    }

    /// The page that is asked for, as lists know it.
    pub(super) fn query(&self, asked: &AskedHolders<'_>, bounds: Bounds) -> ListQuery {
        ListQuery {
            filters: Vec::new(),
            driver: None,
            order: self.holders_order(),
            start: asked.start.clone(),
            size: bounds.page,
            count: false,
        }
    }

    /// Every row of the name: they are one permission for who asks.
    async fn same_name(&self, permission: &Named) -> Result<Vec<i32>, Error> {
        let all = named(&self.auth).await?;
        let perm = permission.perm();
        let same = all.iter().filter(|named| named.perm() == perm);
        Ok(same.filter_map(|named| named.id).collect())
    }

    /// `None`: the model knows no such users.
    fn of_activity(&self, is_active: Option<bool>) -> Option<QuerySet<'_, U, Database>> {
        let users = self.auth.users().all();
        match (is_active, &self.auth.user_meta().is_active) {
            (None, _) => Some(users),
            (Some(active), UserFlag::Field(name)) => Some(users.filter(Q::eq(name, active))),
            (Some(active), UserFlag::Always(always)) => (active == *always).then_some(users),
        }
    }

    /// The holders' keys, each once. `None`: there are too many for that.
    async fn few(
        &self,
        users: &QuerySet<'_, U, Database>,
        ids: &[i32],
        asked: &AskedHolders<'_>,
        bounds: Bounds,
    ) -> Result<Option<Vec<U::Id>>, Error> {
        let superusers = users.clone().filter(self.is_superuser());
        let superusers = asked.superusers.then_some(superusers);
        let mut sources = match self.are_few(ids, bounds).await? {
            true => by_rows(users, ids),
            false if asked.is_active.is_none() => return Ok(None),
            false => return self.few_users(users, superusers, ids, bounds).await,
        };
        sources.extend(superusers);
        union(sources, bounds.sorted).await
    }

    /// Whether few users, active or not, have a row that gives the permission. This much is read of however
    /// many; how active they are is asked of few alone, as of many it may be told of none.
    async fn are_few(&self, ids: &[i32], bounds: Bounds) -> Result<bool, Error> {
        let sources = by_rows(&self.auth.users().all(), ids);
        let mut rows = 0;
        for source in sources.clone() {
            rows += source.count_up_to(bounds.sorted + 1).await?;
            if rows > bounds.sorted {
                // As some may be counted for several of their groups.
                return Ok(union(sources, bounds.sorted).await?.is_some());
            }
        }
        Ok(true)
    }

    /// The holders among the users of this activity, if these are few.
    async fn few_users(
        &self,
        users: &QuerySet<'_, U, Database>,
        superusers: Option<QuerySet<'_, U, Database>>,
        ids: &[i32],
        bounds: Bounds,
    ) -> Result<Option<Vec<U::Id>>, Error> {
        let Some(keys) = union(vec![users.clone()], bounds.sorted).await? else {
            return Ok(None);
        };
        let mut holders = self.auth.users().holders_among(ids, &keys).await?;
        if let Some(superusers) = superusers {
            holders.extend(superusers.distinct_keys::<U::Id>(bounds.sorted).await?);
        }
        Ok(Some(holders.into_iter().collect()))
    }

    fn is_superuser(&self) -> Q {
        match &self.auth.user_meta().is_superuser {
            UserFlag::Field(name) => Q::eq(name, true),
            UserFlag::Always(true) => Q::all_of([]),
            UserFlag::Always(false) => Q::any_of([]),
        }
    }

    pub(super) async fn with_reasons(
        &self,
        users: Vec<U>,
        ids: &[i32],
    ) -> Result<Vec<Holder>, Error> {
        let keys: Vec<U::Id> = users.iter().map(BaseUser::id).collect();
        let mut rows: HashMap<U::Id, Why> = HashMap::new();
        let each = |key, group| rows.entry(key).or_default().add(group);
        self.auth.users().grants_of_each(ids, &keys, each).await?;
        let holder = |user: &U| {
            let mut why = rows.remove(&user.id()).unwrap_or_default();
            if user.is_active() && user.is_superuser() {
                why.reasons.insert(0, Reason::Superuser);
            }
            Holder {
                user: self.object(user),
                is_active: user.is_active(),
                why,
            }
        };
        Ok(users.iter().map(holder).collect())
    }

    /// As much of a user as a link to them and a place in the list need.
    pub(super) fn object(&self, user: &U) -> Object {
        let meta = self.auth.user_meta();
        let mut values: IndexMap<_, _> = self.auth.users().values(user).into_iter().collect();
        values.retain(|name, _| *name == meta.username_field || *name == meta.pk);
        Object {
            key: user.id().to_string(),
            repr: user.to_string(),
            username: Some(user.get_username()),
            values,
            related: IndexMap::new(),
            password: None,
            computed: IndexMap::new(),
        }
    }
}

/// Rows as they are shown: no more than fit on the page, and in the order of the list.
pub(super) fn on_page<U>(mut rows: Vec<U>, query: &ListQuery, is_turned: bool) -> Vec<U> {
    rows.truncate(usize::try_from(query.size).unwrap_or(usize::MAX));
    if is_turned {
        rows.reverse();
    }
    rows
}

/// Those of these users who have one of these permissions, by the rows that give it.
fn by_rows<'a, U: BaseUser>(
    users: &QuerySet<'a, U, Database>,
    ids: &[i32],
) -> Vec<QuerySet<'a, U, Database>> {
    let relations = ["user_permissions", "groups__permissions"];
    let pairs = ids.iter().flat_map(|id| relations.map(|name| (name, *id)));
    pairs
        .map(|(name, id)| users.clone().via(name, id))
        .collect()
}

/// The keys of all of these, each once. `None`: there are more than this.
async fn union<U: BaseUser>(
    sources: Vec<QuerySet<'_, U, Database>>,
    most: u64,
) -> Result<Option<Vec<U::Id>>, Error> {
    let mut keys = IndexMap::new();
    for source in sources {
        let found = source.distinct_keys::<U::Id>(most + 1).await?;
        keys.extend(found.into_iter().map(|key| (key, ())));
        if keys.len() as u64 > most {
            return Ok(None);
        }
    }
    Ok(Some(keys.into_keys().collect()))
}

fn among<'a, U: BaseUser>(
    users: QuerySet<'a, U, Database>,
    keys: &[U::Id],
) -> QuerySet<'a, U, Database> {
    let keys = keys.iter().map(|key| key.to_value().into_owned());
    users.filter(Q::in_("pk", keys))
}

/// Of many keys those that can be on the page, and the one after it: the first of each part of them, in the
/// page's order, and then the first of these.
///
/// No statement has a limit: for few rows in an order that an index has, PostgreSQL walks that index.
async fn nearest<U: BaseUser>(
    users: &QuerySet<'_, U, Database>,
    query: &ListQuery,
    mut keys: Vec<U::Id>,
    bounds: Bounds,
) -> Result<Vec<U::Id>, Error> {
    let most = usize::try_from(query.size).map_or(usize::MAX, |size| size.saturating_add(1));
    while keys.len() > most {
        let mut nearest = Vec::new();
        for part in keys.chunks(bounds.keys) {
            let (rows, _) = started(among(users.clone(), part), query);
            nearest.extend(rows.all_keys::<U::Id>().await?.into_iter().take(most));
        }
        if nearest.len() == keys.len() {
            break;
        }
        keys = nearest;
    }
    Ok(keys)
}

impl Held {
    /// For the line above the list.
    pub(crate) fn count(self) -> Count {
        let (Self::Exactly(known) | Self::MoreThan(known) | Self::MoreOfAnyActivity(known)) = self;
        Count {
            known,
            more: !matches!(self, Self::Exactly(_)),
            estimate: None,
        }
    }
}
