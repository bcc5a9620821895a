//! A request of the admin, and what a page answers it with.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use chrono_tz::Tz;
use djauth::Request;
use djauth::http::{QueryDict, urlencode};
use djauth::i18n::{Language, gettext};
use djauth::views::PageRequest;
use minijinja::Value;

use crate::messages::Messages;
use crate::model::ModelId;
use crate::sites::SiteInfo;

/// The field that carries the query of the list to the pages of its objects and back.
pub(crate) const CHANGELIST_FILTERS: &str = "_changelist_filters";

/// A request of somebody who may enter.
pub(crate) struct AdminRequest {
    pub(crate) page: PageRequest,
    pub(crate) route: Route,
    pub(crate) site: Arc<SiteInfo>,
    pub(crate) messages: Messages,
    pub(crate) language: Language,
    /// The time zone of moments in pages.
    pub(crate) zone: Tz,
}

impl AdminRequest {
    /// The request as djauth sees it: session, headers, path.
    pub(crate) fn request(&self) -> &Request {
        self.page.request()
    }

    pub(crate) fn is_post(&self) -> bool {
        self.page.is_post()
    }

    pub(crate) fn data(&self) -> &QueryDict {
        self.page.data()
    }

    pub(crate) fn query(&self) -> &QueryDict {
        self.page.query()
    }

    /// Whether the page is in a window of its own, which it closes at the end.
    pub(crate) fn is_popup(&self) -> bool {
        let name = djauth::admin::IS_POPUP_VAR;
        self.query().contains(name) || self.data().contains(name)
    }

    /// The query of the list that this page goes back to: its own if it is the list, otherwise what its
    /// address carries. `None` if there is none to keep.
    pub(crate) fn preserved_filters(&self) -> Option<String> {
        let kept = match self.route {
            Route::List(_) => self.query().urlencode(),
            _ => self.query().get(CHANGELIST_FILTERS)?.to_owned(),
        };
        Some(kept).filter(|kept| !kept.is_empty())
    }

    /// The address of a page, without a query.
    pub(crate) fn url(&self, route: &Route) -> String {
        self.site.url(route)
    }

    /// The same with the query of the list, for links from and to the pages of objects.
    pub(crate) fn url_keeping_filters(&self, route: &Route) -> String {
        let url = self.url(route);
        match self.preserved_filters() {
            Some(kept) => format!("{url}?{}", urlencode([(CHANGELIST_FILTERS, kept)])),
            None => url,
        }
    }

    /// A text in the visitor's language.
    pub(crate) fn t(&self, key: &'static str, params: &[(&str, String)]) -> String {
        gettext(self.language, key, params)
    }
}

/// What a page came to; the site makes the response of it.
pub(crate) enum Answer {
    /// A template with its values, besides those that every page has.
    Page {
        template: String,
        values: Value,
        status: u16,
    },
    Redirect(String),
    Forbidden,
    NotFound,
    BadRequest,
    Response(Response<Body>),
}

impl Answer {
    /// A page that is as it should be.
    pub(crate) fn page(template: impl Into<String>, values: Value) -> Self {
        let (template, status) = (template.into(), 200);
        Self::Page {
            template,
            values,
            status,
        }
    }
}

/// What an address below the prefix asks for. Keys of objects are as they are in the database, no longer
/// as [`quote()`](crate::quote()) writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Index,
    Login,
    Logout,
    PasswordChange,
    PasswordChangeDone,
    Autocomplete,
    JsI18n,
    ViewOnSite,
    AppList(String),
    List(ModelId),
    Add(ModelId),
    Change(ModelId, String),
    Delete(ModelId, String),
    History(ModelId, String),
    /// Of a user.
    Password(String),
    /// An object without what to do with it; the key as it stands in the address.
    Bare(ModelId, String),
    /// Of a user.
    Sessions(String),
    /// Of a user: what they may do, and why.
    Effective(String),
    /// All permissions, or who holds one.
    Holders(Option<i32>),
    Log,
    Export,
    /// A hash and a file.
    Static(String),
    Nowhere,
}

impl Route {
    /// The model that the page is of.
    pub(crate) fn model(&self) -> Option<ModelId> {
        match self {
            Self::List(id) | Self::Add(id) | Self::Bare(id, _) => Some(*id),
            Self::Change(id, _) | Self::Delete(id, _) | Self::History(id, _) => Some(*id),
            Self::Password(_) | Self::Sessions(_) | Self::Effective(_) => Some(ModelId::Users),
            _ => None,
        }
    }
}
