//! What a user may do, and why.

use minijinja::{Value, context};

use crate::model::{Actor, Made, ModelId, Object, Registered};
use crate::options::Page;
use crate::reasons::{Answered, Effective, Named, Reason, Why};
use crate::request::{AdminRequest, Answer, Route};
use crate::sites::SiteInner;

/// Permissions on a page.
const PER_PAGE: usize = 200;
/// Characters of a permission that is asked about: more than any row can have.
const LONGEST: usize = 255;

/// The permissions that a user has, each with every reason, for who may see users. `?perm=app.codename` asks
/// about one.
pub(crate) fn effective_view<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
    key: &'a str,
) -> Made<'a, Answer> {
    Box::pin(async move {
        let page = Page::new(site, model, request, actor);
        if !page.rights.view {
            return Ok(Answer::Forbidden);
        }
        let Some(object) = model.edited.get(key).await? else {
            return Ok(page.missing(key));
        };
        let asked = request.query().get("perm").map(str::trim);
        let asked = asked.filter(|perm| !perm.is_empty() && perm.chars().count() <= LONGEST);
        let Some(found) = site.beyond.effective(&object.key, asked).await? else {
            return Ok(page.missing(key));
        };
        let shown = Shown {
            site,
            request,
            actor,
        };
        let values = context! {
            subtitle => &object.repr,
            ..shown.effective(&object, &found)
        };
        let params = [(
            "name",
            model.info.verbose_name.in_language(request.language),
        )];
        let title = request.t("admin_more.rights_title", &params);
        let values = context! { ..values, ..page.context(title, Some(&object)) };
        Ok(Answer::page("admin/effective_permissions.html", values))
    })
}

/// A page about rights, and who asks for it.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) site: &'a SiteInner,
    pub(crate) request: &'a AdminRequest,
    pub(crate) actor: &'a Actor,
}

impl Shown<'_> {
    fn effective(&self, object: &Object, found: &Effective) -> Value {
        let number = self.request.query().get("p").and_then(|p| p.parse().ok());
        let pages = found.held.len().div_ceil(PER_PAGE).max(1);
        let number = number.unwrap_or(1).clamp(1, pages);
        let held = found.held.iter().skip((number - 1) * PER_PAGE);
        let held: Vec<_> = held.take(PER_PAGE).collect();
        let by_app = held.chunk_by(|(a, _), (b, _)| a.app_label == b.app_label);
        context! {
            has_permissions => self.site.beyond.has_permissions(),
            is_active => found.is_active,
            is_superuser => found.is_superuser,
            asks_others => found.asks_others,
            count => found.held.len(),
            apps => by_app.map(|held| self.app(held)).collect::<Value>(),
            answer => found.answer.as_ref().map(|answer| self.answer(object, found, answer)),
            page => number,
            pages,
        }
    }

    fn app(&self, held: &[&(Named, Why)]) -> Value {
        let permission = |(named, why): &&(Named, Why)| {
            context! { why => self.why(why), ..self.named(named) }
        };
        context! {
            label => held.first().map(|(named, _)| &named.app_label),
            permissions => held.iter().map(permission).collect::<Value>(),
        }
    }

    /// A permission, with the way to those who hold it.
    pub(crate) fn named(&self, named: &Named) -> Value {
        let may = may_list(self.actor);
        let url = |id| self.request.url(&Route::Holders(Some(id)));
        context! {
            name => &named.name,
            perm => named.perm(),
            app_label => &named.app_label,
            model => &named.model,
            url => named.id.filter(|_| may).map(|id| format!("{}?active=1", url(id))),
        }
    }

    pub(crate) fn why(&self, why: &Why) -> Value {
        context! {
            reasons => why.reasons.iter().map(|reason| self.reason(reason)).collect::<Value>(),
            more_groups => why.more_groups,
        }
    }

    /// With a link to the group for who may see it.
    fn reason(&self, reason: &Reason) -> Value {
        let t = |key, params: &[(&str, String)]| self.request.t(key, params);
        match reason {
            Reason::Superuser => context! { text => t("admin_more.by_flag", &[]) },
            Reason::Direct => context! { text => t("admin_more.by_row", &[]) },
            Reason::Group(id, name) => {
                let text = t("admin_more.by_group", &[("group", name.clone())]);
                context! { text, url => self.group(*id) }
            }
            Reason::Backend(path) => {
                context! { text => t("admin_more.by_backend", &[("backend", path.clone())]) }
            }
        }
    }

    fn group(&self, id: i32) -> Option<String> {
        let groups = self.site.model(ModelId::Groups)?;
        let may = self.actor.rights(ModelId::Groups).view;
        may.then(|| self.request.url(&Route::Change(groups.id, id.to_string())))
    }

    fn answer(&self, object: &Object, found: &Effective, answer: &Answered) -> Value {
        let params = [("name", object.repr.clone()), ("perm", answer.perm.clone())];
        let text = match answer.yes {
            true => self.request.t("admin_more.answer_yes", &params),
            false => self.request.t("admin_more.answer_no", &params),
        };
        let more = self.more(found, answer);
        context! { perm => &answer.perm, yes => answer.yes, text, more, why => self.why(&answer.why) }
    }

    /// What is to be said besides yes or no.
    fn more(&self, found: &Effective, answer: &Answered) -> Option<String> {
        let is_given = !answer.why.reasons.is_empty();
        let key = match (answer.yes, answer.is_known) {
            (true, _) if !is_given => "admin_more.answer_other",
            (false, _) if is_given => "admin_more.answer_denied",
            (false, true) if !found.is_active => "admin_more.answer_inactive",
            (true, true) => return None,
            (false, true) => "admin_more.answer_none",
            (_, false) => "admin_more.answer_unknown",
        };
        Some(self.request.t(key, &[]))
    }
}

/// Who may see the list of permissions and who holds them.
pub(crate) fn may_list(actor: &Actor) -> bool {
    actor.may("auth.view_permission") && actor.rights(ModelId::Users).view
}
