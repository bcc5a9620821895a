//! A user model that settings describe.

use std::fmt;
use std::sync::Arc;

use crate::Error;
use crate::base_user::{
    AbstractBaseUser, BaseUser, Changes, Columns, FieldInfo, PermissionsMixin, UserFlag, UserId,
    UserMeta,
};
use crate::db::{self, Field, Value};

/// A user of a model that no Rust struct mirrors: the setting `AUTH_USER_MODEL` describes it. The
/// binary `djauth` serves a Django site's own `AUTH_USER_MODEL` by it.
///
/// `I` is the type of its key: `i64` for integers of any width, `Uuid` for UUIDs. What the library
/// itself needs are fields as in any user model; the other columns are kept as values
/// ([`value`](Self::value)).
///
/// ```
/// use djauth::models::{DescribedUser, Q};
/// use djauth::{Auth, Settings};
///
/// # async fn example(settings: Settings, url: &str) -> Result<(), djauth::Error> {
/// // `settings.auth_user_model` has the description.
/// let auth = Auth::builder(settings).user_model::<DescribedUser<i64>>().connect(url).await?;
/// let ann = auth.users().filter(Q::eq("email", "ann@example.com")).get().await?;
/// println!("{:?}", ann.value("full_name"));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct DescribedUser<I: UserId> {
    meta: Arc<UserMeta>,
    id: I,
    base: AbstractBaseUser,
    permissions: Option<PermissionsMixin>,
    /// A value for each field of the model, in its order; NULL for those that are kept above.
    values: Vec<Value<'static>>,
}

/// Which part of the user a field is.
#[derive(PartialEq, Eq)]
enum Part {
    Key,
    Password,
    LastLogin,
    Superuser,
    Value,
}

fn part(meta: &UserMeta, name: &str) -> Part {
    match name {
        name if name == meta.pk => Part::Key,
        "password" => Part::Password,
        "last_login" => Part::LastLogin,
        "is_superuser" if meta.links.is_some() => Part::Superuser,
        _ => Part::Value,
    }
}

impl<I: UserId> DescribedUser<I> {
    /// What describes the model.
    #[must_use]
    pub fn meta(&self) -> &Arc<UserMeta> {
        &self.meta
    }

    /// The value of a field; `None` when the model has none of this name. The key, the password and
    /// what else has an accessor of its own is not among them.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value<'static>> {
        self.place(name).map(|place| &self.values[place])
    }

    /// Sets the value of a field.
    ///
    /// # Errors
    /// `Value`: no such field, or not a value of its kind.
    pub fn set_value(&mut self, name: &str, value: Value<'static>) -> Result<(), Error> {
        let wrong = |what| {
            Err(Error::value(format!(
                "{}: {what} {name:?}",
                self.meta.label()
            )))
        };
        let Some(place) = self.place(name) else {
            return wrong("there is no field");
        };
        match self.meta.fields[place].read(value) {
            Some(value) => {
                self.values[place] = value;
                Ok(())
            }
            None => wrong("this is no value of the field"),
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        let place = self
            .meta
            .fields
            .iter()
            .position(|field| field.name == name)?;
        (part(&self.meta, name) == Part::Value).then_some(place)
    }

    fn flag(&self, flag: &UserFlag) -> bool {
        match flag {
            UserFlag::Always(answer) => *answer,
            UserFlag::Field(name) => self.value(name) == Some(&Value::Bool(true)),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::Text(text) => Some(text.clone().into_owned()),
            Value::Int(number) => Some(number.to_string()),
            Value::Uuid(uuid) => Some(uuid.to_string()),
            _ => None,
        }
    }

    /// A user of no model, which cannot be stored.
    fn of_nothing() -> Self {
        Self {
            meta: Arc::new(UserMeta::of_nothing()),
            id: I::new(),
            base: AbstractBaseUser::default(),
            permissions: None,
            values: Vec::new(),
        }
    }
}

fn typed<T: Field>(field: &FieldInfo, value: Value<'_>) -> db::Result<T> {
    T::from_value(value).ok_or_else(|| db::Error::decode(&field.name, T::NAME))
}

impl<I: UserId> BaseUser for DescribedUser<I> {
    type Id = I;
    const APP_LABEL: &'static str = "";
    const MODEL_NAME: &'static str = "";

    fn declared() -> Option<UserMeta> {
        None
    }
    fn id(&self) -> I {
        self.id
    }
    fn set_id(&mut self, id: I) {
        self.id = id;
    }
    fn base(&self) -> &AbstractBaseUser {
        &self.base
    }
    fn base_mut(&mut self) -> &mut AbstractBaseUser {
        &mut self.base
    }
    fn permissions(&self) -> Option<&PermissionsMixin> {
        self.permissions.as_ref()
    }
    fn permissions_mut(&mut self) -> Option<&mut PermissionsMixin> {
        self.permissions.as_mut()
    }
    fn is_active(&self) -> bool {
        self.flag(&self.meta.is_active)
    }
    fn is_staff(&self) -> bool {
        self.flag(&self.meta.is_staff)
    }
    fn is_superuser(&self) -> bool {
        match &self.permissions {
            Some(mixin) => mixin.is_superuser,
            None => self.flag(&self.meta.is_superuser),
        }
    }
    fn get_username(&self) -> String {
        self.text(&self.meta.username_field).unwrap_or_default()
    }
    fn get_email(&self) -> Option<String> {
        self.text(&self.meta.email_field)
    }
    /// A user of no model: ask [`UserManager::blank`](super::UserManager::blank).
    fn blank() -> Self {
        Self::of_nothing()
    }

    fn read(row: &mut Columns<'_>) -> db::Result<Self> {
        let Some(meta) = row.meta() else {
            return Ok(Self::of_nothing());
        };
        let mut user = Self {
            meta: meta.clone(),
            permissions: meta.links.is_some().then(PermissionsMixin::default),
            values: Vec::with_capacity(meta.fields.len()),
            id: I::new(),
            base: AbstractBaseUser::default(),
        };
        for field in &meta.fields {
            let value = row.described(field)?;
            let mut kept = Value::Null;
            match (part(meta, &field.name), &mut user.permissions) {
                // Before the first save there is none.
                (Part::Key, _) if value.is_null() => {}
                (Part::Key, _) => user.id = typed(field, value)?,
                (Part::Password, _) => user.base.password = typed(field, value)?,
                (Part::LastLogin, _) => user.base.last_login = typed(field, value)?,
                (Part::Superuser, Some(mixin)) => mixin.is_superuser = typed(field, value)?,
                _ => kept = value,
            }
            user.values.push(kept);
        }
        Ok(user)
    }

    fn write<'a>(&'a self, row: &mut Changes<'a>) {
        for (field, value) in self.meta.fields.iter().zip(&self.values) {
            let name: &'a str = &field.name;
            match (part(&self.meta, name), &self.permissions) {
                (Part::Key, _) => row.set(name, &self.id),
                (Part::Password, _) => row.set(name, &self.base.password),
                (Part::LastLogin, _) => row.set(name, &self.base.last_login),
                (Part::Superuser, Some(mixin)) => row.set(name, &mixin.is_superuser),
                _ => row.set(name, value),
            }
        }
    }
}

/// The name that the user logs in with, as Django's `__str__` by custom.
impl<I: UserId> fmt::Display for DescribedUser<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.get_username())
    }
}

/// Shows no values: they are people's data.
impl<I: UserId> fmt::Debug for DescribedUser<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DescribedUser")
            .field("model", &self.meta.label())
            .field("id", &self.id)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
