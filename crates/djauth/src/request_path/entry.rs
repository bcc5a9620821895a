//! What the cache holds of a session, and how a request is answered by it or by the one statement.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use chrono::{DateTime, Utc};
use djauth_sessions::{EngineKind, Session, SessionData};
use djauth_signing::Clock;

use super::answers::KnownAnswers;
use super::cache::{
    Mark, Outcome, Proofs, Question, Read, RequestCache, SessionText, Source, Token, Versions,
};
use super::inline::Inline;
use super::{Answers, Auth, Joined, Reply};
use crate::auth::{Claim, Found, HashState};
use crate::base_user::{BaseUser, UserMeta};
use crate::db::{Database, Dialect, Executor, Field, Value};
use crate::forward_auth::told_name;
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
    found: Found<U>,
    flags: Flags,
    /// What the session holds, and until when.
    session: Option<(Arc<SessionData>, DateTime<Utc>)>,
    /// The permissions that were asked for so far.
    answers: KnownAnswers,
    /// The user's name as a guarded application is told it; `None` where it is not told.
    told: Option<Inline>,
    /// What the row's texts take.
    row_bytes: usize,
    /// When it was last noted that the session was seen.
    seen: AtomicU32,
}

/// The user's, where no further memory has to be fetched for them.
#[derive(Clone, Copy)]
struct Flags {
    active: bool,
    superuser: bool,
}

impl<U: BaseUser> Entry<U> {
    pub(super) fn new(
        found: Found<U>,
        session: Option<(Arc<SessionData>, DateTime<Utc>)>,
        answers: KnownAnswers,
        row_bytes: usize,
    ) -> Self {
        let flags = Flags {
            active: found.user.is_active(),
            superuser: found.user.is_superuser(),
        };
        Self {
            told: told_name(&*found.user).map(|name| name.as_str().into()),
            found,
            flags,
            session,
            answers,
            row_bytes,
            seen: AtomicU32::default(),
        }
    }

    /// It was noted then that the session was seen.
    fn seen_at(mut self, now: DateTime<Utc>) -> Self {
        self.seen = AtomicU32::new(slot(now));
        self
    }

    /// Whether every one of these is a yes; `None` where that takes a statement, and `Some(None)` where
    /// it is for the backends to say.
    pub(super) fn answers(&self, auth: &Auth<U>, perms: &[&str]) -> Option<Answers> {
        if self.flags.active && self.flags.superuser {
            return Some(Some(true));
        }
        let mut all = true;
        for perm in perms {
            match self.answers.of(perm) {
                Some(answer) => all &= answer,
                None => return auth.asked(perms).is_empty().then_some(None),
            }
        }
        Some(Some(all))
    }

    /// A user who may be logged in with a session that has not ended, and has the permission by an answer of the
    /// database: the name that is told.
    fn passes(&self, now: DateTime<Utc>, perm: &str) -> Option<&[u8]> {
        let (_, expires) = self.session.as_ref()?;
        let Flags { active, superuser } = self.flags;
        let permitted = active && (superuser || self.answers.of(perm) == Some(true));
        (*expires > now && permitted).then_some(self.told.as_deref()?)
    }

    pub(super) fn take_answers(&mut self, old: &Self) {
        self.answers.take(&old.answers);
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let session = self.session.as_ref().map_or(0, |(data, _)| data.memory());
        let told = self.told.as_ref().map_or(0, Inline::memory);
        size_of::<U>() + self.row_bytes + session + told + self.answers.memory()
    }

    pub(super) fn found(&self) -> Found<U> {
        self.found.clone()
    }
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
                let answers = auth.hints().names.named(self.perms, joined.answers);
                let (session, row_bytes) = (Some((data, expires)), joined.row_bytes + text);
                let entry = Entry::new(found.clone(), session, answers, row_bytes);
                let entry = entry.seen_at(auth.now());
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
    /// Who is logged in with this session key and has this permission, as a guarded application is told the name, if
    /// that can be said at once: without a proof, by an entry within the bound. `None` says nothing.
    pub(crate) fn glance<R>(
        &self,
        session_key: &str,
        perm: &str,
        told: impl FnOnce(&[u8]) -> R,
    ) -> Option<R> {
        let (kind, cache) = (self.sessions().kind(), self.cache()?);
        if kind != EngineKind::Db || !kind.is_valid_key(session_key) {
            return None;
        }
        cache.glance(session_key, |entry| {
            let now = self.now();
            let name = entry.passes(now, perm)?;
            self.seen_again(&entry.seen, session_key, now);
            Some(told(name))
        })
    }

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

    fn key(&self) -> &str {
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
