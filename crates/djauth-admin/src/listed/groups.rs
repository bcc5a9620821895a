//! The table of groups.

use djauth::admin::GroupAdmin;
use djauth::models::Q;
use djauth::{Auth, BaseUser, Error, Group};
use indexmap::IndexMap;

use super::pages::{Estimate, Table};
use crate::model::{ListPage, ListQuery, Listed, Made, Object, Relation};

pub(crate) struct Groups<U: BaseUser> {
    auth: Auth<U>,
    admin: GroupAdmin,
    estimate: Estimate,
}

impl<U: BaseUser> Groups<U> {
    pub(crate) fn new(auth: &Auth<U>, admin: &GroupAdmin) -> Self {
        Self {
            auth: auth.clone(),
            admin: admin.clone(),
            estimate: Estimate::default(),
        }
    }

    fn table(&self) -> Table<'_, Group, i32> {
        Table {
            all: self.auth.groups().all(),
            estimate: &self.estimate,
            now: self.auth.now(),
            key: |group| group.id,
            parse: &parse,
        }
    }

    async fn read(&self, query: &ListQuery) -> Result<ListPage, Error> {
        let (rows, count, has_more) = self.table().page(query).await?;
        Ok(ListPage {
            rows: rows.iter().map(object).collect(),
            count,
            has_more,
        })
    }
}

fn parse(text: &str) -> Option<i32> {
    text.trim().parse().ok()
}

fn object(group: &Group) -> Object {
    let values = [
        ("id".to_owned(), group.id.into()),
        ("name".to_owned(), group.name.clone().into()),
    ];
    Object {
        key: group.id.to_string(),
        repr: group.name.clone(),
        username: None,
        values: values.into_iter().collect(),
        related: IndexMap::new(),
        password: None,
        computed: IndexMap::new(),
    }
}

/// Every group, by name.
pub(super) fn group_choices<U: BaseUser>(auth: &Auth<U>) -> Made<'_, Vec<(i32, String)>> {
    Box::pin(async move {
        let groups = auth.groups().all().order_by(&["name"]).collected().await?;
        Ok(groups
            .into_iter()
            .map(|group| (group.id, group.name))
            .collect())
    })
}

/// Every permission, by application and model.
pub(super) fn permission_choices<U: BaseUser>(auth: &Auth<U>) -> Made<'_, Vec<(i32, String)>> {
    Box::pin(async move {
        let permissions = auth.permissions().all().collected().await?;
        let choice = permissions.into_iter().map(|perm| (perm.id, perm.name));
        Ok(choice.collect())
    })
}

impl<U: BaseUser> Listed for Groups<U> {
    fn page<'a>(&'a self, query: &'a ListQuery) -> Made<'a, ListPage> {
        Box::pin(self.read(query))
    }

    fn facets<'a>(&'a self, without: &'a [Q], asked: &'a [Q]) -> Made<'a, Vec<u64>> {
        Box::pin(self.table().counts(without, asked))
    }

    fn choices(&self, _: Relation) -> Made<'_, Vec<(i32, String)>> {
        permission_choices(&self.auth)
    }

    fn texts<'a>(&'a self, field: &'a str, limit: u64) -> Made<'a, Vec<String>> {
        Box::pin(self.auth.groups().all().distinct_texts(field, limit))
    }

    fn keys<'a>(&'a self, query: &'a ListQuery, limit: u64) -> Made<'a, Vec<String>> {
        Box::pin(async move {
            let keys = self.table().keys(query, limit).await?;
            Ok(keys.iter().map(ToString::to_string).collect())
        })
    }

    /// Of other tables only what the list filters by: who may see groups must not read users or
    /// permissions out of their list.
    fn lookup_allowed(&self, lookup: &str) -> bool {
        let (first, rest) = lookup.split_once("__").unwrap_or((lookup, ""));
        let is_key = matches!(
            rest.split("__").next(),
            Some("" | "id" | "pk" | "exact" | "in" | "isnull")
        );
        let is_listed =
            |filter: &&str| lookup == *filter || lookup.starts_with(&format!("{filter}__"));
        match first {
            "permissions" | "user" => is_key || self.admin.list_filter.iter().any(is_listed),
            _ => true,
        }
    }
}
