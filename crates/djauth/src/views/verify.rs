//! `GET /auth/verify`: lets a reverse proxy ask who is logged in and what they may do.

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, Uri};
use axum::routing::{MethodRouter, any, get};

use crate::Auth;
use crate::base_user::BaseUser;
use crate::forward_auth::{
    Access, Ambiguous, Conditions, Identity, IdentityHeader, Original, choose, is_page, location,
};
use crate::http::{DATA_UPLOAD_MAX_NUMBER_FIELDS, QueryDict, cookies_of, redirect};
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
    get(move |parts: Parts| async move {
        let asked = asked(&parts);
        answer(&auth, &parts, asked, Original::in_headers).await
    })
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
    let route = any(move |mut parts: Parts| async move {
        let asked = without_prefix(&mut parts, prefix).map(|()| Asked {
            redirect: true,
            ..Asked::default()
        });
        answer(&auth, &parts, asked, Original::in_request).await
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
fn asked(parts: &Parts) -> Option<Asked> {
    let query = parts.uri.query().unwrap_or("").as_bytes();
    let query = QueryDict::parse(query, DATA_UPLOAD_MAX_NUMBER_FIELDS).ok()?;
    let mut asked = Asked::default();
    for (name, _) in query.iter() {
        let values = query.get_list(name);
        let conditions = &mut asked.conditions;
        match name {
            "perm" => conditions.perm = values.to_vec(),
            "group" => conditions.group = values.to_vec(),
            "staff" => conditions.staff = is_on(values)?,
            "superuser" => conditions.superuser = is_on(values)?,
            "redirect" => asked.redirect = is_on(values)?,
            _ => return None,
        }
    }
    let named = |perm: &String| is_permission_name(perm);
    asked.conditions.perm.iter().all(named).then_some(asked)
}

fn is_on(values: &[String]) -> Option<bool> {
    (values == ["1"]).then_some(true)
}

type Read = fn(&Settings, &Parts) -> Result<Option<Original>, Ambiguous>;

async fn answer<U: BaseUser>(
    auth: &Auth<U>,
    parts: &Parts,
    asked: Option<Asked>,
    read: Read,
) -> Response<Body> {
    let decided = match asked {
        Some(asked) => decide(auth, parts, asked, read).await,
        None => Err(bare(StatusCode::BAD_REQUEST)),
    };
    let mut response = match decided {
        Ok(identity) => allowed(auth.settings(), &identity),
        Err(response) => *response,
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Who passes, or another answer.
async fn decide<U: BaseUser>(
    auth: &Auth<U>,
    parts: &Parts,
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
        match access(settings, parts, read)? {
            Access::Deny => return Err(bare(StatusCode::FORBIDDEN)),
            Access::Public => public = conditions == Conditions::default(),
            Access::Users(more) => conditions = both(conditions, more)?,
        }
    }
    match user(auth, parts, &conditions).await? {
        Some(identity) => Ok(identity),
        None if public => Ok(Identity::default()),
        None => Err(Box::new(unauthorized(settings, parts, redirect, read))),
    }
}

/// What the rules say of the request that the proxy holds.
fn access<'s>(
    settings: &'s Settings,
    parts: &Parts,
    read: Read,
) -> Result<&'s Access, Box<Response<Body>>> {
    let ambiguous = |Ambiguous| bare(StatusCode::BAD_REQUEST);
    let Some(original) = read(settings, parts).map_err(ambiguous)? else {
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
    parts: &Parts,
    conditions: &Conditions,
) -> Result<Option<Identity>, Box<Response<Body>>> {
    let cookies = cookies_of(&parts.headers);
    let settings = auth.settings();
    let session = auth
        .sessions()
        .open(cookies.get(&settings.session_cookie_name));
    let perms: Vec<&str> = conditions.perm.iter().map(String::as_str).collect();
    let failed = |error| Box::new(failure(&error));
    let Some(verdict) = auth.verify(&session, &perms).await.map_err(failed)? else {
        return Ok(None);
    };
    let (user, headers) = (verdict.user, &settings.forward_auth_headers);
    let flagged = |asked: bool, flag: bool| !asked || (flag && user.is_active());
    let mut permitted = verdict.permitted
        && flagged(conditions.staff, user.is_staff())
        && flagged(conditions.superuser, user.is_superuser());
    let mut groups = Vec::new();
    if permitted && (!conditions.group.is_empty() || headers.contains(&IdentityHeader::Groups)) {
        groups = groups_of(auth, &user).await.map_err(failed)?;
        let asked = &conditions.group;
        permitted = asked.is_empty() || groups.iter().any(|group| asked.contains(group));
    }
    if !permitted {
        return Err(bare(StatusCode::FORBIDDEN));
    }
    let identity = Identity::of(&user, headers, &groups).ok_or_else(|| {
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
fn unauthorized(settings: &Settings, parts: &Parts, lead: bool, read: Read) -> Response<Body> {
    const X_LOGIN_URL: HeaderName = HeaderName::from_static("x-login-url");
    let mut response = with_status(StatusCode::UNAUTHORIZED);
    let scheme = format!("Cookie cookie-name={}", settings.session_cookie_name);
    if let Ok(scheme) = HeaderValue::try_from(scheme) {
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    let Ok(Some(original)) = read(settings, parts) else {
        return response;
    };
    let location = location(settings, &original);
    match (redirect(&location), HeaderValue::try_from(&location)) {
        (Ok(redirect), _) if lead && is_page(&parts.headers, &original) => return redirect,
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
