//! The sessions of a user: where they are logged in, and ending that.
//!
//! What is ended in the admin stands in the log of changes as a change of the user, without addresses and
//! browsers: whoever may only view users reads their history, but not their sessions.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use djauth::base_user::UserId;
use djauth::http::QueryDict;
use djauth::i18n::{Language, gettext};
use djauth::usersessions::UserSession;
use djauth::{Auth, BaseUser, Error, Request};
use djauth_db::Executor as _;
use futures_util::future::BoxFuture;
use minijinja::{Value, context};

use crate::agent::Agent;
use crate::beyond::Users;
use crate::messages::{Level, Messages};
use crate::model::{Actor, Made, Object, Registered};
use crate::models::{ActionFlag, ChangeMessage, LogEntryManager, NewEntries};
use crate::options::Page;
use crate::request::{AdminRequest, Answer, Route};
use crate::sites::SiteInner;

/// Sessions that a page shows.
const MOST: usize = 100;

/// The sessions of a user, as pages show them.
pub(crate) struct Sessions {
    /// Why there is nothing to show.
    missing: Option<Missing>,
    rows: Vec<Row>,
    /// Whether there are others, which are not shown.
    more: bool,
    /// Whether the user is the one who asks.
    own: bool,
}

/// Why sessions cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// They are kept by the browsers.
    InCookies,
    /// Nobody writes them down.
    NoTable,
}

struct Row {
    id: i64,
    begun: DateTime<Utc>,
    seen: DateTime<Utc>,
    ip: String,
    agent: Agent,
    here: bool,
}

impl Row {
    fn new<I>(session: UserSession<I>, request: &Request) -> Self {
        Self {
            id: session.id,
            begun: session.created_at,
            seen: session.last_seen_at,
            here: session.is_of(request),
            ip: session.ip,
            agent: Agent::of(&session.user_agent),
        }
    }
}

/// Which sessions are to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    One(i64),
    /// All but the one of the request.
    Others,
    All,
}

impl Ending {
    /// What a form asks for; `None` for nothing that is understood.
    pub(crate) fn of(data: &QueryDict) -> Option<Self> {
        if let Some(id) = data.get("end") {
            return id.parse().ok().map(Self::One);
        }
        match (data.get("end_others"), data.get("end_all")) {
            (Some("1"), _) => Some(Self::Others),
            (None, Some("1")) => Some(Self::All),
            _ => None,
        }
    }

    /// What the log of changes says when so many were ended. Its words are stored and so English, as the names
    /// of models and fields in Django's log.
    fn message(self, count: u64) -> ChangeMessage {
        let (kind, name) = match self {
            Self::One(id) => ("session", id.to_string()),
            Self::Others => ("sessions", format!("others ({count})")),
            Self::All => ("sessions", format!("all ({count})")),
        };
        ChangeMessage::DeletedOfIt(kind, name)
    }

    /// What it says when the ending failed on the way, so that nobody can say how many were ended by then.
    fn interrupted(self) -> ChangeMessage {
        let (kind, name) = match self {
            Self::One(id) => ("session", format!("{id} (interrupted)")),
            Self::Others => ("sessions", "others (interrupted)".into()),
            Self::All => ("sessions", "all (interrupted)".into()),
        };
        ChangeMessage::DeletedOfIt(kind, name)
    }
}

/// What ending came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) count: u64,
    /// The request's own session is among them: who asks is nobody now.
    pub(crate) own: bool,
}

impl Ended {
    /// Says what was done, unless nobody is there to read it.
    pub(crate) fn tell(self, messages: &Messages, language: Language) {
        let count = [("count", self.count.to_string())];
        let (level, text) = match self.count {
            0 => (
                Level::Warning,
                gettext(language, "admin_more.session_gone", &[]),
            ),
            _ => (
                Level::Success,
                gettext(language, "admin_more.sessions_ended", &count),
            ),
        };
        if !self.own {
            messages.add(level, text);
        }
    }
}

/// What the page of the admin needs of the user model.
pub(crate) trait SessionPages {
    /// The sessions of a user; `None`: nobody has this key.
    fn sessions<'a>(&'a self, request: &'a Request, key: &'a str) -> Made<'a, Option<Sessions>>;
    /// Ends sessions of a user; `None`: nobody has this key.
    fn end_sessions<'a>(
        &'a self,
        request: &'a Request,
        key: &'a str,
        ending: Ending,
    ) -> Made<'a, Option<Ended>>;
    /// Writes into the log of changes that this was done. Sessions end where they are kept, which need not be
    /// the database, so it has a transaction of its own, afterwards.
    fn log_ended<'a>(&'a self, entries: &'a NewEntries<'a>) -> Made<'a, ()>;
}

impl<U: BaseUser> SessionPages for Users<U> {
    fn sessions<'a>(&'a self, request: &'a Request, key: &'a str) -> Made<'a, Option<Sessions>> {
        of(&self.auth, request, key)
    }

    fn end_sessions<'a>(
        &'a self,
        request: &'a Request,
        key: &'a str,
        ending: Ending,
    ) -> Made<'a, Option<Ended>> {
        end(&self.auth, request, key, ending)
    }

    fn log_ended<'a>(&'a self, entries: &'a NewEntries<'a>) -> Made<'a, ()> {
        Box::pin(async move {
            let log = LogEntryManager::new(&self.auth);
            let transaction = self.auth.db().begin().await?;
            log.log_actions(&transaction, entries).await?;
            Ok(transaction.commit().await?)
        })
    }
}

/// The user with this key, as in the database now.
fn found<'a, U: BaseUser>(auth: &'a Auth<U>, key: &'a str) -> Made<'a, Option<U>> {
    Box::pin(async move {
        match U::Id::parse(key.trim()) {
            Some(id) => auth.users().get(id).await,
            None => Ok(None),
        }
    })
}

/// The sessions of a user; `None`: nobody has this key.
pub(crate) fn of<'a, U: BaseUser>(
    auth: &'a Auth<U>,
    request: &'a Request,
    key: &'a str,
) -> Made<'a, Option<Sessions>> {
    Box::pin(async move {
        let Some(user) = found(auth, key).await? else {
            return Ok(None);
        };
        let rows = auth.user_sessions().list(&user, MOST + 1).await?;
        let more = rows.len() > MOST;
        let rows = rows.into_iter().take(MOST);
        let rows = rows.map(|row| Row::new(row, request));
        Ok(Some(Sessions {
            missing: missing(auth).await?,
            rows: rows.collect(),
            more,
            own: is_own(auth, request, &user).await?,
        }))
    })
}

async fn missing<U: BaseUser>(auth: &Auth<U>) -> Result<Option<Missing>, Error> {
    if !auth.user_sessions().can_end() {
        return Ok(Some(Missing::InCookies));
    }
    let there = auth.user_sessions().is_available().await?;
    Ok((!there).then_some(Missing::NoTable))
}

async fn is_own<U: BaseUser>(auth: &Auth<U>, request: &Request, user: &U) -> Result<bool, Error> {
    let asking = auth.user(request).await?;
    Ok(asking.is_some_and(|asking| asking.id() == user.id()))
}

/// Ends sessions of a user, and nobody else's; `None`: nobody has this key. The request's own ends by a
/// logout, so that it is not saved again afterwards.
pub(crate) fn end<'a, U: BaseUser>(
    auth: &'a Auth<U>,
    request: &'a Request,
    key: &'a str,
    ending: Ending,
) -> Made<'a, Option<Ended>> {
    Box::pin(async move {
        let Some(user) = found(auth, key).await? else {
            return Ok(None);
        };
        let sessions = auth.user_sessions();
        let own =
            is_own(auth, request, &user).await? && ends_own(auth, request, &user, ending).await?;
        let mut count = match ending {
            Ending::One(_) if own => 0,
            Ending::One(id) => u64::from(sessions.end(&user, id).await?),
            Ending::All if !own => sessions.end_all(&user).await?,
            Ending::All | Ending::Others => sessions.end_others(request, &user).await?,
        };
        if own {
            auth.logout(request).await?;
            count += 1;
        }
        Ok(Some(Ended { count, own }))
    })
}

/// Whether the session of the request is among those that are to end.
async fn ends_own<U: BaseUser>(
    auth: &Auth<U>,
    request: &Request,
    user: &U,
    ending: Ending,
) -> Result<bool, Error> {
    let id = match ending {
        Ending::Others => return Ok(false),
        Ending::All => return auth.user_sessions().is_available().await,
        Ending::One(id) => id,
    };
    auth.user_sessions().is_own(request, user, id).await
}

impl Sessions {
    /// For the templates: `sessions` (each `id`, `here`, `ip`, `agent`, `begun` and `seen` with `text` and
    /// `moment`), `more` (how many are shown, if there are more), `own`, `others`, `missing`.
    pub(crate) fn value(&self, language: Language, zone: Tz) -> Value {
        let moment = |at: DateTime<Utc>| {
            let at = at.with_timezone(&zone);
            context! { text => at.format("%Y-%m-%d %H:%M").to_string(), moment => at.to_rfc3339() }
        };
        let row = |row: &Row| {
            context! {
                id => row.id,
                here => row.here,
                ip => &row.ip,
                agent => row.agent.text(language),
                begun => moment(row.begun),
                seen => moment(row.seen),
            }
        };
        context! {
            sessions => self.rows.iter().map(row).collect::<Value>(),
            more => self.more.then_some(MOST),
            own => self.own,
            others => self.rows.iter().any(|row| !row.here),
            missing => self.missing.map(|missing| match missing {
                Missing::InCookies => "cookies",
                Missing::NoTable => "table",
            }),
            zone => zone.name(),
        }
    }
}

/// Shows the sessions of a user and ends them, for who may change users.
pub(crate) fn sessions_view<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
    key: &'a str,
) -> Made<'a, Answer> {
    Box::pin(async move {
        if !actor.rights(model.id).change {
            return Ok(Answer::Forbidden);
        }
        if request.is_post() {
            return posted(site, model, request, actor, key).await;
        }
        let sessions = site.beyond.sessions(request.request(), key).await?;
        let object = model.edited.get(key).await?;
        let (Some(sessions), Some(object)) = (sessions, object) else {
            return Ok(Answer::NotFound);
        };
        let title = request.t("admin_more.sessions_of", &[("name", object.repr.clone())]);
        let page = Page::new(site, model, request, actor).context(title, Some(&object));
        let values = context! { ..sessions.value(request.language, request.zone), ..page };
        let template = site.template(model, "user_sessions.html");
        Ok(Answer::page(template, values))
    })
}

fn posted<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
    key: &'a str,
) -> Made<'a, Answer> {
    Box::pin(async move {
        let Some(ending) = Ending::of(request.data()) else {
            return Ok(Answer::BadRequest);
        };
        let Some(object) = model.edited.get(key).await? else {
            return Ok(Answer::NotFound);
        };
        let ended = site.beyond.end_sessions(request.request(), key, ending);
        let ended = match ended.await {
            Ok(Some(ended)) => ended,
            Ok(None) => return Ok(Answer::NotFound),
            Err(error) => {
                log(site, model, actor, object, ending.interrupted()).await;
                return Err(error);
            }
        };
        if ended.count > 0 {
            log(site, model, actor, object, ending.message(ended.count)).await;
        }
        ended.tell(&request.messages, request.language);
        Ok(Answer::Redirect(match ended.own {
            true => request.url(&Route::Login),
            false => request.url(&request.route),
        }))
    })
}

/// A change of the user, for the log. They are ended whether it can be written or not; what could not is said.
fn log<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    actor: &'a Actor,
    user: Object,
    message: ChangeMessage,
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let entries = NewEntries {
            user: &actor.key,
            model: &model.info,
            objects: &[(user.key.clone(), user.repr)],
            flag: ActionFlag::Change,
            message,
        };
        if let Err(error) = site.beyond.log_ended(&entries).await {
            tracing::error!(
                target: "djauth.admin", %error, user = user.key,
                "sessions were ended, and the log of changes does not tell it"
            );
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_asks_for_one_thing() {
        for (form, ending) in [
            ("end=5", Some(Ending::One(5))),
            ("end_all=1", Some(Ending::All)),
            ("end_others=1", Some(Ending::Others)),
            ("end=x&end_all=1", None),
            ("end=", None),
            ("end_all=0", None),
            ("end_others=2&end_all=1", None),
            ("", None),
        ] {
            let data = QueryDict::parse(form.as_bytes(), 10).expect("a form");
            assert_eq!(Ending::of(&data), ending, "{form}");
        }
    }
}
