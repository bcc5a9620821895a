//! The pages that add and change an object.

use djauth::admin::{AddView, Rights as UserRights, UserAdmin};
use djauth::forms::Form;
use minijinja::{Value, context};

use super::response::{response_add, response_change};
use super::{Change, Page, form_value, seen};
use crate::form_page::{Lines, fieldsets};
use crate::messages::Level;
use crate::model::{Actor, Made, ModelId, Object, Registered, Set, Submitted};
use crate::request::{AdminRequest, Answer};
use crate::sites::SiteInner;

/// The page that adds an object.
pub(crate) fn add_view<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
) -> Made<'a, Answer> {
    let page = Page::new(site, model, request, actor);
    if page.asks_by_other_field() {
        return at_once(Answer::BadRequest);
    }
    match page.add_answer() {
        AddView::Form => page.add(false),
        AddView::Forbidden => at_once(Answer::Forbidden),
        AddView::Explained => at_once(Answer::NotFound),
    }
}

/// The page that shows an object, and changes it for who may.
pub(crate) fn change_view<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
    key: &'a str,
) -> Made<'a, Answer> {
    let page = Page::new(site, model, request, actor);
    if page.asks_by_other_field() {
        return at_once(Answer::BadRequest);
    }
    let as_new = request.is_post() && request.data().contains("_saveasnew");
    let may = match (as_new, request.is_post()) {
        (true, _) => page.rights.add,
        (false, true) => page.rights.change,
        (false, false) => page.rights.view,
    };
    match (may, as_new, request.is_post()) {
        (false, ..) => at_once(Answer::Forbidden),
        (true, true, _) => page.add(true),
        (true, false, true) => page.change(key),
        (true, false, false) => page.show(key),
    }
}

fn at_once<'a>(answer: Answer) -> Made<'a, Answer> {
    Box::pin(std::future::ready(Ok(answer)))
}

/// What a page with a form is made of.
struct Shown<'s> {
    form: &'s Form,
    /// Whether nobody else is an active superuser.
    is_last: bool,
    /// The fields that are only shown.
    read_only: Option<&'s Form>,
    object: Option<&'s Object>,
    hidden: Vec<(String, String)>,
    as_new: bool,
}

impl<'a> Page<'a> {
    /// Who adds users must also be able to change them.
    fn add_answer(&self) -> AddView {
        let (add, change) = (self.rights.add, self.rights.change);
        match self.model.id {
            ModelId::Groups if add => AddView::Form,
            ModelId::Groups => AddView::Forbidden,
            ModelId::Users => {
                let debug = self.request.request().settings().debug;
                UserAdmin::default().add_view(UserRights { add, change }, debug)
            }
        }
    }

    fn names(sets: &'a [Set]) -> Vec<&'a str> {
        let names = sets.iter().flat_map(|set| &set.fields);
        names.map(String::as_str).collect()
    }

    /// The fields of the change page, without the password, which is never in a form.
    fn shown_fields(&self) -> Vec<&'a str> {
        let mut names = Self::names(&self.model.options.fieldsets);
        names.retain(|name| *name != "password");
        names
    }

    /// Those that may be changed: what stands on the page and is neither read-only nor the key.
    fn editable(&self) -> Vec<&'a str> {
        let mut names = self.shown_fields();
        let read_only = &self.model.options.readonly_fields;
        names.retain(|name| {
            *name != self.model.info.pk && !read_only.iter().any(|known| known == name)
        });
        names
    }

    fn add(self, as_new: bool) -> Made<'a, Answer> {
        Box::pin(async move {
            let fields = Self::names(&self.model.options.add_fieldsets);
            let data = self.request.is_post().then(|| self.request.data());
            let cx = self.editing(fields, data);
            if data.is_none() {
                let form = self.model.edited.add_form(&cx).await?;
                return Ok(self.add_page(&form, as_new));
            }
            match self.model.edited.add(&cx).await? {
                Submitted::Saved(object, _) => Ok(response_add(&self, &object)),
                Submitted::Invalid(form) | Submitted::Conflict(form, _) => {
                    Ok(self.add_page(&form, as_new))
                }
                Submitted::Gone => Ok(Answer::NotFound),
            }
        })
    }

    fn change(self, key: &'a str) -> Made<'a, Answer> {
        Box::pin(async move {
            let data = self.request.data();
            let cx = self.editing(self.editable(), Some(data));
            let (form, conflicts) = match self.model.edited.change(&cx, key).await? {
                Submitted::Saved(object, labels) => {
                    self.warn_of_loss(&labels).await;
                    return Ok(response_change(&self, &object));
                }
                Submitted::Gone => return Ok(self.missing(key)),
                Submitted::Invalid(form) => (form, Vec::new()),
                Submitted::Conflict(form, conflicts) => (form, conflicts),
            };
            let Some(object) = self.model.edited.get(key).await? else {
                return Ok(self.missing(key));
            };
            let told = self.told(&object, conflicts);
            self.change_page(&form, &object, seen::echoed(data, &told))
                .await
        })
    }

    /// The hidden fields for what the visitor is told about conflicts.
    fn told(&self, object: &Object, conflicts: Vec<Change>) -> Vec<(String, String)> {
        let mut object = object.clone();
        let mut names = Vec::new();
        for Change { field, now } in conflicts {
            object.values.insert(field.clone(), now);
            names.push(field);
        }
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        self.model.edited.seen(&object, &names)
    }

    /// Nothing is refused, but who has taken the last superuser's rights away is told so.
    /// The change is saved: that nobody knows whether it was a loss is no failure of the page.
    async fn warn_of_loss(&self, labels: &[String]) {
        match self.model.edited.lost_superusers(labels).await {
            Ok(true) => {
                let text = self.request.t("admin_form.no_superuser", &[]);
                self.request.messages.add(Level::Warning, text);
            }
            Ok(false) => (),
            Err(error) => {
                tracing::error!(target: "djauth.admin", %error, "superusers were not counted after a change");
            }
        }
    }

    fn show(self, key: &'a str) -> Made<'a, Answer> {
        Box::pin(async move {
            let Some(object) = self.model.edited.get(key).await? else {
                return Ok(self.missing(key));
            };
            let fields = match self.rights.change {
                true => self.editable(),
                false => Vec::new(),
            };
            let hidden = match self.rights.change {
                true => self.model.edited.seen(&object, &fields),
                false => Vec::new(),
            };
            let cx = self.editing(fields, None);
            let form = self.model.edited.change_form(&cx, &object).await?;
            self.change_page(&form, &object, hidden).await
        })
    }

    fn change_page<'s>(
        &'s self,
        form: &'s Form,
        object: &'s Object,
        hidden: Vec<(String, String)>,
    ) -> Made<'s, Answer> {
        Box::pin(async move {
            let mut rest = self.shown_fields();
            rest.retain(|name| !form.fields().iter().any(|field| field.name() == *name));
            let cx = self.editing(rest, None);
            let read_only = self.model.edited.change_form(&cx, object).await?;
            let edited = &self.model.edited;
            let is_last = self.rights.change && edited.seems_last_superuser(&object.key).await?;
            let shown = Shown {
                form,
                is_last,
                read_only: Some(&read_only),
                object: Some(object),
                hidden,
                as_new: false,
            };
            Ok(self.page(&shown))
        })
    }

    fn add_page(&self, form: &Form, as_new: bool) -> Answer {
        self.page(&Shown {
            form,
            is_last: false,
            read_only: None,
            object: None,
            hidden: Vec::new(),
            as_new,
        })
    }

    fn page(&self, shown: &Shown<'_>) -> Answer {
        let params = [("name", self.name())];
        let title = match (shown.object, self.rights.change) {
            (None, _) => self.request.t("admin_form.title_add", &params),
            (Some(_), true) => self.request.t("admin_form.title_change", &params),
            (Some(_), false) => self.request.t("admin_form.title_view", &params),
        };
        let options = &self.model.options;
        let sets = match shown.object {
            Some(_) => &options.fieldsets,
            None => &options.add_fieldsets,
        };
        let lines = Lines {
            request: self.request,
            model: self.model,
            form: shown.form,
            read_only: shown.read_only,
            object: shown.object,
            may_change: self.rights.change,
            add_group: self.add_group(),
        };
        let values = context! {
            subtitle => shown.object.map(|object| &object.repr),
            add => shown.object.is_none(),
            is_self => self.is_self(shown.object),
            last_superuser => shown.is_last,
            fieldsets => fieldsets(&lines, sets),
            buttons => self.buttons(shown),
            ..form_value(self, shown.form, &shown.hidden)
        };
        let values = context! { ..values, ..self.context(title, shown.object) };
        Answer::page(self.form_template(shown.object.is_none()), values)
    }

    fn form_template(&self, adding: bool) -> String {
        let own = self.model.options.add_form_template.as_ref();
        match own.filter(|_| adding) {
            Some(own) => own.clone(),
            None => self.site.template(self.model, "change_form.html"),
        }
    }

    /// Where another group can be made beside a user.
    fn add_group(&self) -> Option<String> {
        let may = self.actor.rights(ModelId::Groups).add && self.rights.change;
        let groups = self.site.model(ModelId::Groups).filter(|_| may)?;
        let url = self.request.url(&crate::request::Route::Add(groups.id));
        let info = &self.model.info;
        let source = format!("{}.{}", info.app_label, info.model_name);
        Some(format!(
            "{url}?_to_field=id&_popup=1&_source_model={source}"
        ))
    }

    fn is_self(&self, object: Option<&Object>) -> bool {
        let own = object.is_some_and(|object| object.key == self.actor.key_text);
        self.model.id == ModelId::Users && own && self.rights.change
    }

    /// Django's `submit_row`.
    fn buttons(&self, shown: &Shown<'_>) -> Value {
        let (rights, popup) = (self.rights, self.request.is_popup());
        let adding = shown.object.is_none();
        let may_save = if adding { rights.add } else { rights.change };
        let save = may_save && !shown.as_new;
        context! {
            save,
            proceed => save && rights.change && !popup,
            another => may_save && rights.add && !popup && (adding && !shown.as_new || rights.change),
            close => (!save && rights.view || shown.as_new).then(|| self.list_or_index(true)),
        }
    }
}
