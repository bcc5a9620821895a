//! What a view came to, before it is written as a page (or as JSON).

use std::borrow::Cow;
use std::fmt;

use axum::body::Body;
use axum::http::Response;
use futures_util::future::BoxFuture;
use minijinja::{Value, context};

use crate::Error;
use crate::base_user::BaseUser;
use crate::forms::Form;
use crate::mixins::Rejection;

/// What a view came to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// A page is shown: its form for the first time, or with what is wrong with it.
    Page(Page),
    /// What the page is for is done; the browser is led to the success URL.
    Success,
    /// The browser is led elsewhere.
    Redirect(String),
    /// The visitor may not do this, or nobody is logged in.
    Rejected(Rejection),
    /// An answer as it is.
    Response(Response<Body>),
}

impl From<Response<Body>> for Outcome {
    fn from(response: Response<Body>) -> Self {
        Outcome::Response(response)
    }
}

/// A template, the form in it, and what else it knows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The template's name.
    pub template: Cow<'static, str>,
    /// The form; it knows whether something was sent and what is wrong with it.
    pub form: Option<Form>,
    /// The other values.
    pub values: Value,
    /// Whether it says that a mailed link is wrong, used or over: as JSON that is an error.
    pub(super) invalid_link: bool,
}

impl Page {
    /// A page without a form.
    pub fn new(template: impl Into<Cow<'static, str>>, values: Value) -> Self {
        Page {
            template: template.into(),
            form: None,
            values,
            invalid_link: false,
        }
    }

    /// The same with a form.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// The same with more values, which take the place of those of the same name.
    #[must_use]
    pub fn with(mut self, more: Value) -> Self {
        self.values = context! { ..more, ..self.values };
        self
    }
}

/// A form that is right, and what Django does with it; see
/// [`Steps::form_valid`](crate::forms::Steps::form_valid).
pub struct Valid<'a, U: BaseUser> {
    /// The form.
    pub form: &'a Form,
    /// Whom it concerns: who logs in, whose password is set. `None` where an address was sent.
    pub user: Option<&'a U>,
    pub(super) action: BoxFuture<'a, Result<Outcome, Error>>,
}

impl<U: BaseUser> Valid<'_, U> {
    /// Does what Django does.
    ///
    /// # Errors
    /// The database's, the session store's, a signal receiver's.
    pub async fn proceed(self) -> Result<Outcome, Error> {
        self.action.await
    }
}

impl<U: BaseUser> fmt::Debug for Valid<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Valid")
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
