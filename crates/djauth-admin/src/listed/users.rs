//! The table of users.

use djauth::admin::UserAdmin;
use djauth::base_user::{FieldKind, UserId};
use djauth::models::Q;
use djauth::{Auth, BaseUser, Error};
use djauth_db::Value;
use indexmap::IndexMap;

use super::groups::group_choices;
use super::pages::{Estimate, Table};
use crate::model::{ListPage, ListQuery, Listed, Made, Object, Relation};
use crate::sites::Column;

pub(crate) struct Users<U: BaseUser> {
    auth: Auth<U>,
    admin: UserAdmin,
    columns: Vec<Column<U>>,
    estimate: Estimate,
}

impl<U: BaseUser> Users<U> {
    pub(crate) fn new(auth: &Auth<U>, admin: &UserAdmin, columns: Vec<Column<U>>) -> Self {
        Self {
            auth: auth.clone(),
            admin: admin.clone(),
            columns,
            estimate: Estimate::default(),
        }
    }

    fn table<'a>(&'a self, parse: &'a Parse<U>) -> Table<'a, U, U::Id> {
        Table {
            all: self.auth.users().all(),
            estimate: &self.estimate,
            now: self.auth.now(),
            key: U::id,
            parse,
        }
    }

    /// Keys of models that are described are wider than their columns may be.
    fn parse(&self) -> Box<Parse<U>> {
        let is_small = self.auth.user_meta().key_kind() == FieldKind::Int32;
        Box::new(move |text| {
            let fits = !is_small || text.trim().parse::<i32>().is_ok();
            U::Id::parse(text).filter(|_| fits)
        })
    }

    fn object(&self, user: &U) -> Object {
        let shown = |column: &Column<U>| (column.name, (column.show)(user));
        Object {
            key: user.id().to_string(),
            repr: user.to_string(),
            username: Some(user.get_username()),
            values: self.values(user),
            related: IndexMap::new(),
            password: None,
            computed: self.columns.iter().map(shown).collect(),
        }
    }

    /// Every column but the password.
    fn values(&self, user: &U) -> IndexMap<String, Value<'static>> {
        let mut values: IndexMap<_, _> = self.auth.users().values(user).into_iter().collect();
        values.retain(|name, _| name != "password");
        values
    }

    async fn read(&self, query: &ListQuery) -> Result<ListPage, Error> {
        let parse = self.parse();
        let (rows, count, has_more) = self.table(&*parse).page(query).await?;
        Ok(ListPage {
            rows: rows.iter().map(|user| self.object(user)).collect(),
            count,
            has_more,
        })
    }
}

type Parse<U> = dyn Fn(&str) -> Option<<U as BaseUser>::Id> + Send + Sync;

impl<U: BaseUser> Listed for Users<U> {
    fn page<'a>(&'a self, query: &'a ListQuery) -> Made<'a, ListPage> {
        Box::pin(self.read(query))
    }

    fn facets<'a>(&'a self, without: &'a [Q], asked: &'a [Q]) -> Made<'a, Vec<u64>> {
        Box::pin(async move {
            let parse = self.parse();
            self.table(&*parse).counts(without, asked).await
        })
    }

    fn choices(&self, relation: Relation) -> Made<'_, Vec<(i32, String)>> {
        match relation {
            Relation::Groups => group_choices(&self.auth),
            _ => super::groups::permission_choices(&self.auth),
        }
    }

    fn texts<'a>(&'a self, field: &'a str, limit: u64) -> Made<'a, Vec<String>> {
        Box::pin(self.auth.users().all().distinct_texts(field, limit))
    }

    fn keys<'a>(&'a self, query: &'a ListQuery, limit: u64) -> Made<'a, Vec<String>> {
        Box::pin(async move {
            let parse = self.parse();
            let keys = self.table(&*parse).keys(query, limit).await?;
            Ok(keys.iter().map(ToString::to_string).collect())
        })
    }

    fn lookup_allowed(&self, lookup: &str) -> bool {
        self.admin.lookup_allowed(lookup)
    }
}
