//! What a view came to, as JSON.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::Error;
use crate::forms::{Field, FieldKind, Form};
use crate::http::{ErrorPage, Request, json_error, json_response};
use crate::i18n::{Language, gettext};
use crate::mixins::Rejection;
use crate::validators::ValidationError;
use crate::views::page::redirect_response;
use crate::views::{Outcome, Page};

/// Writes what a view came to.
pub(in crate::views) fn respond(
    request: &Request,
    outcome: Outcome,
) -> Result<Response<Body>, Error> {
    match outcome {
        Outcome::Page(page) => Ok(shown(request, &page)),
        Outcome::Redirect(to) => Ok(led(request, &to)),
        Outcome::Rejected(rejection) => Ok(rejected(request, rejection)),
        Outcome::Response(response) => Ok(without_page(response)),
        Outcome::Success => Err(Error::improperly_configured("the view has no success URL")),
    }
}

/// An answer that goes well, with a token for the next request.
fn done(request: &Request, mut value: Value) -> Response<Body> {
    value["csrf_token"] = request.csrf().get_token().into();
    json_response(StatusCode::OK, &value)
}

fn shown(request: &Request, page: &Page) -> Response<Body> {
    match &page.form {
        Some(form) if form.is_bound() => wrong(request.language(), form),
        Some(form) => done(
            request,
            json!({ "form": described(form, request.language()) }),
        ),
        None if page.invalid_link => {
            let text = gettext(request.language(), "json.invalid_link", &[]);
            json_error(StatusCode::BAD_REQUEST, "invalid_link", &text, Map::new())
        }
        None => done(request, json!({ "title": title(page) })),
    }
}

/// What the template would say as its title, if anything.
fn title(page: &Page) -> Option<String> {
    let value = page.values.get_attr("title").ok()?;
    (!value.is_undefined() && !value.is_none()).then(|| value.to_string())
}

fn led(request: &Request, to: &str) -> Response<Body> {
    let response = redirect_response(to);
    if response.status().is_redirection() {
        done(request, json!({ "redirect_to": to }))
    } else {
        response
    }
}

/// Nobody is logged in: 401. The others have an error page, of which the layer makes JSON.
fn rejected(request: &Request, rejection: Rejection) -> Response<Body> {
    match rejection {
        Rejection::LoginRequired { to } => not_authenticated(request, Some(&to)),
        other => axum::response::IntoResponse::into_response(other),
    }
}

pub(super) fn not_authenticated(request: &Request, login_url: Option<&str>) -> Response<Body> {
    let text = gettext(request.language(), "json.not_authenticated", &[]);
    let login_url = login_url.unwrap_or(&request.settings().login_url);
    let more = Map::from_iter([("login_url".to_owned(), login_url.into())]);
    json_error(StatusCode::UNAUTHORIZED, "not_authenticated", &text, more)
}

/// A method that the view does not have: its headers stay, and a body says so.
fn without_page(mut response: Response<Body>) -> Response<Body> {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let page = ErrorPage::new(response.status(), "error_page.bad_request", "json.method");
        response.extensions_mut().insert(page);
    }
    response
}

/// What is wrong with a form.
fn wrong(language: Language, form: &Form) -> Response<Body> {
    let text = gettext(language, "json.invalid_form", &[]);
    let fields: Map<_, _> = form
        .all_errors()
        .map(|(name, errors)| {
            (
                name.to_owned(),
                errors.iter().map(|e| error(language, e)).collect(),
            )
        })
        .collect();
    let more = Map::from_iter([("fields".to_owned(), Value::Object(fields))]);
    json_error(StatusCode::BAD_REQUEST, "invalid_form", &text, more)
}

fn error(language: Language, error: &ValidationError) -> Value {
    json!({ "code": error.code(), "message": error.message_in(language) })
}

/// The fields, for a client that makes the form from them.
fn described(form: &Form, language: Language) -> Value {
    let field = |field: &Field| {
        json!({
            "name": field.name(),
            "type": kind(field.kind()),
            "label": field.label_in(language),
            "required": field.is_required(),
        })
    };
    json!({ "fields": form.fields().iter().map(field).collect::<Vec<_>>() })
}

fn kind(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Username => "username",
        FieldKind::Email => "email",
        FieldKind::Password => "password",
        FieldKind::Checkbox => "checkbox",
        FieldKind::Radio => "radio",
        FieldKind::DateTime => "datetime",
        FieldKind::SelectMultiple => "select_multiple",
        _ => "text",
    }
}

/// Bodies that are not a page's: of whom is logged in, and of a token.
pub(in crate::views) mod bodies {
    use super::{Request, Response, StatusCode, done, json, json_response, not_authenticated};
    use crate::base_user::BaseUser;
    use axum::body::Body;
    use serde_json::Value;

    pub(in crate::views) fn token(request: &Request) -> Response<Body> {
        done(request, json!({}))
    }

    pub(in crate::views) fn user<U: BaseUser>(
        request: &Request,
        user: Option<&U>,
    ) -> Response<Body> {
        let Some(user) = user else {
            return not_authenticated(request, None);
        };
        let user = json!({
            "id": user.pk().map(|id| id.to_string()),
            "username": user.get_username(),
            "email": user.get_email(),
            "is_staff": user.is_staff(),
            "is_superuser": user.is_superuser(),
        });
        done(request, json!({ "user": user }))
    }

    pub(in crate::views) fn document(value: &Value) -> Response<Body> {
        json_response(StatusCode::OK, value)
    }
}
