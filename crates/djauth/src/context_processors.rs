//! `user` and `perms` in templates: `django/contrib/auth/context_processors.py`.
//!
//! ```
//! # use axum::response::Response;
//! use djauth::templates::context;
//! use djauth::{Auth, Error, Request};
//!
//! // With `{% if perms.reports.view_report %}…{{ user.username }}…{% endif %}` in the template:
//! async fn page(auth: &Auth, request: &Request) -> Result<Response, Error> {
//!     auth.context(request).page("report.html", context! { year => 2026 }).await
//! }
//! ```
//!
//! Templates are rendered without waiting, but who is logged in and what they may do is read from the
//! database. So a template is rendered, and what it asked for meanwhile is looked up; then it is
//! rendered again, now with the answers, until it asks nothing new. A template that uses neither of
//! the two costs no query and leaves the session alone.
//!
//! | in a template | is |
//! |---|---|
//! | `user` | the user; prints as the username, or `AnonymousUser` |
//! | `user.is_authenticated`, `user.is_anonymous`, `user.pk`, every column but the password | as the model has them; times as text |
//! | `user.get_username()`, `user.get_full_name()`, `user.get_short_name()` | as in Django |
//! | `perms.app.codename`, `"app.codename" in perms` | whether the user has the permission |
//! | `perms.app`, `"app" in perms` | whether the user has any permission of the application |
//!
//! A permission that the user lacks, and an application of which they have none, are undefined: not
//! true, and not `in`. Neither `user` nor `perms` can be gone through.
//!
//! The pages of [`Auth::urls`] know both too, so templates that take the place of theirs
//! (`TEMPLATE_DIRS`) may use them.

mod perms;
mod user;

use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use minijinja::Value;
use minijinja::value::{Object, merge_maps};
use parking_lot::Mutex;

use self::perms::PermWrapper;
use self::user::LazyUser;
use crate::base_user::BaseUser;
use crate::http::Request;
use crate::models::{AnonymousUser, User};
use crate::{Auth, Error, ErrorKind};

/// How often a template may ask for something new.
const ROUNDS: usize = 64;

/// `user` and `perms` of one request, for its templates.
pub struct Context<U: BaseUser = User> {
    auth: Auth<U>,
    request: Request,
    answers: Arc<Answers>,
}

/// What templates have asked for so far.
#[derive(Default)]
struct Answers(Mutex<Known>);

#[derive(Default)]
struct Known {
    user: Option<Value>,
    perms: HashMap<Question, bool>,
    asked: Vec<Question>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Question {
    User,
    /// `app_label.codename`.
    Perm(String),
    /// `app_label`.
    Module(String),
}

impl<U: BaseUser> Auth<U> {
    /// `user` and `perms` of a request, Django's context processor `auth`.
    #[must_use]
    pub fn context(&self, request: &Request) -> Context<U> {
        Context {
            auth: self.clone(),
            request: request.clone(),
            answers: Arc::default(),
        }
    }
}

impl<U: BaseUser> Context<U> {
    /// A page of [`Auth::templates`], with these values besides `user`, `perms` and the CSRF token. As in
    /// Django, a value of the name `user` or `perms` takes the place of the one here.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: the template does not work. Otherwise it is not known who is logged in
    /// or what they may do.
    pub async fn page(&self, name: &str, values: Value) -> Result<Response<Body>, Error> {
        let templates = self.auth.templates();
        let make = |own| {
            let values = merge_maps([own, values.clone()]);
            templates.render_for(&self.request, name, values)
        };
        let html = self.render(make).await?;
        Ok(templates.response(StatusCode::OK, html))
    }

    /// Renders with templates of one's own. `make` gets a map with `user` and `perms`, and is called
    /// again whenever it has asked for something that must be looked up first.
    ///
    /// ```
    /// # async fn example(auth: djauth::Auth, request: djauth::Request) -> Result<(), djauth::Error> {
    /// use minijinja::{Environment, context, value::merge_maps};
    ///
    /// let mut environment = Environment::new();
    /// environment.add_template("hello", "Hello {{ user }}, {{ day }}!").unwrap();
    /// let html: String = auth
    ///     .context(&request)
    ///     .render(|own| {
    ///         let values = merge_maps([context! { day => "Monday" }, own]);
    ///         environment.get_template("hello")?.render(values)
    ///     })
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The last one of `make`. Otherwise as [`page`](Self::page).
    pub async fn render<T, E>(
        &self,
        mut make: impl FnMut(Value) -> Result<T, E>,
    ) -> Result<T, Error>
    where
        Error: From<E>,
    {
        for _ in 0..ROUNDS {
            let asked = {
                let made = make(self.values());
                let asked = std::mem::take(&mut self.answers.0.lock().asked);
                if asked.is_empty() {
                    return Ok(made?);
                }
                asked
            };
            for question in asked {
                self.answer(question).await?;
            }
        }
        let text = "a template asks for ever more permissions";
        Err(Error::new(ErrorKind::ImproperlyConfigured, text))
    }

    fn values(&self) -> Value {
        Value::from_object(ContextValues(self.answers.clone()))
    }

    /// Boxed, so that the future of a handler that renders does not nest deeper than the compiler looks.
    fn answer(&self, question: Question) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.ask(question))
    }

    async fn ask(&self, question: Question) -> Result<(), Error> {
        let user = self.auth.user(&self.request).await?;
        let user = user.as_deref();
        let answer = match &question {
            Question::User => {
                let value = user.map_or_else(user::nobody, user::value);
                self.answers.0.lock().user = Some(value);
                return Ok(());
            }
            Question::Perm(perm) => match user {
                Some(user) => self.auth.has_perm(user, perm, None).await?,
                None => AnonymousUser.has_perm(&self.auth, perm, None).await?,
            },
            Question::Module(app) => match user {
                Some(user) => self.auth.has_module_perms(user, app).await?,
                None => self.anybody_has_any_of(app).await?,
            },
        };
        self.answers.0.lock().perms.insert(question, answer);
        Ok(())
    }

    async fn anybody_has_any_of(&self, app: &str) -> Result<bool, Error> {
        let all = AnonymousUser.get_all_permissions(&self.auth, None).await?;
        let of_app = |perm: &String| perm.split_once('.').is_some_and(|(label, _)| label == app);
        Ok(all.iter().any(of_app))
    }
}

impl<U: BaseUser> fmt::Debug for Context<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl Answers {
    /// The user, if it is known by now; otherwise it will be.
    fn user(&self) -> Option<Value> {
        let mut known = self.0.lock();
        if known.user.is_none() {
            known.ask(Question::User);
        }
        known.user.clone()
    }

    /// The answer; "no" until it is known.
    fn is(&self, question: Question) -> bool {
        let mut known = self.0.lock();
        match known.perms.get(&question) {
            Some(answer) => *answer,
            None => {
                known.ask(question);
                false
            }
        }
    }
}

impl Known {
    fn ask(&mut self, question: Question) {
        if !self.asked.contains(&question) {
            self.asked.push(question);
        }
    }
}

/// The map of the two names.
struct ContextValues(Arc<Answers>);

impl fmt::Debug for ContextValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextValues")
    }
}

impl Object for ContextValues {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "user" => Some(Value::from_object(LazyUser(self.0.clone()))),
            "perms" => Some(Value::from_object(PermWrapper(self.0.clone()))),
            _ => None,
        }
    }
}

impl From<minijinja::Error> for Error {
    fn from(error: minijinja::Error) -> Self {
        let text = format!("a template does not work: {error}");
        Error::caused(ErrorKind::ImproperlyConfigured, text, error)
    }
}
