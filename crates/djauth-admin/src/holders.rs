//! All permissions, and who holds one.

use djauth::http::urlencode;
use minijinja::{Value, context};

use crate::model::{Actor, Made, ModelId, Object, Registered, Start, capfirst};
use crate::permissions::{Shown, may_list};
use crate::reasons::{AskedHolders, Held, Holder, HolderPage, Named, PermissionPage};
use crate::request::{AdminRequest, Answer, Route};
use crate::sites::SiteInner;
use crate::views::{count_text, cursor, place};

/// Characters of a search that are looked at.
const LONGEST: usize = 200;

/// The list of permissions, or who holds one, for who may see both permissions and users.
pub(crate) fn holders_view<'a>(
    site: &'a SiteInner,
    request: &'a AdminRequest,
    actor: &'a Actor,
    permission: Option<i32>,
) -> Made<'a, Answer> {
    Box::pin(async move {
        let users = site.model(ModelId::Users);
        let Some(users) = users.filter(|_| site.beyond.has_permissions()) else {
            return Ok(Answer::NotFound);
        };
        if !may_list(actor) {
            return Ok(Answer::Forbidden);
        }
        let shown = Shown {
            site,
            request,
            actor,
        };
        match permission {
            None => list(shown).await,
            Some(id) => match site.beyond.permission(id).await? {
                Some(named) => holders(shown, users, &named).await,
                None => Ok(Answer::NotFound),
            },
        }
    })
}

fn list<'a>(shown: Shown<'a>) -> Made<'a, Answer> {
    Box::pin(async move {
        let query = shown.request.query();
        let search: String = query
            .get("q")
            .unwrap_or_default()
            .chars()
            .take(LONGEST)
            .collect();
        let page = query.get("p").and_then(|p| p.parse().ok()).unwrap_or(1);
        let found = shown.site.beyond.permissions(&search, page).await?;
        let values = context! {
            title => shown.request.t("admin_more.permissions", &[]),
            subtitle => (),
            search => &search,
            rows => found.rows.iter().map(|named| shown.named(named)).collect::<Value>(),
            ..pages(&found, &search)
        };
        Ok(Answer::page("admin/permission_list.html", values))
    })
}

fn pages(found: &PermissionPage, search: &str) -> Value {
    let link = |page: usize| {
        let page = page.to_string();
        let pairs = [("p", page.as_str()), ("q", search)];
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        format!("?{}", urlencode(pairs))
    };
    context! {
        count => found.count,
        page => found.page,
        pages => found.pages,
        previous => (found.page > 1).then(|| link(found.page - 1)),
        next => (found.page < found.pages).then(|| link(found.page + 1)),
    }
}

fn holders<'a>(shown: Shown<'a>, users: &'a Registered, named: &'a Named) -> Made<'a, Answer> {
    Box::pin(async move {
        let site = shown.site;
        let order = site.beyond.holders_order();
        let query = shown.request.query();
        let asked = AskedHolders {
            permission: named,
            is_active: match query.get("active") {
                Some("1") => Some(true),
                Some("0") => Some(false),
                _ => None,
            },
            superusers: query.get("superusers") == Some("1"),
            start: start(users, &order, shown.request),
        };
        let found = site.beyond.holders(&asked).await?;
        let page = Listed {
            shown,
            users,
            asked: &asked,
            found: &found,
            order: &order,
        };
        Ok(Answer::page("admin/permission_holders.html", page.value()))
    })
}

/// Where the page begins; a place that is none is the beginning.
fn start(users: &Registered, order: &[String], request: &AdminRequest) -> Start {
    let place = |name| place(&users.info, order, request.query().get(name)?);
    match (place("after"), place("before")) {
        (Some(values), _) => Start::After(values),
        (None, Some(values)) => Start::Before(values),
        (None, None) => Start::First,
    }
}

/// A page of holders for its template.
struct Listed<'a> {
    shown: Shown<'a>,
    users: &'a Registered,
    asked: &'a AskedHolders<'a>,
    found: &'a HolderPage,
    order: &'a [String],
}

impl Listed<'_> {
    fn value(&self) -> Value {
        let request = self.shown.request;
        let named = self.asked.permission;
        let plural = self
            .users
            .info
            .verbose_name_plural
            .in_language(request.language);
        let (foreign, reads_rows) = self.shown.site.beyond.foreign_backends();
        let (before, after) = self.found.ends(&self.asked.start);
        context! {
            title => request.t("admin_more.holders_title", &[("perm", named.perm())]),
            subtitle => &named.name,
            permission => self.shown.named(named),
            list_url => request.url(&Route::Holders(None)),
            users => capfirst(&plural),
            holders => self.found.rows.iter().map(|row| self.row(row)).collect::<Value>(),
            count => count_text(request, self.users, self.found.held.count()),
            any_activity => matches!(self.found.held, Held::MoreOfAnyActivity(_)),
            looked => self.looked(),
            active => self.asked.is_active.map(i32::from),
            superusers => self.asked.superusers,
            foreign,
            reads_rows,
            first => self.is_further_on().then(|| self.link(None)),
            previous => self.place("before", self.found.is_preceded, before),
            next => self.place("after", self.found.is_followed, after),
        }
    }

    /// Whether the page is not the first one, also where nobody is on it any more.
    fn is_further_on(&self) -> bool {
        self.found.is_preceded || !matches!(self.asked.start, Start::First)
    }

    /// How many users were looked at, where the search ended early and the next page goes on from there.
    fn looked(&self) -> Option<usize> {
        let goes_back = matches!(self.asked.start, Start::Before(_));
        let early = self.found.early().filter(|_| !goes_back);
        early.map(|walked| walked.looked)
    }

    fn row(&self, holder: &Holder) -> Value {
        let request = self.shown.request;
        let key = &holder.user.key;
        let effective = request.url(&Route::Effective(key.clone()));
        let asked = urlencode([("perm", self.asked.permission.perm())]);
        context! {
            name => &holder.user.repr,
            url => request.url(&Route::Change(self.users.id, key.clone())),
            rights_url => format!("{effective}?{asked}"),
            is_active => holder.is_active,
            why => self.shown.why(&holder.why),
        }
    }

    fn place(&self, name: &str, is_there: bool, user: Option<&Object>) -> Option<String> {
        let user = user.filter(|_| is_there)?;
        let place = cursor(&self.users.info, self.order, user)?;
        Some(self.link(Some((name, place))))
    }

    /// This page with another place.
    fn link(&self, place: Option<(&str, String)>) -> String {
        let active = self
            .asked
            .is_active
            .map(|active| i32::from(active).to_string());
        let active = active.map(|active| ("active", active));
        let superusers = self
            .asked
            .superusers
            .then(|| ("superusers", "1".to_owned()));
        format!(
            "?{}",
            urlencode(active.into_iter().chain(superusers).chain(place))
        )
    }
}
