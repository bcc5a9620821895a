//! The table of groups.

use djauth::admin::GroupAdmin;
use djauth::models::Q;
use djauth::{Auth, BaseUser};

use crate::model::{ListPage, ListQuery, Listed, Made, Relation};

pub(crate) struct Groups<U: BaseUser> {
    _auth: Auth<U>,
    admin: GroupAdmin,
}

impl<U: BaseUser> Groups<U> {
    pub(crate) fn new(auth: &Auth<U>, admin: &GroupAdmin) -> Self {
        Self {
            _auth: auth.clone(),
            admin: admin.clone(),
        }
    }
}

impl<U: BaseUser> Listed for Groups<U> {
    fn page<'a>(&'a self, _: &'a ListQuery) -> Made<'a, ListPage> {
        Box::pin(std::future::ready(Ok(ListPage::default())))
    }

    fn facets<'a>(&'a self, _: &'a [Q], _: &'a [Q]) -> Made<'a, Vec<u64>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn choices<'a>(&'a self, _: Relation) -> Made<'a, Vec<(i32, String)>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn keys<'a>(&'a self, _: &'a ListQuery, _: u64) -> Made<'a, Vec<String>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn lookup_allowed(&self, lookup: &str) -> bool {
        !lookup.is_empty()
    }
}
