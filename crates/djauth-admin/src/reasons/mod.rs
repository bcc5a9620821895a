//! Why users have permissions, and who has one: what the pages about rights read.
//!
//! A permission is what [`Auth::has_perm`] is asked for, `app_label.codename`; two rows of the same name are
//! one permission.

mod effective;
mod holding;
#[cfg(test)]
mod tests;
mod walk;

use djauth::base_user::{FieldKind, UserId};
use djauth::models::{Group, Permission};
use djauth::{Auth, BaseUser, Error};

use self::effective::effective;
use self::holding::BOUNDS;
use crate::beyond::Users;
use crate::model::{Made, Object, Start};
use crate::search::words;

/// Groups that are named for one permission of one user; of more only the number is told.
const GROUPS_SHOWN: usize = 20;
/// Permissions on a page of their list.
const PERMISSIONS_PER_PAGE: usize = 100;

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

/// How many hold a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Exactly(u64),
    MoreThan(u64),
    /// So many have the rows, active or not; how many of them are as active as is asked is not counted.
    MoreOfAnyActivity(u64),
}

impl Default for Held {
    fn default() -> Self {
        Self::Exactly(0)
    }
}

/// A page of those who hold a permission.
#[derive(Default)]
pub(crate) struct HolderPage {
    pub(crate) rows: Vec<Holder>,
    pub(crate) held: Held,
    /// Whether there may be any before and after these.
    pub(crate) is_preceded: bool,
    pub(crate) is_followed: bool,
    /// If they were looked for among all users.
    pub(crate) walked: Option<Walked>,
}

/// How far the search for a page went.
pub(crate) struct Walked {
    /// Who was looked at last.
    pub(crate) last: Object,
    /// At how many it looked.
    pub(crate) looked: usize,
    /// Whether it ended before the page was full, and others may follow.
    pub(crate) is_early: bool,
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
        // A unique name is the whole order: MariaDB sorts the table for a key behind it.
        let is_total = is_named && field.is_some_and(|field| field.unique);
        let pk = (!is_total).then(|| "pk".to_owned());
        name.into_iter().chain(pk).collect()
    }

    fn holders<'a>(&'a self, asked: &'a AskedHolders<'a>) -> Made<'a, HolderPage> {
        Box::pin(self.found(asked, BOUNDS))
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
