//! Holders of a permission that many have, looked for among all users in their order.
//!
//! A window of users is read, and then is asked which of them have the permission: statements that read as
//! many rows as the window has, whatever the database makes of them. One statement with `EXISTS` does the same
//! as long as the holders stand close together; MariaDB makes several seconds of it at a million users.

use djauth::{BaseUser, Error};

use super::holding::{Bounds, on_page};
use super::{AskedHolders, Held, HolderPage, Reasons as _, Walked};
use crate::beyond::Users;
use crate::listed::started;
use crate::model::{ListQuery, Object, Start};

/// How far the search for one page has come.
struct Walk<U> {
    bounds: Bounds,
    /// From where it goes on.
    query: ListQuery,
    found: Vec<U>,
    looked: usize,
    /// Who was looked at last.
    last: Option<Object>,
    is_turned: bool,
    is_over: bool,
}

impl<U: BaseUser> Walk<U> {
    fn new(query: ListQuery, bounds: Bounds) -> Self {
        Self {
            bounds,
            is_turned: matches!(query.start, Start::Before(_)),
            query,
            found: Vec::new(),
            looked: 0,
            last: None,
            is_over: false,
        }
    }

    /// One more than fits on the page: then others follow.
    fn is_full(&self) -> bool {
        self.found.len() as u64 > self.query.size
    }

    fn goes_on(&self) -> bool {
        !self.is_over && !self.is_full() && self.looked < self.bounds.walked
    }

    fn window(&self) -> usize {
        match self.looked {
            0 => self.bounds.first_window,
            _ => self.bounds.window,
        }
    }
}

impl<U: BaseUser> Users<U> {
    /// A page from where the last one ended. If too few are found it ends before it is full, and the next
    /// one goes on.
    pub(super) async fn walked(
        &self,
        asked: &AskedHolders<'_>,
        ids: &[i32],
        bounds: Bounds,
    ) -> Result<HolderPage, Error> {
        let mut walk = Walk::new(self.query(asked, bounds), bounds);
        while walk.goes_on() {
            self.look(&mut walk, asked, ids).await?;
        }
        let (is_full, is_turned) = (walk.is_full(), walk.is_turned);
        let goes_on = is_full || !walk.is_over;
        let walked = walk.last.map(|last| Walked {
            last,
            looked: walk.looked,
            is_early: !is_full && !walk.is_over,
        });
        let rows = on_page(walk.found, &walk.query, is_turned);
        Ok(HolderPage {
            rows: self.with_reasons(rows, ids).await?,
            held: match asked.is_active {
                None => Held::MoreThan(bounds.sorted),
                Some(_) => Held::MoreOfAnyActivity(bounds.sorted),
            },
            is_preceded: match is_turned {
                true => goes_on,
                false => !matches!(asked.start, Start::First),
            },
            is_followed: is_turned || goes_on,
            walked,
        })
    }

    /// One window.
    async fn look(
        &self,
        walk: &mut Walk<U>,
        asked: &AskedHolders<'_>,
        ids: &[i32],
    ) -> Result<(), Error> {
        let window = walk.window();
        let (users, _) = started(self.auth.users().all(), &walk.query);
        let mut users = users.limit(window as u64 + 1).collected().await?;
        // One more tells whether anybody follows, so that no page is without anybody to look at.
        walk.is_over = users.len() <= window;
        users.truncate(window);
        walk.looked += users.len();
        if let Some(last) = users.last().map(|user| self.object(user)) {
            walk.query.start = self.next_to(&last, walk.is_turned);
            walk.last = Some(last);
        }
        walk.found.extend(self.holding(users, asked, ids).await?);
        Ok(())
    }

    /// Those of some users who are asked for. Activity is no condition of the window's statement, which would
    /// go through the whole table where nobody is as active as that.
    async fn holding(
        &self,
        mut users: Vec<U>,
        asked: &AskedHolders<'_>,
        ids: &[i32],
    ) -> Result<Vec<U>, Error> {
        users.retain(|user| {
            asked
                .is_active
                .is_none_or(|active| user.is_active() == active)
        });
        let keys: Vec<U::Id> = users.iter().map(BaseUser::id).collect();
        let held = self.auth.users().holders_among(ids, &keys).await?;
        users.retain(|user| held.contains(&user.id()) || asked.superusers && user.is_superuser());
        Ok(users)
    }

    /// What comes after somebody in the order of the list, or before them.
    pub(super) fn next_to(&self, user: &Object, is_turned: bool) -> Start {
        let pk = &self.auth.user_meta().pk;
        let value = |name: &String| {
            let name = if name == "pk" { pk } else { name };
            user.values.get(name).cloned()
        };
        let values = self.holders_order().iter().filter_map(value).collect();
        match is_turned {
            true => Start::Before(values),
            false => Start::After(values),
        }
    }
}

impl HolderPage {
    /// Before whom the page before this one begins, and after whom the next one: a row of this page, or who
    /// was looked at last, where the search ended early and where it found nobody.
    pub(crate) fn ends(&self, start: &Start) -> (Option<&Object>, Option<&Object>) {
        let first = self.rows.first().map(|row| &row.user);
        let last = self.rows.last().map(|row| &row.user);
        let looked = self.walked.as_ref().map(|walked| &walked.last);
        let early = self.early().map(|walked| &walked.last);
        match start {
            Start::Before(_) => (early.or(first), last.or(looked)),
            _ => (first.or(looked), early.or(last)),
        }
    }

    /// The search, if it ended before the page was full and others may follow.
    pub(crate) fn early(&self) -> Option<&Walked> {
        self.walked.as_ref().filter(|walked| walked.is_early)
    }
}
