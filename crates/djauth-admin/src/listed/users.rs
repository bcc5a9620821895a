//! The table of users.

use djauth::admin::UserAdmin;
use djauth::models::Q;
use djauth::{Auth, BaseUser};

use crate::model::{ListPage, ListQuery, Listed, Made, Relation};
use crate::sites::Column;

pub(crate) struct Users<U: BaseUser> {
    _auth: Auth<U>,
    admin: UserAdmin,
    _columns: Vec<Column<U>>,
}

impl<U: BaseUser> Users<U> {
    pub(crate) fn new(auth: &Auth<U>, admin: &UserAdmin, columns: Vec<Column<U>>) -> Self {
        Self {
            _auth: auth.clone(),
            admin: admin.clone(),
            _columns: columns,
        }
    }
}

impl<U: BaseUser> Listed for Users<U> {
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
        self.admin.lookup_allowed(lookup)
    }
}
