//! What the cache holds of a session, and how a request is answered by it or by the one statement.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use chrono::{DateTime, Utc};
use djauth_sessions::{EngineKind, Session, SessionData};
use djauth_signing::Clock;

use super::cache::{
    Mark, Outcome, Proofs, Question, Read, RequestCache, SessionText, Source, Token, Versions,
};
use super::{Answers, Auth, Joined, Reply};
use crate::auth::{Claim, Found, HashState};
use crate::base_user::{BaseUser, UserMeta};
use crate::db::{Database, Dialect, Executor, Field, Value};
use crate::management::CacheTriggers;
use crate::management::cache::subject_of;
use crate::settings::Settings;
use crate::usersessions::slot;
use crate::{Error, ErrorKind};

/// The cache of sessions with their users.
pub(crate) type UserCache<U> = RequestCache<Proofs, Entry<U>>;

/// `None`: it is off.
pub(crate) fn user_cache<U: BaseUser>(
    meta: &UserMeta,
    settings: &Settings,
    db: &Database,
    clock: &Arc<dyn Clock>,
) -> Option<UserCache<U>> {
    let bytes = settings.auth_cache_max_bytes;
    let staleness = settings.auth_cache_staleness;
    (bytes > 0).then(|| {
        let triggers = CacheTriggers::of::<U>(meta, db.dialect());
        RequestCache::new(Proofs::new(db, clock, triggers), bytes, staleness)
    })
}

/// A user who may be logged in, with the session if it is a row.
pub(crate) struct Entry<U> {
    pub(super) found: Found<U>,
    /// What the session holds, and until when.
    pub(super) session: Option<(Arc<SessionData>, DateTime<Utc>)>,
    /// The permissions that were asked for so far, the latest first.
    pub(super) answers: Vec<(Box<str>, bool)>,
    /// What the row's texts take.
    pub(super) row_bytes: usize,
    /// When it was last noted that the session was seen.
    pub(super) seen: AtomicU32,
}

/// Answers that one entry keeps.
const MOST_ANSWERS: usize = 16;

impl<U: BaseUser> Entry<U> {
    fn answer(&self, perm: &str) -> Option<bool> {
        let mut answers = self.answers.iter();
        answers
            .find(|(asked, _)| **asked == *perm)
            .map(|(_, answer)| *answer)
    }

    /// Whether every one of these is a yes; `None` where that takes a statement, and `Some(None)` where
    /// it is for the backends to say.
    pub(super) fn answers(&self, auth: &Auth<U>, perms: &[&str]) -> Option<Answers> {
        let user = &*self.found.user;
        if user.is_active() && user.is_superuser() {
            return Some(Some(true));
        }
        let mut all = true;
        for perm in perms {
            match self.answer(perm) {
                Some(answer) => all &= answer,
                None => return auth.asked(perms).is_empty().then_some(None),
            }
        }
        Some(Some(all))
    }

    pub(super) fn take_answers(&mut self, old: &Self) {
        for (perm, answer) in &old.answers {
            if self.answers.len() >= MOST_ANSWERS {
                break;
            }
            if self.answer(perm).is_none() {
                self.answers.push((perm.clone(), *answer));
            }
        }
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let answers = self.answers.iter().map(|(perm, _)| 32 + perm.len());
        let session = self.session.as_ref().map_or(0, |(data, _)| data.memory());
        size_of::<U>() + self.row_bytes + session + answers.sum::<usize>()
    }
}

/// The answers with the permissions that they are about.
pub(super) fn named(perms: &[&str], answers: Vec<bool>) -> Vec<(Box<str>, bool)> {
    let perms = perms.iter().map(|&perm| perm.into());
    perms.zip(answers).collect()
}

/// Who a session of the engine `db` belongs to, and whether that user has these permissions.
pub(super) struct Asking<'a, U: BaseUser> {
    auth: &'a Auth<U>,
    session: &'a Session,
    key: Arc<str>,
    perms: &'a [&'a str],
}

impl<'a, U: BaseUser> Asking<'a, U> {
    /// `None`: the session must come from its engine, or has.
    pub(super) fn new(
        auth: &'a Auth<U>,
        session: &'a Session,
        perms: &'a [&'a str],
    ) -> Option<Self> {
        let kind = session.engine().kind();
        if kind != EngineKind::Db || session.is_loaded() {
            return None;
        }
        let key = session.shared_key().filter(|key| kind.is_valid_key(key))?;
        Some(Self {
            auth,
            session,
            key,
            perms,
        })
    }

    /// Session, hinted user and answers together.
    async fn joined(&self, id: &U::Id, mark: Option<&Mark>) -> Result<Option<Joined<U>>, Error> {
        let token = self.auth.with_token(mark);
        match self.row(id, mark, token).await {
            Err(error) if token && self.auth.lost_token(&error) => self.row(id, None, false).await,
            joined => joined,
        }
    }

    async fn row(
        &self,
        id: &U::Id,
        mark: Option<&Mark>,
        token: bool,
    ) -> Result<Option<Joined<U>>, Error> {
        let auth = self.auth;
        let asked = auth.asked(self.perms);
        let answers = asked.len() / 2;
        let statements = &auth.hints().statements;
        let sql = statements.with_session(answers, auth.db().dialect(), token);
        let mut params = auth.answer_params(&asked, id);
        if token {
            params.push(subject_of(&id.to_value()).into());
        }
        params.push(id.to_value());
        params.push((&*self.key).into());
        if auth.db().dialect() == Dialect::Mysql {
            params.push((&*self.key).into());
        }
        params.push(Value::Timestamp(auth.now()));
        let weigh = mark.is_some();
        let read = auth
            .db()
            .fetch_optional(sql, &params, |row| auth.joined(row, answers, weigh, token));
        Ok(read.await?)
    }

    /// What the row means, and what may be kept of it.
    fn judge(&self, joined: Joined<U>, mark: Option<Mark>) -> Judged<U> {
        let auth = self.auth;
        let config = self.session.engine().config();
        let data = Arc::new(config.decode(&joined.session_data));
        let claim = Claim::of(&data);
        if !self.session.provide_shared(&self.key, Some(data.clone())) {
            return (Reply::NotTried, Outcome::Leave);
        }
        let Some(claim) = claim else {
            return (Reply::Nobody, Outcome::Forget);
        };
        let Some(user) = joined.user.filter(|user| user.id() == claim.id) else {
            // The session names somebody else, or the user is gone.
            return (Reply::NotTried, Outcome::Forget);
        };
        let reply = auth.believed(user, &claim, self.perms, &joined.answers);
        if let Reply::Found(Found { hash, .. }, _) = &reply
            && *hash != HashState::Wrong
        {
            auth.session_seen(&self.key, auth.now());
        }
        let entry = match (&reply, joined.expires, mark) {
            (Reply::Found(found, _), Some(expires), Some(mark)) => {
                // The token of a server holds the text as it is.
                let text = match mark {
                    Mark::Server(_) => joined.session_data.len(),
                    Mark::Sqlite(_) => 0,
                };
                let entry = Entry {
                    found: found.clone(),
                    session: Some((data, expires)),
                    answers: named(self.perms, joined.answers),
                    row_bytes: joined.row_bytes + text,
                    seen: AtomicU32::new(slot(auth.now())),
                };
                let session = SessionText {
                    key: self.key.clone(),
                    data: joined.session_data,
                };
                keep(entry, mark, joined.versions, Some(session))
            }
            _ => Outcome::Forget,
        };
        (reply, entry)
    }

    /// The answer, once it is known to be right: the session takes its data.
    pub(super) async fn answer(&self) -> Result<Reply<U>, Error> {
        let Some(cache) = self.auth.cache() else {
            // Boxed, because it is large and there mostly is a cache.
            return Ok(Box::pin(self.read(None)).await?.answer);
        };
        Ok(match cache.ask(self).await? {
            Reply::Kept(found, answers, data) => {
                if self.session.provide_shared(&self.key, Some(data)) {
                    Reply::Found(found, answers)
                } else {
                    Reply::NotTried
                }
            }
            reply => reply,
        })
    }
}

impl<U: BaseUser> Auth<U> {
    /// Whether the statement brings the columns of the token along.
    pub(super) fn with_token(&self, mark: Option<&Mark>) -> bool {
        matches!(mark, Some(Mark::Server(_)))
    }

    /// Whether a statement failed because the columns of the token are not there any more.
    pub(super) fn lost_token(&self, error: &Error) -> bool {
        let lost = matches!(error.kind(), ErrorKind::Schema | ErrorKind::Denied);
        if let (true, Some(cache)) = (lost, self.cache()) {
            cache.source().lost();
        }
        lost
    }
}

type Judged<U> = (Reply<U>, Outcome<Token, Entry<U>>);

/// Kept under the mark, unless the session was made with another password.
pub(super) fn keep<U: BaseUser>(
    entry: Entry<U>,
    mark: Mark,
    versions: Option<Versions>,
    session: Option<SessionText>,
) -> Outcome<Token, Entry<U>> {
    if entry.found.hash == HashState::Wrong {
        return Outcome::Forget;
    }
    match mark {
        Mark::Sqlite(epoch) => Outcome::Keep(Token::Sqlite(epoch), entry),
        Mark::Server(mark) => {
            let subject = subject_of(&entry.found.user.id().to_value());
            match subject.and_then(|subject| mark.token(session, subject, versions)) {
                Some(token) => Outcome::Keep(Token::Server(Arc::new(token)), entry),
                None => Outcome::Forget,
            }
        }
    }
}

impl<U: BaseUser> Question<Proofs> for Asking<'_, U> {
    type Value = Entry<U>;
    type Answer = Reply<U>;

    fn key(&self) -> &Arc<str> {
        &self.key
    }

    fn by(&self, entry: &Entry<U>) -> Option<Reply<U>> {
        let (data, expires) = entry.session.as_ref()?;
        let now = self.auth.now();
        if *expires <= now {
            return None;
        }
        let answers = entry.answers(self.auth, self.perms)?;
        self.auth.seen_again(&entry.seen, &self.key, now);
        Some(Reply::Kept(entry.found.clone(), answers, data.clone()))
    }

    async fn read(
        &self,
        mark: Option<<Proofs as Source>::Mark>,
    ) -> Result<Read<Reply<U>, Token, Entry<U>>, Error> {
        let Some(hint) = self.auth.hints().get(&self.key) else {
            let (answer, entry) = (Reply::NotTried, Outcome::Leave);
            return Ok(Read { answer, entry });
        };
        let (answer, entry) = match self.joined(&hint, mark.as_ref()).await? {
            Some(joined) => self.judge(joined, mark),
            None => {
                self.auth.hints().forget(&self.key);
                let known = self.session.provide(&self.key, None);
                let answer = if known {
                    Reply::Nobody
                } else {
                    Reply::NotTried
                };
                (answer, Outcome::Forget)
            }
        };
        Ok(Read { answer, entry })
    }

    fn merge(&self, new: &mut Entry<U>, old: &Entry<U>) {
        new.take_answers(old);
    }

    fn weight(&self, entry: &Entry<U>) -> usize {
        entry.weight()
    }
}
