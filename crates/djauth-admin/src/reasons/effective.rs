//! What one user may do.

use std::collections::{BTreeSet, HashMap};

use djauth::{Auth, BackendPermissions, BaseUser, Error};

use super::{Answered, Effective, Named, Reason, Why, named};

pub(super) async fn effective<U: BaseUser>(
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
            is_known: known.iter().any(|known| known.perm() == perm) || reader.is_listed(perm),
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
        self.is_almighty || self.is_listed(perm)
    }

    fn is_listed(&self, perm: &str) -> bool {
        let mut backends = self.backends.iter();
        backends.any(|backend| backend.permissions.contains(perm))
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
        let mut names = BTreeSet::new();
        // Of two rows of one name the first stands for both.
        let each = known.iter().filter(|known| names.insert(known.perm()));
        let rows = each.filter(|known| self.is_held(&known.perm()));
        held.extend(rows.cloned());
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
