//! The path of an authenticated request: session key → session, user and permissions.
//!
//! The user's key is remembered for each session key (a *hint*), so that one statement can read the
//! session, that user and the answers to the asked permissions. The answer is believed only if the
//! decoded, signed session names that very user; a wrong or missing hint costs one more statement and
//! nothing else. Backends that are not rows of the database, and session engines other than `db`, take
//! the steps one by one.

mod hints;
mod statement;

use djauth_sessions::{EngineKind, Session};

pub(crate) use hints::Hints;
pub(crate) use statement::Statements;

use crate::auth::{Claim, Found, HashState};
use crate::backends::DynBackend;
use crate::base_user::BaseUser;
use crate::db::{Executor, Field, Row, Value};
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

/// Answers to the asked permissions, where the statement gave them.
pub(crate) type Answers = Option<Vec<bool>>;

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
        Ok(Some(Verdict { user, permitted }))
    }

    async fn permitted(&self, user: &U, perms: &[&str], answers: Answers) -> Result<bool, Error> {
        match answers {
            _ if perms.is_empty() || user.is_active() && user.is_superuser() => Ok(true),
            Some(answers) => Ok(user.is_active() && answers.into_iter().all(|answer| answer)),
            None => self.has_perms(user, perms, None).await,
        }
    }

    /// The user whom the session names, with the answers to `perms` where they came along.
    pub(crate) async fn find_user(
        &self,
        session: &Session,
        perms: &[&str],
    ) -> Result<Option<(Found<U>, Answers)>, Error> {
        match self.in_one_statement(session, perms).await? {
            Read::Nobody => return Ok(None),
            Read::Found(found, answers) => return Ok(Some((found, answers))),
            Read::NotTried => {}
        }
        let Some(claim) = session.read(Claim::of).await? else {
            return Ok(None);
        };
        let found = self.in_two_steps(&claim, perms).await?;
        if let (Some((found, _)), Some(key)) = (&found, session.session_key())
            && found.hash != HashState::Wrong
        {
            self.hints().remember(&key, claim.id);
        }
        Ok(found)
    }

    /// Session, hinted user and answers together.
    async fn in_one_statement(&self, session: &Session, perms: &[&str]) -> Result<Read<U>, Error> {
        let Some((key, hint)) = self.hinted(session) else {
            return Ok(Read::NotTried);
        };
        let asked = self.asked(perms);
        let sql = self
            .hints()
            .statements
            .with_session(asked.len() / 2, self.db().dialect());
        let mut params = self.answer_params(&asked, &hint);
        params.push(hint.to_value());
        params.push(key.as_str().into());
        params.push(Value::Timestamp(self.now()));
        let answers = asked.len() / 2;
        let row = self
            .db()
            .fetch_optional(sql, &params, |row| self.joined(row, answers))
            .await?;
        let Some((session_data, user, answers)) = row else {
            self.hints().forget(&key);
            let known = session.provide(&key, None);
            return Ok(if known { Read::Nobody } else { Read::NotTried });
        };
        let data = session.engine().config().decode(&session_data);
        let claim = Claim::of(&data);
        if !session.provide(&key, Some(data)) {
            return Ok(Read::NotTried);
        }
        let Some(claim) = claim else {
            return Ok(Read::Nobody);
        };
        match user {
            Some(user) if user.id() == claim.id => Ok(self.believed(user, &claim, perms, answers)),
            // The session names somebody else, or the user is gone.
            _ => Ok(Read::NotTried),
        }
    }

    fn believed(
        &self,
        user: U,
        claim: &Claim<U::Id>,
        perms: &[&str],
        answers: Vec<bool>,
    ) -> Read<U> {
        let backend = self.backends().by_path(&claim.backend);
        match backend.map(DynBackend::row_rule) {
            None => Read::Nobody,
            // The backend has a say of its own.
            Some(None) => Read::NotTried,
            Some(Some(rule)) if rule.allows(&user) => {
                let answers = (answers.len() == perms.len()).then_some(answers);
                Read::Found(self.judged(user, claim), answers)
            }
            Some(Some(_)) => Read::Nobody,
        }
    }

    /// The session is known: the user with the answers, or what the backend says.
    async fn in_two_steps(
        &self,
        claim: &Claim<U::Id>,
        perms: &[&str],
    ) -> Result<Option<(Found<U>, Answers)>, Error> {
        let asked = self.asked(perms);
        let rule = self
            .backends()
            .by_path(&claim.backend)
            .map(DynBackend::row_rule);
        let (Some(Some(rule)), false) = (rule, asked.is_empty()) else {
            let found = self.claimed_user(claim).await?;
            return Ok(found.map(|found| (found, None)));
        };
        let count = asked.len() / 2;
        let sql = self
            .hints()
            .statements
            .without_session(count, self.db().dialect());
        let mut params = self.answer_params(&asked, &claim.id);
        params.push(claim.id.to_value());
        let read = |row: &Row<'_>| {
            let user = self.model().users.read(row, count)?;
            Ok((user, answers_of(row, 0, count)?))
        };
        let row = self.db().fetch_optional(sql, &params, read).await?;
        let row = row.filter(|(user, _)| rule.allows(user));
        Ok(row.map(|(user, answers)| (self.judged(user, claim), Some(answers))))
    }

    /// The key and the hint, where one statement can do.
    fn hinted(&self, session: &Session) -> Option<(String, U::Id)> {
        let kind = session.engine().kind();
        if kind != EngineKind::Db || session.is_loaded() {
            return None;
        }
        let key = session.session_key().filter(|key| kind.is_valid_key(key))?;
        let hint = self.hints().get(&key)?;
        Some((key, hint))
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

    fn joined(&self, row: &Row<'_>, count: usize) -> db::Result<(String, Option<U>, Vec<bool>)> {
        let session_data = row.text(0)?;
        let answers = answers_of(row, 1, count)?;
        let first = 1 + count;
        let model = &self.model().users;
        let exists = row.get::<Option<U::Id>>(first + model.key)?.is_some();
        let user = exists.then(|| model.read(row, first)).transpose()?;
        Ok((session_data, user, answers))
    }
}

fn answers_of(row: &Row<'_>, from: usize, count: usize) -> db::Result<Vec<bool>> {
    (from..from + count).map(|index| row.get(index)).collect()
}

enum Read<U> {
    /// There is no hint, or it was wrong: take the steps one by one.
    NotTried,
    /// The session belongs to nobody.
    Nobody,
    Found(Found<U>, Answers),
}
