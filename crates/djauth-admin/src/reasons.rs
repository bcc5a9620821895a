//! Why users have permissions, and who has one: what the pages about rights read.
//!
//! A permission is what [`Auth::has_perm`] is asked for, `app_label.codename`; two rows of the same name are
//! one permission.

use std::collections::{BTreeSet, HashMap};

use djauth::base_user::{FieldKind, UserFlag, UserId};
use djauth::models::{Group, Permission, Q, QuerySet};
use djauth::{Auth, BackendPermissions, BaseUser, Error};
use djauth_db::{Database, Field as _};
use indexmap::IndexMap;

use crate::beyond::Users;
use crate::listed::{COUNT_LIMIT, started};
use crate::model::{Count, ListQuery, Made, Object, Start};
use crate::search::words;

/// Groups that are named for one permission of one user; of more only the number is told.
const GROUPS_SHOWN: usize = 20;
/// One more than is counted: then there are more.
const LOOK: u64 = COUNT_LIMIT + 1;
/// Permissions on a page of their list.
const PERMISSIONS_PER_PAGE: usize = 100;
/// Holders on a page.
const HOLDERS_PER_PAGE: u64 = 100;

/// Why somebody has a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Superuser,
    Direct,
    /// The key and the name of the group.
    Group(i32, String),
    /// The path of a backend that does not read rows.
    Backend(String),
}

/// Every reason. Of very many groups some are only counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Why {
    pub(crate) reasons: Vec<Reason>,
    pub(crate) more_groups: usize,
}

impl Why {
    /// A row that gives the permission.
    fn add(&mut self, group: Option<Group>) {
        let reason = group.map_or(Reason::Direct, |group| Reason::Group(group.id, group.name));
        if self.reasons.contains(&reason) {
            return;
        }
        match self.reasons.len() < GROUPS_SHOWN {
            true => self.reasons.push(reason),
            false => self.more_groups += 1,
        }
    }
}

/// A permission as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// `None`: no row has this name, only a backend.
    pub(crate) id: Option<i32>,
    pub(crate) name: String,
    pub(crate) app_label: String,
    pub(crate) model: String,
    pub(crate) codename: String,
}

impl Named {
    fn of((permission, app_label, model): (Permission, String, String)) -> Self {
        Self {
            id: Some(permission.id),
            name: permission.name,
            app_label,
            model,
            codename: permission.codename,
        }
    }

    /// What only a backend knows.
    fn foreign(perm: &str) -> Self {
        let (app_label, codename) = perm.split_once('.').unwrap_or(("", perm));
        Self {
            id: None,
            name: String::new(),
            app_label: app_label.to_owned(),
            model: String::new(),
            codename: codename.to_owned(),
        }
    }

    /// Whether a word, in small letters, stands anywhere in it.
    fn has(&self, word: &str) -> bool {
        let texts = [self.name.clone(), self.perm(), self.model.clone()];
        texts.iter().any(|text| text.to_lowercase().contains(word))
    }

    /// `app_label.codename`.
    pub(crate) fn perm(&self) -> String {
        format!("{}.{}", self.app_label, self.codename)
    }
}

/// What a user may do.
pub(crate) struct Effective {
    pub(crate) is_active: bool,
    pub(crate) is_superuser: bool,
    /// By application, model and codename.
    pub(crate) held: Vec<(Named, Why)>,
    /// What was asked about one permission.
    pub(crate) answer: Option<Answered>,
    /// Whether some backend decides otherwise than by rows.
    pub(crate) asks_others: bool,
}

/// The answer to "may they do this?".
pub(crate) struct Answered {
    pub(crate) perm: String,
    /// What [`Auth::has_perm`] says.
    pub(crate) yes: bool,
    /// Whether any row or backend knows the permission.
    pub(crate) is_known: bool,
    pub(crate) why: Why,
}

/// A page of the list of permissions.
pub(crate) struct PermissionPage {
    pub(crate) rows: Vec<Named>,
    pub(crate) count: usize,
    pub(crate) page: usize,
    pub(crate) pages: usize,
}

/// Who is asked for.
pub(crate) struct AskedHolders<'a> {
    pub(crate) permission: &'a Named,
    /// Only active users, only inactive ones, or both.
    pub(crate) is_active: Option<bool>,
    pub(crate) superusers: bool,
    /// Of the order that [`Reasons::holders_order`] answers.
    pub(crate) start: Start,
}

/// A page of those who hold a permission.
pub(crate) struct HolderPage {
    pub(crate) rows: Vec<Holder>,
    pub(crate) count: Count,
    /// Whether there are any before and after these.
    pub(crate) is_preceded: bool,
    pub(crate) is_followed: bool,
}

/// Somebody who holds a permission.
pub(crate) struct Holder {
    pub(crate) user: Object,
    pub(crate) is_active: bool,
    pub(crate) why: Why,
}

/// What pages about rights need of the user model.
pub(crate) trait Reasons: Send + Sync {
    /// Whether users of this model can have permissions.
    fn has_permissions(&self) -> bool;
    /// The backends that may give what no row says, and whether any backend reads rows.
    fn foreign_backends(&self) -> (Vec<String>, bool);
    /// `None`: nobody has this key.
    fn effective<'a>(&'a self, key: &'a str, asked: Option<&'a str>)
    -> Made<'a, Option<Effective>>;
    /// A page that does not exist is the nearest that does.
    fn permissions<'a>(&'a self, search: &'a str, page: u64) -> Made<'a, PermissionPage>;
    /// One of them.
    fn permission(&self, id: i32) -> Made<'_, Option<Named>>;
    /// The fields that holders are sorted by; none of them may be empty.
    fn holders_order(&self) -> Vec<String>;
    fn holders<'a>(&'a self, asked: &'a AskedHolders<'a>) -> Made<'a, HolderPage>;
}

impl<U: BaseUser> Reasons for Users<U> {
    fn has_permissions(&self) -> bool {
        self.auth.user_meta().links.is_some()
    }

    fn foreign_backends(&self) -> (Vec<String>, bool) {
        let foreign: Vec<_> = self.auth.foreign_backends().map(str::to_owned).collect();
        let reads_rows = foreign.len() < self.auth.backend_paths().count();
        (foreign, reads_rows)
    }

    fn effective<'a>(
        &'a self,
        key: &'a str,
        asked: Option<&'a str>,
    ) -> Made<'a, Option<Effective>> {
        Box::pin(async move {
            let user = match U::Id::parse(key.trim()) {
                Some(id) => self.auth.users().get(id).await?,
                None => None,
            };
            match user {
                Some(user) => Ok(Some(effective(&self.auth, &user, asked).await?)),
                None => Ok(None),
            }
        })
    }

    fn permissions<'a>(&'a self, search: &'a str, page: u64) -> Made<'a, PermissionPage> {
        Box::pin(permissions(&self.auth, search, page))
    }

    fn permission(&self, id: i32) -> Made<'_, Option<Named>> {
        Box::pin(async move {
            let mut all = named(&self.auth).await?.into_iter();
            Ok(all.find(|named| named.id == Some(id)))
        })
    }

    fn holders_order(&self) -> Vec<String> {
        let meta = self.auth.user_meta();
        let field = meta.field(&meta.username_field);
        let is_named = field.is_some_and(|field| field.kind == FieldKind::Text && !field.null);
        let name = is_named.then(|| meta.username_field.clone());
        name.into_iter().chain(["pk".to_owned()]).collect()
    }

    fn holders<'a>(&'a self, asked: &'a AskedHolders<'a>) -> Made<'a, HolderPage> {
        Box::pin(self.found(asked))
    }
}

async fn effective<U: BaseUser>(
    auth: &Auth<U>,
    user: &U,
    asked: Option<&str>,
) -> Result<Effective, Error> {
    let known = named(auth).await?;
    let reader = Reader {
        backends: auth.get_all_permissions_by_backend(user).await?,
        rows: granted(auth, user, &known).await?,
        is_almighty: user.is_active() && user.is_superuser(),
    };
    let held = reader.held(&known);
    let answer = match asked {
        Some(perm) => Some(Answered {
            perm: perm.to_owned(),
            yes: auth.has_perm(user, perm, None).await?,
            is_known: known.iter().any(|known| known.perm() == perm) || reader.is_held(perm),
            why: reader.why(perm),
        }),
        None => None,
    };
    Ok(Effective {
        is_active: user.is_active(),
        is_superuser: user.is_superuser(),
        held,
        answer,
        asks_others: auth.foreign_backends().next().is_some(),
    })
}

/// The rows that give the user something, by the permission's name.
async fn granted<U: BaseUser>(
    auth: &Auth<U>,
    user: &U,
    known: &[Named],
) -> Result<HashMap<String, Why>, Error> {
    let mut rows: HashMap<String, Why> = HashMap::new();
    if auth.user_meta().links.is_none() {
        return Ok(rows);
    }
    let names: HashMap<Option<i32>, String> =
        known.iter().map(|row| (row.id, row.perm())).collect();
    let each = |permission, group| {
        if let Some(perm) = names.get(&Some(permission)) {
            rows.entry(perm.clone()).or_default().add(group);
        }
    };
    auth.users().grants_each(user, each).await?;
    Ok(rows)
}

/// Puts together what rows and backends say about one user.
struct Reader {
    backends: Vec<BackendPermissions>,
    rows: HashMap<String, Why>,
    /// An active superuser.
    is_almighty: bool,
}

impl Reader {
    fn is_held(&self, perm: &str) -> bool {
        self.is_almighty || self.backends.iter().any(|b| b.permissions.contains(perm))
    }

    /// Rows only count where a backend reads them, which none does for inactive users.
    fn why(&self, perm: &str) -> Why {
        let gives = |backend: &&BackendPermissions| backend.permissions.contains(perm);
        let (of_rows, foreign): (Vec<_>, Vec<_>) = self
            .backends
            .iter()
            .filter(gives)
            .partition(|backend| backend.is_of_rows);
        let rows = self.rows.get(perm).filter(|_| !of_rows.is_empty());
        let mut why = rows.cloned().unwrap_or_default();
        if self.is_almighty {
            why.reasons.insert(0, Reason::Superuser);
        }
        let foreign = foreign.into_iter();
        why.reasons
            .extend(foreign.map(|backend| Reason::Backend(backend.path.clone())));
        why
    }

    /// What the user has, with what no row knows at its place.
    fn held(&self, known: &[Named]) -> Vec<(Named, Why)> {
        let mut held: Vec<Named> = Vec::new();
        let rows = known.iter().filter(|known| self.is_held(&known.perm()));
        held.extend(rows.cloned());
        let names: BTreeSet<String> = known.iter().map(Named::perm).collect();
        let foreign: BTreeSet<&String> =
            self.backends.iter().flat_map(|b| &b.permissions).collect();
        let unknown = foreign.into_iter().filter(|perm| !names.contains(*perm));
        held.extend(unknown.map(|perm| Named::foreign(perm)));
        held.sort_by(|a, b| {
            (&a.app_label, &a.model, &a.codename).cmp(&(&b.app_label, &b.model, &b.codename))
        });
        let with_reasons = |named: Named| {
            let why = self.why(&named.perm());
            (named, why)
        };
        held.into_iter().map(with_reasons).collect()
    }
}

async fn permissions<U: BaseUser>(
    auth: &Auth<U>,
    search: &str,
    page: u64,
) -> Result<PermissionPage, Error> {
    let words: Vec<_> = words(search)
        .iter()
        .map(|word| word.to_lowercase())
        .collect();
    let mut found = named(auth).await?;
    found.retain(|named| words.iter().all(|word| named.has(word)));
    let pages = found.len().div_ceil(PERMISSIONS_PER_PAGE).max(1);
    let page = usize::try_from(page).unwrap_or(usize::MAX).clamp(1, pages);
    let rows = found.iter().skip((page - 1) * PERMISSIONS_PER_PAGE);
    Ok(PermissionPage {
        rows: rows.take(PERMISSIONS_PER_PAGE).cloned().collect(),
        count: found.len(),
        page,
        pages,
    })
}

/// Every permission, by application, model and codename.
async fn named<U: BaseUser>(auth: &Auth<U>) -> Result<Vec<Named>, Error> {
    let rows = auth.permissions().choices().await?;
    Ok(rows.into_iter().map(Named::of).collect())
}

fn counted(found: u64) -> Count {
    Count {
        known: found.min(COUNT_LIMIT),
        more: found > COUNT_LIMIT,
        estimate: None,
    }
}

impl<U: BaseUser> Users<U> {
    /// Those with few holders are found through the rows that give the permission, and sorted; of those
    /// with many every user is looked at in their order, until the page is full.
    async fn found(&self, asked: &AskedHolders<'_>) -> Result<HolderPage, Error> {
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
            let found = source.order_by(&[]).keys::<U::Id>(LOOK).await?;
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
            if user.is_superuser() {
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
