//! The rows of groups, one at a time.

use djauth::forms::{Field, FieldKind, Form, ValidationError};
use djauth::models::Q;
use djauth::{Auth, BaseUser, Error, Group};
use djauth_db::{Executor, Sql, Transaction, Value};
use indexmap::IndexMap;

use super::fields::{
    Offered, as_asked, chosen, fill, fill_from_query, is_taken, label, offered, relation_field,
    say_conflicts, say_taken, tell_kept,
};
use crate::deleted::{CHUNK, Going, LINES_SHOWN};
use crate::model::{Edited, Editing, Made, ModelInfo, Object, Submitted};
use crate::models::{ActionFlag, ChangeMessage, LogEntryManager, NewEntries};
use crate::options::{self, Merged, Wanted};

const NAME: &str = "name";
const PERMISSIONS: &str = "permissions";

pub(crate) struct Groups<U: BaseUser> {
    auth: Auth<U>,
    info: ModelInfo,
    log: LogEntryManager<U>,
}

impl<U: BaseUser> Groups<U> {
    pub(crate) fn new(auth: &Auth<U>, info: ModelInfo) -> Self {
        Self {
            auth: auth.clone(),
            info,
            log: LogEntryManager::new(auth),
        }
    }

    fn secret(&self) -> &[u8] {
        self.auth.secret_keys().key.as_bytes()
    }

    /// The form with these of its fields.
    fn form(&self, cx: &Editing<'_>, offered: &Offered, object: Option<&Object>) -> Form {
        let field = |name: &&str| {
            let spec = self.info.field(name)?;
            let mut field = match spec.relation {
                Some(relation) => relation_field(spec, relation, offered),
                None if *name == NAME => Field::new(NAME, FieldKind::Text)
                    .label(label(spec))
                    .max_length(150),
                None => return None,
            };
            if let Some(object) = object {
                fill(&mut field, object, cx.request.zone);
            }
            Some(field)
        };
        Form::new(cx.fields.iter().filter_map(field), cx.data)
    }

    /// A group with its permissions, inside of a transaction.
    async fn read(&self, tx: &Transaction, id: i32) -> Result<Option<(Group, Object)>, Error> {
        let groups = self.auth.groups().using(tx);
        let Some(group) = groups.get(id).await? else {
            return Ok(None);
        };
        let permissions = groups.permissions(&group).ids().await?;
        let object = object(&group, Some(permissions));
        Ok(Some((group, object)))
    }

    /// The form of the row as it is now, or of a new one, with what was sent.
    async fn checked(
        &self,
        tx: &Transaction,
        cx: &Editing<'_>,
        now: Option<(i32, &Object)>,
    ) -> Result<Form, Error> {
        let groups = self.auth.groups().using(tx);
        let permissions = self.auth.permissions().using(tx);
        let offered = offered(groups, permissions, &self.info, &cx.fields).await?;
        let mut form = self.form(cx, &offered, now.map(|(_, object)| object));
        form.clean_fields();
        self.validate(tx, &mut form, now.map(|(id, _)| id)).await?;
        Ok(form)
    }

    /// The names of groups are unique.
    async fn validate(
        &self,
        tx: &Transaction,
        form: &mut Form,
        own: Option<i32>,
    ) -> Result<(), Error> {
        let Some(name) = form.text(NAME).map(str::to_owned) else {
            return Ok(());
        };
        let same = self.auth.groups().using(tx).filter(Q::eq(NAME, name));
        let same = match own {
            Some(id) => same.exclude(Q::eq("pk", id)),
            None => same,
        };
        if same.exists().await? {
            form.add_error(Some(NAME), ValidationError::of("unique"));
        }
        Ok(())
    }

    fn write<'a>(
        &'a self,
        tx: &'a Transaction,
        cx: &'a Editing<'a>,
        objects: &'a [(String, String)],
        what: (ActionFlag, ChangeMessage),
    ) -> Made<'a, ()> {
        Box::pin(async move {
            let (flag, message) = what;
            let new = NewEntries {
                user: &cx.actor.key,
                model: &self.info,
                objects,
                flag,
                message,
            };
            self.log.log_actions(tx, &new).await
        })
    }

    async fn added(&self, cx: &Editing<'_>) -> Result<Submitted, Error> {
        let tx = self.auth.db().begin().await?;
        let groups = self.auth.groups().using(&tx);
        let mut form = self.checked(&tx, cx, None).await?;
        if !form.is_valid() {
            return Ok(Submitted::Invalid(form));
        }
        let mut group = Group::new(form.text(NAME).unwrap_or_default());
        let saved = groups.save(&mut group).await;
        if saved.as_ref().is_err_and(is_taken) {
            say_taken(&self.info, &mut form);
            return Ok(Submitted::Invalid(form));
        }
        saved?;
        let ids = chosen(&form, PERMISSIONS).unwrap_or_default();
        groups.permissions(&group).add(&ids).await?;
        let object = object(&group, Some(ids));
        let entry = [(object.key.clone(), object.repr.clone())];
        let what = (ActionFlag::Addition, ChangeMessage::Added);
        self.write(&tx, cx, &entry, what).await?;
        tx.commit().await?;
        Ok(Submitted::Saved(object, Vec::new()))
    }

    async fn changed(&self, cx: &Editing<'_>, id: i32) -> Result<Submitted, Error> {
        let tx = self.auth.db().begin().await?;
        lock(&tx, id).await?;
        let Some((mut group, now)) = self.read(&tx, id).await? else {
            return Ok(Submitted::Gone);
        };
        let mut form = self.checked(&tx, cx, Some((id, &now))).await?;
        if !form.is_valid() {
            return Ok(Submitted::Invalid(form));
        }
        let (fields, wanted) = (&cx.fields, wanted(&form));
        let merged = options::merged(&self.info, self.secret(), &now, fields, &wanted, &cx.seen);
        if !merged.conflicts.is_empty() {
            say_conflicts(&self.log, &tx, &self.info, cx, &now, &mut form, &merged).await?;
            return Ok(Submitted::Conflict(form, merged.conflicts));
        }
        match self.renamed(&tx, &mut group, &merged).await {
            Err(error) if is_taken(&error) => {
                say_taken(&self.info, &mut form);
                return Ok(Submitted::Invalid(form));
            }
            renamed => renamed?,
        }
        self.link(&tx, &group, &merged).await?;
        let object = object(&group, None);
        let entry = [(object.key.clone(), object.repr.clone())];
        let message = ChangeMessage::Changed(merged.labels.clone());
        self.write(&tx, cx, &entry, (ActionFlag::Change, message))
            .await?;
        tx.commit().await?;
        tell_kept(&self.info, cx, &merged.kept);
        Ok(Submitted::Saved(object, merged.labels))
    }

    /// Saves the name, if it is another one.
    async fn renamed(
        &self,
        tx: &Transaction,
        group: &mut Group,
        merged: &Merged,
    ) -> Result<(), Error> {
        if let Some((_, Value::Text(name))) = merged.values.first() {
            group.name = name.to_string();
            self.auth.groups().using(tx).save(group).await?;
        }
        Ok(())
    }

    async fn link(&self, tx: &Transaction, group: &Group, merged: &Merged) -> Result<(), Error> {
        let groups = self.auth.groups().using(tx);
        for (_, add, remove) in &merged.links {
            let links = groups.permissions(group);
            links.remove(remove).await?;
            links.add(add).await?;
        }
        Ok(())
    }

    async fn deleted(&self, cx: &Editing<'_>, keys: &[String]) -> Result<u64, Error> {
        let tx = self.auth.db().begin().await?;
        let groups = self.auth.groups().using(&tx);
        let mut found = Vec::new();
        let each = |group: Group| found.push((group.id, group.name));
        let asked = groups.filter(Q::in_("pk", self.ids(keys)));
        asked.order_by(&["pk"]).for_each(each).await?;
        let pair = |(id, name): &(i32, String)| (id.to_string(), name.clone());
        let objects = as_asked(found.iter().map(pair).collect(), keys);
        let what = (ActionFlag::Deletion, ChangeMessage::Deleted);
        self.write(&tx, cx, &objects, what).await?;
        let going = groups.filter(Q::in_("pk", found.iter().map(|(id, _)| *id)));
        groups.delete_all(going).await?;
        tx.commit().await?;
        Ok(objects.len() as u64)
    }

    fn id(&self, key: &str) -> Option<i32> {
        match self.info.parse_key(key)? {
            Value::Int(id) => i32::try_from(id).ok(),
            _ => None,
        }
    }

    fn ids(&self, keys: &[String]) -> Vec<i32> {
        keys.iter().filter_map(|key| self.id(key)).collect()
    }
}

fn wanted(form: &Form) -> Wanted {
    let mut wanted = Wanted::default();
    if let Some(name) = form.text(NAME) {
        wanted
            .values
            .insert(NAME.to_owned(), name.to_owned().into());
    }
    if let Some(ids) = chosen(form, PERMISSIONS) {
        wanted.related.insert(PERMISSIONS.to_owned(), ids);
    }
    wanted
}

fn object(group: &Group, permissions: Option<Vec<i32>>) -> Object {
    let values = [
        ("id".to_owned(), group.id.into()),
        (NAME.to_owned(), Value::from(group.name.clone())),
    ];
    let related = permissions.map(|ids| (PERMISSIONS.to_owned(), ids));
    Object {
        key: group.id.to_string(),
        repr: group.to_string(),
        username: None,
        values: values.into_iter().collect(),
        related: related.into_iter().collect(),
        password: None,
        computed: IndexMap::new(),
    }
}

/// Whoever else changes the row waits. SQLite has one writer anyway.
async fn lock(tx: &Transaction, id: i32) -> Result<(), Error> {
    if tx.dialect() != djauth_db::Dialect::Sqlite {
        let sql = Sql::new("SELECT id FROM auth_group WHERE id = ? FOR UPDATE");
        tx.fetch(&sql, &[id.into()], |_| Ok(())).await?;
    }
    Ok(())
}

impl<U: BaseUser> Edited for Groups<U> {
    fn get<'a>(&'a self, key: &'a str) -> Made<'a, Option<Object>> {
        Box::pin(async move {
            let Some(id) = self.id(key) else {
                return Ok(None);
            };
            let groups = self.auth.groups();
            let Some(group) = groups.get(id).await? else {
                return Ok(None);
            };
            let permissions = groups.permissions(&group).ids().await?;
            Ok(Some(object(&group, Some(permissions))))
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [String]) -> Made<'a, Vec<Object>> {
        Box::pin(async move {
            let mut found = Vec::new();
            let asked = self.auth.groups().filter(Q::in_("pk", self.ids(keys)));
            let asked = asked.order_by(&["pk"]);
            asked
                .for_each(|group| found.push(object(&group, None)))
                .await?;
            Ok(found)
        })
    }

    fn add_form<'a>(&'a self, cx: &'a Editing<'a>) -> Made<'a, Form> {
        Box::pin(async move {
            let (groups, permissions) = (self.auth.groups(), self.auth.permissions());
            let offered = offered(groups, permissions, &self.info, &cx.fields).await?;
            let mut form = self.form(cx, &offered, None);
            fill_from_query(&mut form, cx.request.query());
            Ok(form)
        })
    }

    fn change_form<'a>(&'a self, cx: &'a Editing<'a>, object: &'a Object) -> Made<'a, Form> {
        Box::pin(async move {
            let (groups, permissions) = (self.auth.groups(), self.auth.permissions());
            let offered = offered(groups, permissions, &self.info, &cx.fields).await?;
            Ok(self.form(cx, &offered, Some(object)))
        })
    }

    fn add<'a>(&'a self, cx: &'a Editing<'a>) -> Made<'a, Submitted> {
        Box::pin(self.added(cx))
    }

    fn change<'a>(&'a self, cx: &'a Editing<'a>, key: &'a str) -> Made<'a, Submitted> {
        Box::pin(async move {
            match self.id(key) {
                Some(id) => self.changed(cx, id).await,
                None => Ok(Submitted::Gone),
            }
        })
    }

    fn delete<'a>(&'a self, cx: &'a Editing<'a>, keys: &'a [String]) -> Made<'a, u64> {
        Box::pin(self.deleted(cx, keys))
    }

    fn going<'a>(&'a self, keys: &'a [String]) -> Made<'a, Going> {
        Box::pin(async move {
            let ids: Vec<i32> = keys.iter().filter_map(|key| self.id(key)).collect();
            let going = self.auth.groups().going(&ids).await?;
            let objects = self.get_many(keys).await?;
            let mut going = Going::new(objects, going, None);
            let shown = &ids[..ids.len().min(CHUNK)];
            let each = |id: i32, end| going.link(id.to_string(), end);
            self.auth
                .groups()
                .links_each(shown, LINES_SHOWN, each)
                .await?;
            Ok(going)
        })
    }

    fn seen(&self, object: &Object, fields: &[&str]) -> Vec<(String, String)> {
        options::hidden(self.secret(), object, fields)
    }
}
