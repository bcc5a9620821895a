//! The path of an authenticated request: session key → session, user and permissions.
//!
//! The user's key is remembered for each session key (a *hint*), so that one statement can read the
//! session, that user and the answers to the asked permissions. The answer is believed only if the
//! decoded, signed session names that very user; a wrong or missing hint costs one more statement and
//! nothing else. What that statement said is kept, and used again when a proof says that nothing has
//! changed; `request_path/cache/README.md` argues why that is right. Backends that are not rows of the
//! database, and session engines other than `db`, take the steps one by one.

mod answers;
mod cache;
mod claimed;
mod entry;
mod hints;
mod inline;
mod statement;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use djauth_sessions::{Session, SessionData};

pub(crate) use answers::Names;
pub use cache::AuthCacheStats;
use cache::Versions;
use claimed::Claimed;
use entry::Asking;
pub(crate) use entry::{UserCache, user_cache};
pub(crate) use hints::Hints;
pub(crate) use statement::Statements;

use crate::auth::{Claim, Found, HashState};
use crate::backends::DynBackend;
use crate::base_user::BaseUser;
use crate::db::{Executor, Field, Row, Value};
use crate::management::cache::subject_of;
use crate::models::split_perm;
use crate::{Auth, Error, db};

/// What [`Auth::verify`] found.
#[derive(Clone, Debug)]
pub struct Verdict<U> {
    /// Who is logged in.
    pub user: U,
    /// Whether that user has every permission asked for.
    pub permitted: bool,
}

/// Whether every answer was a yes, where the statement gave answers.
pub(crate) type Answers = Option<bool>;

impl<U: BaseUser> Auth<U> {
    /// Who a session belongs to, and whether that user has every one of these permissions. Only reads:
    /// the session is neither renewed (a hash made with a fallback key counts) nor deleted.
    ///
    /// # Errors
    /// The session store, the database or a backend failed: nothing is known.
    pub async fn verify(
        &self,
        session: &Session,
        perms: &[&str],
    ) -> Result<Option<Verdict<U>>, Error> {
        let verdict = self.verify_shared(session, perms).await?;
        Ok(verdict.map(|Verdict { user, permitted }| Verdict {
            user: Arc::unwrap_or_clone(user),
            permitted,
        }))
    }

    /// [`Auth::verify`], with a user that others may be shown at the same time: ask it for no permission,
    /// because it would remember the answer.
    pub(crate) async fn verify_shared(
        &self,
        session: &Session,
        perms: &[&str],
    ) -> Result<Option<Verdict<Arc<U>>>, Error> {
        let Some((found, answers)) = self.find_user(session, perms).await? else {
            return Ok(None);
        };
        if found.hash == HashState::Wrong {
            return Ok(None);
        }
        let user = found.user;
        let permitted = self.permitted(&user, perms, answers).await?;
        Ok(Some(Verdict { user, permitted }))
    }

    /// [`Auth::get_user`], and whether the user has every one of these permissions, in one statement
    /// where that is possible.
    ///
    /// # Errors
    /// As [`Auth::get_user`].
    pub async fn get_user_with_perms(
        &self,
        session: &Session,
        perms: &[&str],
    ) -> Result<Option<Verdict<U>>, Error> {
        let (found, answers) = match self.find_user(session, perms).await? {
            Some((found, answers)) => (Some(found), answers),
            None => (None, None),
        };
        let Some(user) = self.settle(session, found).await? else {
            return Ok(None);
        };
        let permitted = self.permitted(&user, perms, answers).await?;
        let user = Arc::unwrap_or_clone(user);
        Ok(Some(Verdict { user, permitted }))
    }

    /// How the cache of authenticated requests does; `None` if it is off.
    #[must_use]
    pub fn auth_cache_stats(&self) -> Option<AuthCacheStats> {
        self.cache().map(UserCache::stats)
    }

    async fn permitted(&self, user: &U, perms: &[&str], answers: Answers) -> Result<bool, Error> {
        match answers {
            _ if perms.is_empty() || user.is_active() && user.is_superuser() => Ok(true),
            Some(all) => Ok(all && user.is_active()),
            None => Box::pin(self.has_perms(&user.clone(), perms, None)).await,
        }
    }

    /// The user whom the session names, with the answers to `perms` where they came along.
    pub(crate) async fn find_user(
        &self,
        session: &Session,
        perms: &[&str],
    ) -> Result<Option<(Found<U>, Answers)>, Error> {
        let asking = Asking::new(self, session, perms);
        if let Some(asking) = &asking {
            match asking.answer().await? {
                Reply::Nobody => return Ok(None),
                Reply::Found(found, answers) | Reply::Kept(found, answers, _) => {
                    return Ok(Some((found, answers)));
                }
                Reply::NotTried => {}
            }
        }
        // Boxed, because it is large and seldom needed: whoever holds this future moves it about.
        Box::pin(self.find_by_claim(session, perms, asking.is_some())).await
    }

    /// The session is read by itself, or has been.
    async fn find_by_claim(
        &self,
        session: &Session,
        perms: &[&str],
        asked: bool,
    ) -> Result<Option<(Found<U>, Answers)>, Error> {
        let Some(claim) = session.read(Claim::of).await? else {
            return Ok(None);
        };
        let found = match (asked, self.cache()) {
            // Its session comes from elsewhere each time; the user need not.
            (false, Some(cache)) => cache.ask(&Claimed::new(self, &claim, perms)).await?,
            _ => self.in_two_steps(&claim, perms, false).await?.found(),
        };
        if let (Some((found, _)), Some(key)) = (&found, session.shared_key())
            && found.hash != HashState::Wrong
        {
            self.hints().remember(&key, claim.id);
            self.session_seen(&key, self.now());
        }
        Ok(found)
    }

    fn believed(
        &self,
        user: U,
        claim: &Claim<U::Id>,
        perms: &[&str],
        answers: &[bool],
    ) -> Reply<U> {
        let backend = self.backends().by_path(&claim.backend);
        match backend.map(DynBackend::row_rule) {
            None => Reply::Nobody,
            // The backend has a say of its own.
            Some(None) => Reply::NotTried,
            Some(Some(rule)) if rule.allows(&user) => {
                let answered = answers.len() == perms.len();
                let answers = answered.then(|| answers.iter().all(|&answer| answer));
                Reply::Found(self.judged(user, claim), answers)
            }
            Some(Some(_)) => Reply::Nobody,
        }
    }

    /// The session is known: the user with the answers, or what the backend says.
    async fn in_two_steps(
        &self,
        claim: &Claim<U::Id>,
        perms: &[&str],
        token: bool,
    ) -> Result<Steps<U>, Error> {
        let asked = self.asked(perms);
        let backend = self.backends().by_path(&claim.backend);
        let Some(Some(rule)) = backend.map(DynBackend::row_rule) else {
            let found = self.claimed_user(claim).await?;
            return Ok(Steps::Asked(found));
        };
        let count = asked.len() / 2;
        let statements = &self.hints().statements;
        let sql = statements.without_session(count, self.db().dialect(), token);
        let mut params = self.answer_params(&asked, &claim.id);
        if token {
            params.push(subject_of(&claim.id.to_value()).into());
        }
        params.push(claim.id.to_value());
        let read = |row: &Row<'_>| {
            let user = self.model().users.read(row, count)?;
            let answers = answers_of(row, 0, count)?;
            Ok((user, answers, texts(row, count), versions_of(row, token)?))
        };
        let row = self.db().fetch_optional(sql, &params, read).await?;
        let row = row.filter(|(user, ..)| rule.allows(user));
        Ok(match row {
            Some((user, answers, bytes, versions)) => {
                let answered = answers.len() == perms.len();
                let answers = answered.then_some(answers);
                Steps::Read(self.judged(user, claim), answers, bytes, versions)
            }
            None => Steps::Asked(None),
        })
    }

    /// Application and codename of each permission in turn, where the database can answer for all of
    /// them: every backend is rows, and every name has one dot and nothing that cannot be stored.
    fn asked<'p>(&self, perms: &[&'p str]) -> Vec<&'p str> {
        let possible = perms.len() <= Statements::MOST_PERMS
            && self.model().links.is_some()
            && self.backends().all_rows();
        if !possible {
            return Vec::new();
        }
        let split = |perm: &&'p str| split_perm(perm).filter(|_| !perm.contains('\0'));
        let pairs: Option<Vec<_>> = perms.iter().map(split).collect();
        let pairs = pairs.unwrap_or_default();
        pairs
            .into_iter()
            .flat_map(|(app_label, codename)| [app_label, codename])
            .collect()
    }

    /// The parameters of the answers, in the statement's order.
    fn answer_params<'p>(&self, asked: &[&'p str], id: &'p U::Id) -> Vec<Value<'p>> {
        let mysql = self.db().dialect() == db::Dialect::Mysql;
        let mut params = Vec::with_capacity(asked.len() * 5);
        for pair in asked.chunks(2) {
            // Once for the direct link, once for the groups.
            for _ in 0..2 {
                params.push(id.to_value());
                params.extend(pair.iter().map(|&text| Value::from(text)));
                if mysql {
                    params.extend(pair.iter().map(|&text| Value::from(text)));
                }
            }
        }
        params
    }

    fn joined(
        &self,
        row: &Row<'_>,
        count: usize,
        weigh: bool,
        token: bool,
    ) -> db::Result<Joined<U>> {
        let (answers, first) = (answers_of(row, 2, count)?, 2 + count);
        let model = &self.model().users;
        let exists = row.get::<Option<U::Id>>(first + model.key)?.is_some();
        Ok(Joined {
            session_data: row.text(0)?,
            expires: row.get(1).ok(),
            answers,
            user: exists.then(|| model.read(row, first)).transpose()?,
            row_bytes: if weigh { texts(row, first) } else { 0 },
            versions: versions_of(row, token)?,
        })
    }
}

fn answers_of(row: &Row<'_>, from: usize, count: usize) -> db::Result<Vec<bool>> {
    (from..from + count).map(|index| row.get(index)).collect()
}

/// The columns of the token, at the end.
fn versions_of(row: &Row<'_>, token: bool) -> db::Result<Option<Versions>> {
    match token {
        true => Versions::read(row, row.len() - 3),
        false => Ok(None),
    }
}

/// About what the texts from this column on take in memory.
fn texts(row: &Row<'_>, from: usize) -> usize {
    let of = |index| match row.value(index) {
        Ok(Value::Text(text)) => text.len() + 16,
        Ok(Value::Bytes(bytes)) => bytes.len() + 16,
        _ => 0,
    };
    (from..row.len()).map(of).sum()
}

/// A row of the one statement.
struct Joined<U> {
    session_data: String,
    /// None: it is no time, and what is read is not kept.
    expires: Option<DateTime<Utc>>,
    answers: Vec<bool>,
    user: Option<U>,
    row_bytes: usize,
    /// Where the statement brought them along.
    versions: Option<Versions>,
}

/// Who a claim leads to.
enum Steps<U> {
    /// By the backend, or nobody.
    Asked(Option<Found<U>>),
    /// By a row, with the answers if it could give them, and about what its texts take.
    Read(Found<U>, Option<Vec<bool>>, usize, Option<Versions>),
}

impl<U> Steps<U> {
    fn found(self) -> Option<(Found<U>, Answers)> {
        match self {
            Self::Asked(found) => found.map(|found| (found, None)),
            Self::Read(found, answers, ..) => {
                let all = answers.map(|answers| answers.into_iter().all(|answer| answer));
                Some((found, all))
            }
        }
    }
}

enum Reply<U> {
    /// There is no hint, or it was wrong: take the steps one by one.
    NotTried,
    /// The session belongs to nobody.
    Nobody,
    Found(Found<U>, Answers),
    /// By an entry, whose data the session has not yet been given.
    Kept(Found<U>, Answers, Arc<SessionData>),
}
