//! Who holds a permission.

use std::collections::HashMap;

use djauth::base_user::UserFlag;
use djauth::models::{Q, QuerySet};
use djauth::{BaseUser, Error};
use djauth_db::{Database, Field as _};
use indexmap::IndexMap;

use super::{AskedHolders, Holder, HolderPage, Named, Reason, Reasons, Why, named};
use crate::beyond::Users;
use crate::listed::{COUNT_LIMIT, started};
use crate::model::{Count, ListQuery, Object, Start};

/// One more than is counted: then there are more.
const LOOK: u64 = COUNT_LIMIT + 1;
/// Holders on a page.
const HOLDERS_PER_PAGE: u64 = 100;

impl<U: BaseUser> Users<U> {
    /// Those with few holders are found through the rows that give the permission, and sorted; of those
    /// with many every user is looked at in their order, until the page is full.
    pub(super) async fn found(&self, asked: &AskedHolders<'_>) -> Result<HolderPage, Error> {
        let ids = self.same_name(asked.permission).await?;
        let users = self.of_activity(asked.is_active);
        let Some(users) = users else {
            return Ok(HolderPage::empty());
        };
        let keys = self.few(&users, &ids, asked.superusers).await?;
        let (users, count) = match keys {
            Some(keys) => {
                let count = counted(keys.len() as u64);
                let keys = keys.into_keys().map(|key| key.to_value().into_owned());
                (users.filter(Q::in_("pk", keys)), count)
            }
            None => (
                users.filter(self.holds(&ids, asked.superusers)),
                counted(LOOK),
            ),
        };
        self.page(users, count, asked, &ids).await
    }

    async fn page(
        &self,
        users: QuerySet<'_, U, Database>,
        count: Count,
        asked: &AskedHolders<'_>,
        ids: &[i32],
    ) -> Result<HolderPage, Error> {
        let query = ListQuery {
            filters: Vec::new(),
            driver: None,
            order: self.holders_order(),
            start: asked.start.clone(),
            size: HOLDERS_PER_PAGE,
            count: false,
        };
        let (rows, is_turned) = started(users, &query);
        let mut rows = rows.limit(HOLDERS_PER_PAGE + 1).collected().await?;
        let has_more = rows.len() as u64 > HOLDERS_PER_PAGE;
        rows.truncate(usize::try_from(HOLDERS_PER_PAGE).unwrap_or(usize::MAX));
        if is_turned {
            rows.reverse();
        }
        let is_first = matches!(asked.start, Start::First);
        Ok(HolderPage {
            rows: self.with_reasons(rows, ids).await?,
            count,
            is_preceded: if is_turned { has_more } else { !is_first },
            is_followed: is_turned || has_more,
        })
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
        superusers: bool,
    ) -> Result<Option<IndexMap<U::Id, ()>>, Error> {
        let mut sources = Vec::new();
        for id in ids {
            for relation in ["user_permissions", "groups__permissions"] {
                sources.push(users.clone().via(relation, *id));
            }
        }
        if superusers {
            sources.push(users.clone().filter(self.is_superuser()));
        }
        let mut keys = IndexMap::new();
        for source in sources {
            let found = source.distinct_keys::<U::Id>(LOOK).await?;
            let is_many = found.len() as u64 >= LOOK;
            keys.extend(found.into_iter().map(|key| (key, ())));
            if is_many || keys.len() as u64 >= LOOK {
                return Ok(None);
            }
        }
        Ok(Some(keys))
    }

    fn is_superuser(&self) -> Q {
        match &self.auth.user_meta().is_superuser {
            UserFlag::Field(name) => Q::eq(name, true),
            UserFlag::Always(true) => Q::all_of([]),
            UserFlag::Always(false) => Q::any_of([]),
        }
    }

    fn holds(&self, ids: &[i32], superusers: bool) -> Q {
        let by_rows = ["user_permissions", "groups__permissions"]
            .map(|relation| Q::linked(relation, ids.iter().copied()));
        let superuser = superusers.then(|| self.is_superuser());
        Q::any_of(by_rows.into_iter().chain(superuser))
    }

    async fn with_reasons(&self, users: Vec<U>, ids: &[i32]) -> Result<Vec<Holder>, Error> {
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
    fn object(&self, user: &U) -> Object {
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

impl HolderPage {
    fn empty() -> Self {
        Self {
            rows: Vec::new(),
            count: Count::default(),
            is_preceded: false,
            is_followed: false,
        }
    }
}

fn counted(found: u64) -> Count {
    Count {
        known: found.min(COUNT_LIMIT),
        more: found > COUNT_LIMIT,
        estimate: None,
    }
}
