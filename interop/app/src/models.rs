//! The user models of the project, as structs: `accounts/models.py` and `clubs/models.py`.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use djauth::base_user::{ColumnType, FieldKind};
use djauth::db::{self, Field};
use djauth::{AbstractBaseUser, BaseUser, PermissionsMixin, User};
use serde_json::{Value, json};
use uuid::Uuid;

/// A user model whose fields the tests can set and see.
pub(crate) trait Twin: BaseUser {
    /// Sets those that are named; `command` says what for.
    fn set_fields(&mut self, given: &Value);
    /// Every field as Python's `str` shows it, but for the password and the last login.
    fn describe(&self) -> Value;
}

fn set<T: for<'a> serde::Deserialize<'a>>(slot: &mut T, given: &Value, name: &str) {
    if let Ok(value) = T::deserialize(&given[name]) {
        *slot = value;
    }
}

/// As Python shows truth.
fn python(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

/// As Python shows an aware moment in UTC.
fn moment(time: DateTime<Utc>) -> String {
    let digits = if time.timestamp_subsec_micros() == 0 {
        "%Y-%m-%d %H:%M:%S+00:00"
    } else {
        "%Y-%m-%d %H:%M:%S%.6f+00:00"
    };
    time.format(digits).to_string()
}

impl Twin for User {
    fn set_fields(&mut self, given: &Value) {
        set(&mut self.is_active, given, "is_active");
        set(&mut self.is_staff, given, "is_staff");
        set(&mut self.permissions.is_superuser, given, "is_superuser");
        set(&mut self.first_name, given, "first_name");
        set(&mut self.last_name, given, "last_name");
        // A new user's address has been normalised; a changed one is stored as it is.
        if given["command"] == "update_user" {
            set(&mut self.email, given, "email");
        }
    }

    fn describe(&self) -> Value {
        json!({"id": self.id.to_string(), "username": self.username})
    }
}

/// `accounts.Account`.
#[derive(Clone, Debug, BaseUser)]
#[django(
    app_label = "accounts",
    USERNAME_FIELD = "email",
    REQUIRED_FIELDS("full_name")
)]
pub(crate) struct Account {
    id: Uuid,
    base: AbstractBaseUser,
    permissions: PermissionsMixin,
    #[django(max_length = 254, unique)]
    email: String,
    #[django(max_length = 100)]
    full_name: String,
    #[django(blank)]
    born: Option<NaiveDate>,
    #[django(default = 7)]
    points: i32,
    is_staff: bool,
    #[django(default = true)]
    is_active: bool,
    joined: DateTime<Utc>,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.email)
    }
}

impl Twin for Account {
    fn set_fields(&mut self, given: &Value) {
        set(&mut self.full_name, given, "full_name");
        set(&mut self.points, given, "points");
        set(&mut self.is_staff, given, "is_staff");
        set(&mut self.is_active, given, "is_active");
    }

    fn describe(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "email": self.email,
            "full_name": self.full_name,
            "born": self.born.map(|born| born.to_string()),
            "points": self.points.to_string(),
            "is_superuser": python(self.permissions.is_superuser),
            "is_staff": python(self.is_staff),
            "is_active": python(self.is_active),
            "joined": moment(self.joined),
        })
    }
}

/// `clubs.Member`.
#[derive(Clone, Debug, BaseUser)]
#[django(
    app_label = "clubs",
    db_table = "people",
    USERNAME_FIELD = "nick",
    REQUIRED_FIELDS("email")
)]
pub(crate) struct Member {
    #[django(primary_key, column = "member_no")]
    number: i32,
    base: AbstractBaseUser,
    #[django(max_length = 40, unique)]
    nick: String,
    #[django(max_length = 254, blank, column = "mail")]
    email: String,
    #[django(default = Decimal("12.50".into()))]
    fee: Decimal,
    #[django(is_staff)]
    is_admin: bool,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.nick)
    }
}

impl Twin for Member {
    fn set_fields(&mut self, given: &Value) {
        set(&mut self.fee.0, given, "fee");
        set(&mut self.is_admin, given, "is_admin");
    }

    fn describe(&self) -> Value {
        json!({
            "number": self.number.to_string(),
            "nick": self.nick,
            "email": self.email,
            "fee": self.fee.0,
            "is_admin": python(self.is_admin),
        })
    }
}

/// A column type of our own: a number with two places, as text.
#[derive(Clone, Debug)]
pub(crate) struct Decimal(String);

impl ColumnType for Decimal {
    const KIND: FieldKind = FieldKind::Decimal;
}

impl Field for Decimal {
    const NAME: &'static str = "decimal number";

    /// SQLite answers a whole number without its places.
    fn from_value(value: db::Value<'_>) -> Option<Self> {
        let text = String::from_value(value)?;
        let number: f64 = text.parse().ok()?;
        Some(Self(format!("{number:.2}")))
    }

    fn to_value(&self) -> db::Value<'_> {
        self.0.as_str().into()
    }

    fn blank() -> Self {
        Self("0.00".to_owned())
    }
}
