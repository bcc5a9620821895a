//! What is done to the selected objects of a list: `django/contrib/admin/actions.py`.

use djauth::{Error, ErrorKind};
use minijinja::{Value, context};

use crate::deleted::Going;
use crate::listed::COUNT_LIMIT;
use crate::messages::Level;
use crate::model::{Actor, Count, Editing, Made, ModelId, Object, Registered, Start, capfirst};
use crate::options::Seen;
use crate::request::{AdminRequest, Answer, Route};
use crate::sites::SiteInner;
use crate::views::{Asked, changelist_view, count_text, page_values};

/// The field that names the selected objects.
const SELECTED: &str = "_selected_action";
const ACTION: &str = "action";
/// Which of several boxes with actions was used; a form that names none is a confirmation.
const INDEX: &str = "index";
const ACROSS: &str = "select_across";
/// How many objects the confirmation of a whole list had shown.
const COUNT: &str = "_count";

pub(crate) fn changelist_action<'a>(
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
) -> Made<'a, Answer> {
    let asked = match Asked::of(model, request, actor) {
        Ok(asked) => asked,
        Err(answer) => return Box::pin(std::future::ready(Ok(*answer))),
    };
    let data = request.data();
    let is_action = data.contains(INDEX) || data.contains(SELECTED);
    if !asked.has_actions || !is_action {
        return changelist_view(site, model, request, actor);
    }
    Box::pin(async move {
        let action = Action {
            site,
            model,
            request,
            actor,
            asked: &asked,
        };
        action.respond().await
    })
}

/// An action that somebody may take.
struct Action<'a> {
    site: &'a SiteInner,
    model: &'a Registered,
    request: &'a AdminRequest,
    actor: &'a Actor,
    asked: &'a Asked<'a>,
}

impl Action<'_> {
    /// Django's `response_action`.
    async fn respond(&self) -> Result<Answer, Error> {
        let data = self.request.data();
        let selected = data.get_list(SELECTED);
        if selected.is_empty() {
            return Ok(self.refuse("admin_list.nothing_selected"));
        }
        let place = data
            .get(INDEX)
            .and_then(|index| index.parse::<usize>().ok());
        let actions = data.get_list(ACTION);
        let action = actions.get(place.unwrap_or_default()).or(actions.last());
        if action.map(String::as_str) != Some("delete_selected") {
            return Ok(self.refuse("admin_list.no_action"));
        }
        let Some(objects) = self.objects(selected).await? else {
            return Ok(self.refuse("admin_list.too_many"));
        };
        self.delete_selected(objects).await
    }

    /// The list again, with a message.
    fn refuse(&self, key: &'static str) -> Answer {
        let limit = [("limit", COUNT_LIMIT.to_string())];
        let text = self.request.t(key, &limit);
        self.request.messages.add(Level::Warning, text);
        self.again()
    }

    /// To the same list, with its filters.
    fn again(&self) -> Answer {
        Answer::Redirect(self.request.request().get_full_path())
    }

    fn is_across(&self) -> bool {
        self.request.data().get(ACROSS) == Some("1")
    }

    /// Those of the selected that are in the list. `None`: more than can be taken at once.
    async fn objects(&self, selected: &[String]) -> Result<Option<Vec<Object>>, Error> {
        let listed = &self.model.listed;
        let keys = match self.is_across() {
            false => selected.to_vec(),
            true => {
                let all = self.asked.query(Start::First, 0);
                listed.keys(&all, COUNT_LIMIT + 1).await?
            }
        };
        if keys.len() as u64 > COUNT_LIMIT {
            return Ok(None);
        }
        let query = self.asked.query(Start::Keys(keys), 0);
        Ok(Some(listed.page(&query).await?.rows))
    }

    /// Asks first; then deletes, with an entry in the log for each.
    async fn delete_selected(&self, objects: Vec<Object>) -> Result<Answer, Error> {
        let keys: Vec<_> = objects.iter().map(|object| object.key.clone()).collect();
        let going = self.model.edited.going(&keys).await?;
        let going = going.seen_by(self.actor, self.model.id);
        if !self.is_confirmed(objects.len()) || going.is_blocked() {
            return self.confirmation(&objects, &going, false).await;
        }
        match self.deleted(&keys).await {
            Ok(deleted) => Ok(self.done(deleted)),
            // The database has found something that refers to one of them.
            Err(error) if matches!(error.kind(), ErrorKind::Integrity { .. }) => {
                self.confirmation(&objects, &going, true).await
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the question was answered, and for as many as there are now.
    fn is_confirmed(&self, count: usize) -> bool {
        let data = self.request.data();
        let seen = data.get(COUNT).and_then(|seen| seen.parse::<usize>().ok());
        data.contains("post") && (!self.is_across() || seen.is_none_or(|seen| seen == count))
    }

    async fn deleted(&self, keys: &[String]) -> Result<u64, Error> {
        if keys.is_empty() {
            return Ok(0);
        }
        let editing = Editing {
            request: self.request,
            actor: self.actor,
            data: Some(self.request.data()),
            fields: Vec::new(),
            seen: Seen::default(),
        };
        self.model.edited.delete(&editing, keys).await
    }

    fn done(&self, deleted: u64) -> Answer {
        if deleted > 0 {
            let objects = count_text(self.request, self.model, exactly(deleted));
            let params = [("objects", objects)];
            let text = self.request.t("admin_list.deleted", &params);
            self.request.messages.add(Level::Success, text);
        }
        self.again()
    }

    /// `refused`: the database did not let them go.
    async fn confirmation(
        &self,
        objects: &[Object],
        going: &Going,
        refused: bool,
    ) -> Result<Answer, Error> {
        let keys: Vec<_> = objects.iter().map(|object| object.key.clone()).collect();
        let last = self.model.edited.includes_last_superuser(&keys).await?;
        let name = "delete_selected_confirmation.html";
        let template = self.site.template(self.model, name);
        let shown = self.model.options.delete_confirmation_max_display;
        let shown = usize::try_from(shown).unwrap_or(usize::MAX);
        // Of a whole list one is enough: the others are found again.
        let sent = if self.is_across() { 1 } else { keys.len() };
        let values = context! {
            title => self.request.t("admin_list.sure", &[]),
            objects_name => count_text(self.request, self.model, exactly(keys.len() as u64)),
            queryset => objects.iter().take(shown).map(|o| self.object(o, going)).collect::<Value>(),
            more => objects.len().checked_sub(shown).filter(|more| *more > 0),
            selected => keys.iter().take(sent).map(String::as_str).collect::<Value>(),
            is_self => self.model.id == ModelId::Users && keys.contains(&self.actor.key_text),
            last_superuser => last,
            across => self.is_across(),
            count => keys.len(),
            going => going.value(&self.site.info, self.model, self.request.language),
            blocked => refused || going.is_blocked(),
            cancel_url => format!("?{}", self.request.request().query_string()),
            ..page_values(self.model, self.request, self.actor)
        };
        Ok(Answer::page(template, values))
    }

    fn object(&self, object: &Object, going: &Going) -> Value {
        let name = self
            .model
            .info
            .verbose_name
            .in_language(self.request.language);
        let route = Route::Change(self.model.id, object.key.clone());
        context! {
            model => capfirst(&name),
            name => &object.repr,
            url => self.request.url(&route),
            lines => going.lines(&object.key, self.request.language),
        }
    }
}

fn exactly(known: u64) -> Count {
    Count {
        known,
        ..Count::default()
    }
}
