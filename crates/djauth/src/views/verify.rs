//! `GET /auth/verify`: lets a reverse proxy ask who is logged in and what they may do.

use futures_util::future::BoxFuture;
use std::borrow::Cow;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri};
use axum::routing::{MethodRouter, any, get};

use crate::Auth;
use crate::base_user::BaseUser;
use crate::forward_auth::{
    Access, Ambiguous, Conditions, Identity, IdentityHeader, Original, Question, X_REMOTE_USER,
    choose, is_page, location,
};
use crate::http::{DATA_UPLOAD_MAX_NUMBER_FIELDS, cookie_of, each_field, redirect};
use crate::middleware::failure;
use crate::mixins::is_permission_name;
use crate::settings::Settings;

/// The answer to whoever asks is who is logged in:
///
/// | status | meaning |
/// |---|---|
/// | 200 | logged in, with all that the query and `FORWARD_AUTH_RULES` ask for; the name is in `X-Remote-User`, its UTF-8 percent-encoded, and what `FORWARD_AUTH_HEADERS` name in headers of their own |
/// | 401 | nobody is logged in; `X-Login-Url` is where to log in |
/// | 302 | the same, where the query says `redirect=1` and the client asks for a page |
/// | 403 | a condition is not met, or no rule is for this request |
/// | 400 | the query is not understood, or the request is one that servers read in different ways |
/// | 503 | not known: the database or the cache is away; with `Retry-After` |
///
/// | query | condition |
/// |---|---|
/// | `perm=app.codename` | the permission; given again: that one too |
/// | `group=name` | in the group; given again: in one of them |
/// | `staff=1`, `superuser=1` | `is_staff`, `is_superuser` |
///
/// A name that is none of these is a 400, because a slip must not open a door.
///
/// Nothing is written and no cookie set, because a proxy throws cookies away: a session whose hash was
/// made with a fallback key counts and is not renewed, a broken one is not deleted. No cache may keep the answer.
///
/// Route it outside of [`Auth::layer`], which it does not need: the layer would check the host that the
/// proxy sends, and save sessions under `SESSION_SAVE_EVERY_REQUEST`. The address of the proxy must be
/// known (`into_make_service_with_connect_info`) for rules and redirects.
///
/// ```
/// # async fn example(auth: djauth::Auth) -> axum::Router {
/// use axum::Router;
///
/// Router::new()
///     .nest("/accounts", Router::new())
///     .layer(auth.layer())
///     .route("/auth/verify", djauth::views::verify(&auth))
/// # }
/// ```
pub fn verify<U: BaseUser, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> MethodRouter<S> {
    let auth = auth.clone();
    get(move |request: Request| async move {
        let (parts, _) = request.into_parts();
        answer_to(&auth, Question::of(&parts)).await
    })
}

/// The answer that [`verify`] gives, for servers that have routed the request by themselves.
///
/// The method is taken to be GET; `peer` is who is connected, which is to be a proxy.
///
/// ```
/// # async fn example(auth: djauth::Auth, request: axum::extract::Request, peer: std::net::SocketAddr) {
/// let (parts, _body) = request.into_parts();
/// if parts.method == "GET" && parts.uri.path() == "/auth/verify" {
///     let answer = djauth::views::verify_answer(&auth, &parts, Some(peer)).await;
/// #   drop(answer);
/// }
/// # }
/// ```
pub fn verify_answer<'f, U: BaseUser>(
    auth: &'f Auth<U>,
    parts: &'f Parts,
    peer: Option<SocketAddr>,
) -> BoxFuture<'f, Response<Body>> {
    // Boxed, so that the future of the caller does not nest deeper than the compiler looks.
    Box::pin(answer_to(auth, Question::from_peer(parts, peer)))
}

/// The answer of [`verify_answer`], where a kept one can be given at once: `AUTH_CACHE_STALENESS` allows it, the
/// query is one `perm` and no more, no `FORWARD_AUTH_RULES` and `FORWARD_AUTH_HEADERS` are set, and it is a 200. `None`
/// says nothing: then [`verify_answer`] has to be asked.
///
/// ```
/// # async fn example(auth: djauth::Auth, request: axum::extract::Request) {
/// if let Some(answer) = djauth::views::verify_at_once(&auth, request.uri(), request.headers()) {
/// #   drop(answer);
/// }
/// # }
/// ```
pub fn verify_at_once<U: BaseUser>(
    auth: &Auth<U>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let settings = auth.settings();
    if !(settings.forward_auth_rules.is_empty() && settings.forward_auth_headers.is_empty()) {
        return None;
    }
    let perm = plain_permission(uri.query()?)?;
    let cookie = cookie_of(headers, &settings.session_cookie_name)?;
    let name = auth.glance(&cookie, perm, HeaderValue::from_bytes)?;
    let mut response = with_status(StatusCode::OK);
    response.headers_mut().insert(X_REMOTE_USER, name.ok()?);
    Some(not_stored(response))
}

/// Of a query that is one permission, with nothing that would have to be decoded.
fn plain_permission(query: &str) -> Option<&str> {
    let perm = query.strip_prefix("perm=")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (perm.bytes().all(plain) && is_permission_name(perm)).then_some(perm)
}

async fn answer_to<U: BaseUser>(auth: &Auth<U>, question: Question<'_>) -> Response<Body> {
    let asked = asked(question.uri.query().unwrap_or(""));
    answer(auth, question, asked, Original::in_headers).await
}

/// The same for proxies that ask with the client's own request, whose path they put behind `prefix`
/// (Envoy): `FORWARD_AUTH_RULES` alone say what is asked for.
///
/// ```
/// # async fn example(auth: djauth::Auth) -> axum::Router {
/// axum::Router::new().merge(djauth::views::verify_original(&auth, "/auth/original"))
/// # }
/// ```
pub fn verify_original<U: BaseUser, S: Clone + Send + Sync + 'static>(
    auth: &Auth<U>,
    prefix: &'static str,
) -> Router<S> {
    let auth = auth.clone();
    let route = any(move |request: Request| async move {
        let (mut parts, _) = request.into_parts();
        let asked = without_prefix(&mut parts, prefix).map(|()| Asked {
            redirect: true,
            ..Asked::default()
        });
        answer(&auth, Question::of(&parts), asked, Original::in_request).await
    });
    Router::new()
        .route(&format!("{prefix}/"), route.clone())
        .route(&format!("{prefix}/{{*original}}"), route)
}

fn without_prefix(parts: &mut Parts, prefix: &str) -> Option<()> {
    let whole = parts.uri.path_and_query()?.as_str();
    let original: PathAndQuery = whole.strip_prefix(prefix)?.parse().ok()?;
    parts.uri = Uri::from(original);
    Some(())
}

/// What the question's query says.
#[derive(Default)]
struct Asked {
    conditions: Conditions,
    redirect: bool,
}

/// `None`: it is not understood.
fn asked(query: &str) -> Option<Asked> {
    let (mut asked, mut understood) = (Asked::default(), true);
    let fields = each_field(
        query.as_bytes(),
        DATA_UPLOAD_MAX_NUMBER_FIELDS,
        |name, value| {
            understood &= asked.take(&name, value);
        },
    );
    (fields.is_ok() && understood).then_some(asked)
}

impl Asked {
    /// Whether a field of the query is understood.
    fn take(&mut self, name: &str, value: Cow<'_, str>) -> bool {
        let conditions = &mut self.conditions;
        match name {
            "perm" => {
                let named = is_permission_name(&value);
                conditions.perm.push(value.into_owned());
                named
            }
            "group" => {
                conditions.group.push(value.into_owned());
                true
            }
            "staff" => turned_on(&mut conditions.staff, &value),
            "superuser" => turned_on(&mut conditions.superuser, &value),
            "redirect" => turned_on(&mut self.redirect, &value),
            _ => false,
        }
    }
}

/// Once, and by nothing but `1`.
fn turned_on(switch: &mut bool, value: &str) -> bool {
    value == "1" && !std::mem::replace(switch, true)
}

type Read = fn(&Settings, Question<'_>) -> Result<Option<Original>, Ambiguous>;

async fn answer<U: BaseUser>(
    auth: &Auth<U>,
    question: Question<'_>,
    asked: Option<Asked>,
    read: Read,
) -> Response<Body> {
    let decided = match asked {
        Some(asked) => decide(auth, question, asked, read).await,
        None => Err(bare(StatusCode::BAD_REQUEST)),
    };
    not_stored(match decided {
        Ok(identity) => allowed(auth.settings(), &identity),
        Err(response) => *response,
    })
}

fn not_stored(mut response: Response<Body>) -> Response<Body> {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

/// Who passes, or another answer.
async fn decide<U: BaseUser>(
    auth: &Auth<U>,
    question: Question<'_>,
    asked: Asked,
    read: Read,
) -> Result<Identity, Box<Response<Body>>> {
    let Asked {
        mut conditions,
        redirect,
    } = asked;
    let settings = auth.settings();
    let mut public = false;
    if !settings.forward_auth_rules.is_empty() {
        match access(settings, question, read)? {
            Access::Deny => return Err(bare(StatusCode::FORBIDDEN)),
            Access::Public => public = conditions == Conditions::default(),
            Access::Users(more) => conditions = both(conditions, more)?,
        }
    }
    match user(auth, question, &conditions).await? {
        Some(identity) => Ok(identity),
        None if public => Ok(Identity::default()),
        None => Err(Box::new(unauthorized(settings, question, redirect, read))),
    }
}

/// What the rules say of the request that the proxy holds.
fn access<'s>(
    settings: &'s Settings,
    question: Question<'_>,
    read: Read,
) -> Result<&'s Access, Box<Response<Body>>> {
    let ambiguous = |Ambiguous| bare(StatusCode::BAD_REQUEST);
    let Some(original) = read(settings, question).map_err(ambiguous)? else {
        tracing::warn!(
            target: "djauth.forward_auth",
            "refused: FORWARD_AUTH_RULES are set, and no proxy of TRUSTED_PROXIES tells host and path"
        );
        return Err(bare(StatusCode::FORBIDDEN));
    };
    let rule = choose(&settings.forward_auth_rules, &original).map_err(ambiguous)?;
    rule.map(|rule| &rule.access)
        .ok_or_else(|| bare(StatusCode::FORBIDDEN))
}

/// The conditions of the query and of the rule. Where both name groups, none can be left out.
fn both(mut asked: Conditions, rule: &Conditions) -> Result<Conditions, Box<Response<Body>>> {
    if !asked.group.is_empty() && !rule.group.is_empty() {
        return Err(bare(StatusCode::BAD_REQUEST));
    }
    asked.perm.extend(rule.perm.iter().cloned());
    asked.group.extend(rule.group.iter().cloned());
    asked.staff |= rule.staff;
    asked.superuser |= rule.superuser;
    Ok(asked)
}

/// Who is logged in and meets the conditions; `None` for nobody, and 403 for anybody else.
async fn user<U: BaseUser>(
    auth: &Auth<U>,
    question: Question<'_>,
    conditions: &Conditions,
) -> Result<Option<Identity>, Box<Response<Body>>> {
    let settings = auth.settings();
    let cookie = cookie_of(question.headers, &settings.session_cookie_name);
    let session = auth.sessions().open(cookie.as_deref());
    let perms: Vec<&str> = conditions.perm.iter().map(String::as_str).collect();
    let failed = |error| Box::new(failure(&error));
    let Some(verdict) = auth.verify_shared(&session, &perms).await.map_err(failed)? else {
        return Ok(None);
    };
    let (user, headers) = (&*verdict.user, &settings.forward_auth_headers);
    let flagged = |asked: bool, flag: bool| !asked || (flag && user.is_active());
    let mut permitted = verdict.permitted
        && flagged(conditions.staff, user.is_staff())
        && flagged(conditions.superuser, user.is_superuser());
    let mut groups = Vec::new();
    if permitted && (!conditions.group.is_empty() || headers.contains(&IdentityHeader::Groups)) {
        // Boxed, because it is large and seldom asked for.
        groups = Box::pin(groups_of(auth, user)).await.map_err(failed)?;
        let asked = &conditions.group;
        permitted = asked.is_empty() || groups.iter().any(|group| asked.contains(group));
    }
    if !permitted {
        return Err(bare(StatusCode::FORBIDDEN));
    }
    let identity = Identity::of(user, headers, &groups).ok_or_else(|| {
        let id = user.id();
        tracing::error!(target: "djauth.forward_auth", user = %id, "refused: the name has control characters");
        bare(StatusCode::FORBIDDEN)
    });
    identity.map(Some)
}

/// None for a user who may not log in, or whose model has no groups.
async fn groups_of<U: BaseUser>(auth: &Auth<U>, user: &U) -> Result<Vec<String>, crate::Error> {
    if !user.is_active() || user.permissions().is_none() {
        return Ok(Vec::new());
    }
    let groups = auth.users().groups(user)?.all().await?;
    Ok(groups.into_iter().map(|group| group.name).collect())
}

fn allowed(settings: &Settings, identity: &Identity) -> Response<Body> {
    let mut response = with_status(StatusCode::OK);
    identity.write(&settings.forward_auth_headers, response.headers_mut());
    response
}

/// 401, or the way to the login page.
fn unauthorized(
    settings: &Settings,
    question: Question<'_>,
    lead: bool,
    read: Read,
) -> Response<Body> {
    const X_LOGIN_URL: HeaderName = HeaderName::from_static("x-login-url");
    let mut response = with_status(StatusCode::UNAUTHORIZED);
    let scheme = format!("Cookie cookie-name={}", settings.session_cookie_name);
    if let Ok(scheme) = HeaderValue::try_from(scheme) {
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    let Ok(Some(original)) = read(settings, question) else {
        return response;
    };
    let location = location(settings, &original);
    match (redirect(&location), HeaderValue::try_from(&location)) {
        (Ok(redirect), _) if lead && is_page(question.headers, &original) => return redirect,
        (Ok(_), Ok(url)) => response.headers_mut().insert(X_LOGIN_URL, url),
        _ => None,
    };
    response
}

fn bare(status: StatusCode) -> Box<Response<Body>> {
    Box::new(with_status(status))
}

fn with_status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::User;

    fn future_of<'a, F>(_: impl FnOnce(&'a Auth<User>, Question<'a>) -> F) -> usize {
        size_of::<F>()
    }

    /// It is moved several times for each request: what is needed seldom stands in boxes.
    #[test]
    fn an_answer_is_a_small_future() {
        let bytes = future_of(|auth, question| answer_to(auth, question));
        assert!(bytes < 2_500, "{bytes} bytes");
    }
}
