//! The site: `django/contrib/admin/sites.py`.
//!
//! An [`AdminSite`] says what is registered and where; [`AdminSite::router`] makes the routes. Addresses
//! are Django's, and so is the order in which a path is looked for, whatever the prefix.

mod actor;
mod assets;
mod check;
mod context;
mod index;
mod login;
mod registry;
mod resolve;
mod serve;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract;
use axum::routing::any;
use djauth::admin::{GroupAdmin, UserAdmin};
use djauth::forms::Text;
use djauth::i18n::Language;
use djauth::templates::Templates;
use djauth::{Auth, BaseUser, Error, User};
use djauth_signing::Clock;

pub(crate) use self::resolve::ModelPath;
use self::serve::Site;
use crate::account;
use crate::beyond::Beyond;
use crate::log::Reader;
use crate::model::{ModelId, Registered};
use crate::models::Log;
use crate::request::Route;

/// The pages at `/admin/`, for `Router::merge`.
pub trait AdminExt {
    /// [`AdminSite::router`] of a site with everything as Django has it.
    fn admin<S: Clone + Send + Sync + 'static>(&self) -> Router<S>;

    /// `sessions/`: where somebody is logged in, for themself, with what ends that. Nest it beside
    /// [`Auth::urls`]: `.nest("/accounts", auth.urls().merge(auth.account_urls()))`. Django has no such page; the
    /// address is django-allauth's.
    fn account_urls<S: Clone + Send + Sync + 'static>(&self) -> Router<S>;
}

impl<U: BaseUser> AdminExt for Auth<U> {
    fn admin<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        AdminSite::new(self).router()
    }

    fn account_urls<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        account::urls(self)
    }
}

/// A computed column of the list of users: its name, its label, and what it shows.
pub(crate) struct Column<U> {
    pub(crate) name: &'static str,
    pub(crate) label: Text,
    pub(crate) show: Box<dyn Fn(&U) -> String + Send + Sync>,
}

/// An admin; mirrors Django's `AdminSite`.
///
/// ```
/// use djauth::admin::UserAdmin;
/// use djauth_admin::AdminSite;
///
/// # fn example(auth: &djauth::Auth) -> axum::Router {
/// let mut users = UserAdmin::default();
/// users.list_display.extend(["last_login", "initials"]);
/// AdminSite::new(auth)
///     .at("/staff/")
///     .users(users)
///     .column("initials", "Initials", |user| user.username.chars().take(2).collect())
///     .site_header("The house of staff")
///     .router()
/// # }
/// ```
#[must_use = "`router` makes the routes"]
pub struct AdminSite<U: BaseUser = User> {
    auth: Auth<U>,
    prefix: String,
    users: Option<UserAdmin>,
    groups: Option<GroupAdmin>,
    columns: Vec<Column<U>>,
    texts: Texts,
    site_url: Option<String>,
}

/// What the site calls itself.
#[derive(Clone)]
struct Texts {
    title: Text,
    header: Text,
    index_title: Text,
}

impl<U: BaseUser> fmt::Debug for AdminSite<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminSite")
            .field("prefix", &self.prefix)
            .field("users", &self.users)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

impl<U: BaseUser> AdminSite<U> {
    /// A site with users ([`UserAdmin::of`] the model) and groups, if the model knows groups.
    pub fn new(auth: &Auth<U>) -> Self {
        let meta = auth.user_meta();
        Self {
            auth: auth.clone(),
            prefix: "/admin/".to_owned(),
            users: Some(UserAdmin::of(meta)),
            groups: meta.links.as_ref().map(|_| GroupAdmin::default()),
            columns: Vec::new(),
            texts: Texts {
                title: Text::Key("admin_site.title"),
                header: Text::Key("admin_site.header"),
                index_title: Text::Key("admin_site.index_title"),
            },
            site_url: Some("/".to_owned()),
        }
    }

    /// Another place than `/admin/`: a path from the root of the host.
    pub fn at(mut self, prefix: &str) -> Self {
        let path = prefix.trim_matches('/');
        self.prefix = match path {
            "" => "/".to_owned(),
            path => format!("/{path}/"),
        };
        self
    }

    /// How users are listed and changed.
    pub fn users(mut self, admin: UserAdmin) -> Self {
        self.users = Some(admin);
        self
    }

    /// How groups are listed and changed.
    pub fn groups(mut self, admin: GroupAdmin) -> Self {
        self.groups = Some(admin);
        self
    }

    /// Leaves users out.
    pub fn unregister_users(mut self) -> Self {
        self.users = None;
        self
    }

    /// Leaves groups out.
    pub fn unregister_groups(mut self) -> Self {
        self.groups = None;
        self
    }

    /// What stands in the title of the window.
    pub fn site_title(mut self, text: impl Into<Text>) -> Self {
        self.texts.title = text.into();
        self
    }

    /// What stands at the top of each page.
    pub fn site_header(mut self, text: impl Into<Text>) -> Self {
        self.texts.header = text.into();
        self
    }

    /// The heading of the first page.
    pub fn index_title(mut self, text: impl Into<Text>) -> Self {
        self.texts.index_title = text.into();
        self
    }

    /// Where the link to the site leads; `None`: there is none.
    pub fn site_url(mut self, url: Option<String>) -> Self {
        self.site_url = url;
        self
    }

    /// A column that the list of users can name in `list_display`. It cannot be sorted by.
    pub fn column(
        mut self,
        name: &'static str,
        label: impl Into<Text>,
        show: impl Fn(&U) -> String + Send + Sync + 'static,
    ) -> Self {
        self.columns.push(Column {
            name,
            label: label.into(),
            show: Box::new(show),
        });
        self
    }

    /// Whether every field that the data names exists.
    ///
    /// # Errors
    /// `ImproperlyConfigured`: it names the field, where it stands, and Django's number of the check.
    pub fn check(&self) -> Result<(), Error> {
        check::check(self)
    }

    /// The routes, for `Router::merge` inside of [`Auth::layer`]. If [`check`](Self::check) fails, the log
    /// says so and every page answers 500.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let prefix = self.prefix.clone();
        let append_slash = self.auth.append_slash();
        let site = Arc::new(Site::new(self));
        let pages = any(move |request: extract::Request| serve::serve(site.clone(), request));
        let router = Router::new()
            .route(&prefix, pages.clone())
            .route(&format!("{prefix}{{*rest}}"), pages);
        match prefix.trim_end_matches('/') {
            "" => router,
            bare => router.route(bare, append_slash),
        }
    }
}

/// What every page knows of the site.
pub(crate) struct SiteInfo {
    pub(crate) prefix: String,
    texts: Texts,
    pub(crate) site_url: Option<String>,
    pub(crate) models: Vec<ModelPath>,
}

impl SiteInfo {
    /// What a whole path asks for; it is percent-decoded already.
    fn route(&self, path: &str) -> Route {
        let rest = path.strip_prefix(&self.prefix);
        rest.map_or(Route::Nowhere, |rest| resolve::resolve(rest, &self.models))
    }

    /// The path that a route is at, quoted.
    pub(crate) fn url(&self, route: &Route) -> String {
        format!("{}{}", self.prefix, resolve::reverse(route, &self.models))
    }

    pub(crate) fn site_title(&self, language: Language) -> String {
        self.texts.title.in_language(language)
    }

    pub(crate) fn site_header(&self, language: Language) -> String {
        self.texts.header.in_language(language)
    }

    pub(crate) fn index_title(&self, language: Language) -> String {
        self.texts.index_title.in_language(language)
    }
}

/// The site for pages, which do not know the type of the user model.
pub(crate) struct SiteInner {
    pub(crate) info: Arc<SiteInfo>,
    pub(crate) models: Vec<Registered>,
    pub(crate) log: Box<dyn Log>,
    pub(crate) beyond: Box<dyn Beyond>,
    /// The log of logins and changes.
    pub(crate) events: Arc<Reader>,
    pub(crate) templates: Templates,
    pub(crate) clock: Arc<dyn Clock>,
}

impl SiteInner {
    /// The registered model, if it is registered.
    pub(crate) fn model(&self, id: ModelId) -> Option<&Registered> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The template of a model's page, as Django looks for it: `admin/<app>/<model>/<name>`,
    /// `admin/<app>/<name>`, `admin/<name>`.
    pub(crate) fn template(&self, model: &Registered, name: &str) -> String {
        let (app, class) = (&model.info.app_label, &model.info.model_name);
        let names = [
            format!("admin/{app}/{class}/{name}"),
            format!("admin/{app}/{name}"),
            format!("admin/{name}"),
        ];
        let found = self
            .templates
            .first_of(&names.each_ref().map(String::as_str));
        found.map_or_else(|| names[2].clone(), str::to_owned)
    }
}
