//! `user`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, ErrorKind, State, Value};

use super::Answers;
use crate::base_user::{BaseUser, Changes};
use crate::db;
use crate::models::AnonymousUser;

/// `user`, asked for when a template uses it.
pub(super) struct LazyUser(pub(super) Arc<Answers>);

/// What a template may know of somebody.
#[derive(Debug)]
struct Shown {
    name: String,
    username: String,
    fields: BTreeMap<String, Value>,
}

/// Never shown: Django's templates could print it.
const PASSWORD: &str = "password";

/// Somebody.
pub(super) fn value<U: BaseUser>(user: &U) -> Value {
    let mut columns = Changes::all();
    user.write(&mut columns);
    let columns = columns.into_columns().into_iter();
    let mut fields: BTreeMap<String, Value> = columns
        .filter(|(name, _)| *name != PASSWORD)
        .map(|(name, value)| (name.to_owned(), shown(&value)))
        .collect();
    let key = user.pk().map(|id| id.to_string());
    let flags = [
        ("is_authenticated", true),
        ("is_anonymous", false),
        ("is_active", user.is_active()),
        ("is_staff", user.is_staff()),
        ("is_superuser", user.is_superuser()),
    ];
    fields.extend(flags.map(|(name, flag)| (name.to_owned(), flag.into())));
    fields.entry("pk".to_owned()).or_insert(key.into());
    let username = user.get_username();
    fields
        .entry("username".to_owned())
        .or_insert_with(|| username.as_str().into());
    Value::from_object(Shown {
        name: user.to_string(),
        username,
        fields,
    })
}

/// Nobody.
pub(super) fn nobody() -> Value {
    let flags = ["is_authenticated", "is_active", "is_staff", "is_superuser"];
    let flags = flags.map(|name| (name.to_owned(), Value::from(false)));
    let mut fields = BTreeMap::from(flags);
    fields.insert("is_anonymous".to_owned(), true.into());
    fields.insert("username".to_owned(), "".into());
    Value::from_object(Shown {
        name: AnonymousUser.to_string(),
        username: String::new(),
        fields,
    })
}

fn shown(value: &db::Value<'_>) -> Value {
    match value {
        db::Value::Bool(v) => Value::from(*v),
        db::Value::Int(v) => Value::from(*v),
        db::Value::Real(v) => Value::from(*v),
        db::Value::Text(v) => Value::from(v.as_ref()),
        db::Value::Timestamp(v) => Value::from(v.to_rfc3339()),
        db::Value::Uuid(v) => Value::from(v.to_string()),
        db::Value::Null | db::Value::Bytes(_) => Value::from(()),
    }
}

impl Shown {
    fn text(&self, field: &str) -> String {
        let text = self.fields.get(field).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }
}

impl Object for Shown {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.fields.get(key.as_str()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        let text = match method {
            "get_username" => self.username.clone(),
            "get_short_name" => self.text("first_name"),
            "get_full_name" => {
                let (first, last) = (self.text("first_name"), self.text("last_name"));
                format!("{first} {last}").trim().to_owned()
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        };
        Ok(Value::from(text))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Object for LazyUser {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.user()?.get_item(key).ok()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match self.0.user() {
            Some(user) => user.call_method(state, method, args),
            None => Ok(Value::UNDEFINED),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.user() {
            Some(user) => fmt::Display::fmt(&user, f),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for LazyUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyUser")
    }
}
