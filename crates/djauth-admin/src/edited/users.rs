//! The rows of users, one at a time.

use djauth::backends::Context;
use djauth::base_user::UserId;
use djauth::forms::{
    AdminUserCreationForm, FieldKind, Form, Standard, ValidationError, form_field, model_values,
};
use djauth::models::{FieldValues, Q, UserManager};
use djauth::validators::UnicodeUsernameValidator;
use djauth::{Auth, BaseUser, Error};
use djauth_db::{Dialect, Executor, Field as _, Sql, Transaction, Value, quote_name};
use indexmap::IndexMap;

use super::fields::{
    Offered, as_asked, chosen, fill, fill_from_query, is_taken, offered, relation_field,
    say_conflicts, say_taken, tell_kept,
};
use crate::deleted::{CHUNK, Going, LINES_SHOWN};
use crate::listed::Estimate;
use crate::model::{
    Edited, Editing, Made, ModelInfo, Object, PasswordSet, Relation, Secret, Submitted,
};
use crate::models::{ActionFlag, ChangeMessage, Log, LogEntryManager, NewEntries};
use crate::options::{self, Merged, Wanted};

/// Entries of the log that a deletion shows as going along.
const ENTRIES_SHOWN: u64 = 50;

pub(crate) struct Users<U: BaseUser> {
    pub(super) auth: Auth<U>,
    pub(super) info: ModelInfo,
    log: LogEntryManager<U>,
    /// How many active superusers there are; of many, that there are two.
    pub(super) superusers: Estimate,
}

impl<U: BaseUser> Users<U> {
    pub(crate) fn new(auth: &Auth<U>, info: ModelInfo) -> Self {
        Self {
            auth: auth.clone(),
            info,
            log: LogEntryManager::new(auth),
            superusers: Estimate::default(),
        }
    }

    fn secret(&self) -> &[u8] {
        self.auth.secret_keys().key.as_bytes()
    }

    /// The key that a text stands for; of a described model it may be larger than its column.
    fn id(&self, key: &str) -> Option<U::Id> {
        self.info.parse_key(key)?;
        U::Id::parse(key.trim())
    }

    pub(super) fn ids(&self, keys: &[String]) -> Vec<Value<'static>> {
        let ids = keys.iter().filter_map(|key| self.id(key));
        ids.map(|id| id.to_value().into_owned()).collect()
    }

    pub(super) fn object(&self, user: &U) -> Object {
        let mut present = self.auth.users().values(user);
        let names = self.auth.user_meta().fields.iter().map(|info| &*info.name);
        let names = names.filter(|name| *name != "password");
        let values = names.filter_map(|name| Some((name.to_owned(), present.remove(name)?)));
        Object {
            key: user.id().to_string(),
            repr: user.to_string(),
            username: Some(user.get_username()),
            values: values.collect(),
            related: IndexMap::new(),
            password: Some(Secret::new(user.base().password.clone())),
            computed: IndexMap::new(),
        }
    }

    /// The user as pages see it, with groups and permissions.
    async fn whole<E: Executor>(
        &self,
        users: UserManager<'_, U, E>,
        user: &U,
    ) -> Result<Object, Error> {
        let mut object = self.object(user);
        if self.auth.user_meta().links.is_some() {
            let groups = users.groups(user)?.ids().await?;
            let permissions = users.user_permissions(user)?.ids().await?;
            object.related.insert("groups".to_owned(), groups);
            object
                .related
                .insert("user_permissions".to_owned(), permissions);
        }
        Ok(object)
    }

    /// The form with these of the user's fields.
    fn form(&self, cx: &Editing<'_>, offered: &Offered, object: &Object) -> Form {
        let (meta, zone) = (self.auth.user_meta(), cx.request.zone);
        let field = |name: &&str| {
            let spec = self.info.field(name)?;
            let mut field = match (spec.relation, meta.field(name)) {
                (Some(relation), _) => relation_field(spec, relation, offered),
                (None, Some(info)) => form_field(meta, info).time_zone(zone),
                (None, None) => return None,
            };
            if field.kind() == FieldKind::DateTime {
                field = field.of_kind(FieldKind::SplitDateTime);
            }
            fill(&mut field, object, zone);
            Some(field)
        };
        Form::new(cx.fields.iter().filter_map(field), cx.data)
    }

    /// The model's own rules: of the username, and what must be unique.
    async fn validate(
        &self,
        tx: &Transaction,
        form: &mut Form,
        values: &FieldValues,
        own: &U,
    ) -> Result<(), Error> {
        let meta = self.auth.user_meta();
        let name = values.get(&meta.username_field);
        if let Some(Value::Text(name)) = name.filter(|_| meta.is_stock())
            && let Err(error) = UnicodeUsernameValidator.validate(name)
        {
            form.add_error(Some(&meta.username_field), error);
        }
        for info in meta.fields.iter().filter(|info| info.unique) {
            let name = &*info.name;
            let good = values.get(name).filter(|_| form.errors(name).is_empty());
            let Some(value) = good.filter(|value| !value.is_null()) else {
                continue;
            };
            let same = self
                .auth
                .users()
                .using(tx)
                .filter(Q::eq(name, value.clone()));
            let same = same.exclude(Q::eq("pk", own.id().to_value().into_owned()));
            if same.exists().await? {
                form.add_error(Some(name), ValidationError::of("unique"));
            }
        }
        Ok(())
    }

    fn wanted(&self, form: &Form, values: &FieldValues) -> Wanted {
        let mut wanted = Wanted {
            values: values.clone(),
            ..Wanted::default()
        };
        for field in form.fields() {
            if let Some(ids) = chosen(form, field.name()) {
                wanted.related.insert(field.name().to_owned(), ids);
            }
        }
        wanted
    }

    pub(super) fn write<'a>(
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

    /// The form that makes a user, with these fields of the model.
    async fn creation(&self, cx: &Editing<'_>) -> Result<AdminUserCreationForm<U>, Error> {
        let meta = self.auth.user_meta();
        let names = cx.fields.iter().copied();
        let names: Vec<_> = names.filter(|name| meta.field(name).is_some()).collect();
        let mut form = AdminUserCreationForm::with_fields(&self.auth, &names, cx.data)?;
        let (groups, permissions) = (self.auth.groups(), self.auth.permissions());
        let offered = offered(groups, permissions, &self.info, &cx.fields).await?;
        for name in &cx.fields {
            if let Some(spec) = self.info.field(name)
                && let Some(relation) = spec.relation
            {
                form.form_mut()
                    .add_field(relation_field(spec, relation, &offered));
            }
        }
        Ok(form)
    }

    /// Cleans and hashes outside of the transaction that writes.
    async fn added(&self, cx: &Editing<'_>) -> Result<Submitted, Error> {
        let mut form = self.creation(cx).await?;
        let context = Context::new(&self.auth, Some(cx.request.request()));
        if !form.clean_with(&context, &Standard).await? {
            return Ok(Submitted::Invalid(form.form().clone()));
        }
        let mut user = form.build(&self.auth).await?;
        let tx = self.auth.db().begin().await?;
        match self.insert(&tx, cx, form.form(), &mut user).await {
            Err(error) if is_taken(&error) => {
                let mut form = form.form().clone();
                say_taken(&self.info, &mut form);
                return Ok(Submitted::Invalid(form));
            }
            made => made?,
        }
        tx.commit().await?;
        Ok(Submitted::Saved(self.object(&user), Vec::new()))
    }

    async fn insert(
        &self,
        tx: &Transaction,
        cx: &Editing<'_>,
        form: &Form,
        user: &mut U,
    ) -> Result<(), Error> {
        let users = self.auth.users().using(tx);
        users.save(user).await?;
        for field in form.fields() {
            let ids = chosen(form, field.name()).unwrap_or_default();
            if !ids.is_empty() {
                self.link(users, user, field.name(), &ids, &[]).await?;
            }
        }
        let entry = [(user.id().to_string(), user.to_string())];
        let what = (ActionFlag::Addition, ChangeMessage::Added);
        self.write(tx, cx, &entry, what).await
    }

    async fn link(
        &self,
        users: UserManager<'_, U, Transaction>,
        user: &U,
        name: &str,
        add: &[i32],
        remove: &[i32],
    ) -> Result<(), Error> {
        let relation = self.info.field(name).and_then(|spec| spec.relation);
        if relation == Some(Relation::Groups) {
            let groups = users.groups(user)?;
            groups.remove(remove).await?;
            return groups.add(add).await;
        }
        let permissions = users.user_permissions(user)?;
        permissions.remove(remove).await?;
        permissions.add(add).await
    }

    async fn changed(&self, cx: &Editing<'_>, id: U::Id) -> Result<Submitted, Error> {
        let tx = self.auth.db().begin().await?;
        self.lock(&tx, &id).await?;
        let users = self.auth.users().using(&tx);
        let Some(user) = users.get(id).await? else {
            return Ok(Submitted::Gone);
        };
        let now = self.whole(users, &user).await?;
        let (mut form, values) = self.checked(&tx, cx, &user, &now).await?;
        if !form.is_valid() {
            return Ok(Submitted::Invalid(form));
        }
        let (fields, wanted) = (&cx.fields, self.wanted(&form, &values));
        let merged = options::merged(&self.info, self.secret(), &now, fields, &wanted, &cx.seen);
        if !merged.conflicts.is_empty() {
            say_conflicts(&self.log, &tx, &self.info, cx, &now, &mut form, &merged).await?;
            return Ok(Submitted::Conflict(form, merged.conflicts));
        }
        let object = match self.update(&tx, cx, &user, &merged).await {
            Err(error) if is_taken(&error) => {
                say_taken(&self.info, &mut form);
                return Ok(Submitted::Invalid(form));
            }
            written => written?,
        };
        tx.commit().await?;
        tell_kept(&self.info, cx, &merged.kept);
        Ok(Submitted::Saved(object, merged.labels))
    }

    /// The form of the row as it is now, with what was sent, and what that means.
    async fn checked(
        &self,
        tx: &Transaction,
        cx: &Editing<'_>,
        user: &U,
        now: &Object,
    ) -> Result<(Form, FieldValues), Error> {
        let groups = self.auth.groups().using(tx);
        let permissions = self.auth.permissions().using(tx);
        let offered = offered(groups, permissions, &self.info, &cx.fields).await?;
        let mut form = self.form(cx, &offered, now);
        form.clean_fields();
        let values = model_values(&mut form, self.auth.user_meta());
        self.validate(tx, &mut form, &values, user).await?;
        Ok((form, values))
    }

    /// Writes what differs, and nothing else: whoever logs in or resets their password meanwhile has done
    /// so.
    async fn update(
        &self,
        tx: &Transaction,
        cx: &Editing<'_>,
        user: &U,
        merged: &Merged,
    ) -> Result<Object, Error> {
        let users = self.auth.users().using(tx);
        let mut values = users.values(user);
        values.extend(merged.values.iter().cloned());
        let user = users.of_values(&values)?;
        let names: Vec<_> = merged.values.iter().map(|(name, _)| &**name).collect();
        users.save_fields(&user, &names).await?;
        for (name, add, remove) in &merged.links {
            self.link(users, &user, name, add, remove).await?;
        }
        let object = self.object(&user);
        let entry = [(object.key.clone(), object.repr.clone())];
        let message = ChangeMessage::Changed(merged.labels.clone());
        self.write(tx, cx, &entry, (ActionFlag::Change, message))
            .await?;
        Ok(object)
    }

    /// Whoever else changes the row waits. SQLite has one writer anyway.
    async fn lock(&self, tx: &Transaction, id: &U::Id) -> Result<(), Error> {
        if tx.dialect() != Dialect::Sqlite {
            let meta = self.auth.user_meta();
            let (table, key) = (
                quote_name(&meta.db_table),
                quote_name(meta.column(&meta.pk)),
            );
            let text = format!("SELECT 1 FROM {table} WHERE {key} = ? FOR UPDATE");
            let sql = Sql::generated(text, None);
            tx.fetch(&sql, &[id.to_value()], |_| Ok(())).await?;
        }
        Ok(())
    }

    async fn deleted(&self, cx: &Editing<'_>, keys: &[String]) -> Result<u64, Error> {
        let tx = self.auth.db().begin().await?;
        let users = self.auth.users().using(&tx);
        let mut found = Vec::new();
        let asked = users.filter(Q::in_("pk", self.ids(keys)));
        let each = |user: U| found.push((user.id(), user.to_string()));
        asked.order_by(&["pk"]).for_each(each).await?;
        let pair = |(id, name): &(U::Id, String)| (id.to_string(), name.clone());
        let objects = as_asked(found.iter().map(pair).collect(), keys);
        let what = (ActionFlag::Deletion, ChangeMessage::Deleted);
        self.write(&tx, cx, &objects, what).await?;
        let ids = found.iter().map(|(id, _)| id.to_value().into_owned());
        users.delete_all(users.filter(Q::in_("pk", ids))).await?;
        tx.commit().await?;
        self.superusers.forget();
        Ok(objects.len() as u64)
    }

    pub(super) async fn user(&self, key: &str) -> Result<Option<U>, Error> {
        match self.id(key) {
            Some(id) => self.auth.users().get(id).await,
            None => Ok(None),
        }
    }
}

impl<U: BaseUser> Edited for Users<U> {
    fn get<'a>(&'a self, key: &'a str) -> Made<'a, Option<Object>> {
        Box::pin(async move {
            match self.user(key).await? {
                Some(user) => Ok(Some(self.whole(self.auth.users(), &user).await?)),
                None => Ok(None),
            }
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [String]) -> Made<'a, Vec<Object>> {
        Box::pin(async move {
            let mut found = Vec::new();
            let asked = self.auth.users().filter(Q::in_("pk", self.ids(keys)));
            let asked = asked.order_by(&["pk"]);
            asked
                .for_each(|user| found.push(self.object(&user)))
                .await?;
            Ok(found)
        })
    }

    fn add_form<'a>(&'a self, cx: &'a Editing<'a>) -> Made<'a, Form> {
        Box::pin(async move {
            let mut form = self.creation(cx).await?;
            fill_from_query(form.form_mut(), cx.request.query());
            Ok(form.form().clone())
        })
    }

    fn change_form<'a>(&'a self, cx: &'a Editing<'a>, object: &'a Object) -> Made<'a, Form> {
        Box::pin(async move {
            let (groups, permissions) = (self.auth.groups(), self.auth.permissions());
            let offered = offered(groups, permissions, &self.info, &cx.fields).await?;
            Ok(self.form(cx, &offered, object))
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
            let ids: Vec<U::Id> = keys.iter().filter_map(|key| self.id(key)).collect();
            let going = self.auth.users().going(&ids).await?;
            let objects = self.get_many(keys).await?;
            let entries = match &*ids {
                [id] => {
                    let key = id.to_value().into_owned();
                    self.log.recent(&key, ENTRIES_SHOWN).await?
                }
                _ => Vec::new(),
            };
            let links = self.auth.user_meta().links.as_ref();
            let mut going = Going::new(objects, going, links).with_entries(entries);
            let shown = &ids[..ids.len().min(CHUNK)];
            let each = |id: U::Id, end| going.link(id.to_string(), end);
            self.auth
                .users()
                .links_each(shown, LINES_SHOWN, each)
                .await?;
            Ok(going)
        })
    }

    fn includes_last_superuser<'a>(&'a self, keys: &'a [String]) -> Made<'a, bool> {
        Box::pin(self.is_last_superuser(keys))
    }

    fn seems_last_superuser<'a>(&'a self, key: &'a str) -> Made<'a, bool> {
        Box::pin(self.is_about_the_last(key))
    }

    fn lost_superusers<'a>(&'a self, labels: &'a [String]) -> Made<'a, bool> {
        Box::pin(self.has_lost_superusers(labels))
    }

    fn seen(&self, object: &Object, fields: &[&str]) -> Vec<(String, String)> {
        options::hidden(self.secret(), object, fields)
    }

    fn password_form<'a>(&'a self, key: &'a str) -> Made<'a, Option<(Form, Object)>> {
        Box::pin(async move {
            let user = self.user(key).await?;
            Ok(user.map(|user| self.password_form_of(user)))
        })
    }

    fn set_password<'a>(&'a self, cx: &'a Editing<'a>, key: &'a str) -> Made<'a, PasswordSet> {
        Box::pin(self.set_password_of(cx, key))
    }
}
