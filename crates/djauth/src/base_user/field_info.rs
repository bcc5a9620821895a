//! What `migrate` and the checks must know about a model's columns.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::db::{Field, Value};

/// One field of a model, which is one column of its table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FieldInfo {
    /// The field's name.
    pub name: Cow<'static, str>,
    /// The column's name, where it is not the field's (Django's `db_column`).
    pub column: Option<Cow<'static, str>>,
    /// What it holds.
    pub kind: FieldKind,
    /// Django's `max_length`, in characters.
    pub max_length: Option<u32>,
    /// Whether values are unique.
    pub unique: bool,
    /// Whether the column may be NULL.
    pub null: bool,
    /// Whether forms and `createsuperuser` take an empty value.
    pub blank: bool,
    /// The name for people, where it is not the field's with spaces.
    pub verbose_name: Option<Cow<'static, str>>,
    /// What new objects of a described model have; a struct has its defaults in its code.
    pub default: Option<FieldDefault>,
}

/// What new objects have in a field (Django's `default=`).
#[derive(Clone, Debug, PartialEq)]
pub enum FieldDefault {
    /// The same for each.
    Value(Value<'static>),
    /// The moment at which it is made (`timezone.now`, `auto_now_add`).
    Now,
    /// A random UUID (`uuid.uuid4`).
    Uuid4,
}

impl FieldInfo {
    /// A column that is neither unique nor null and has no length limit.
    #[must_use]
    pub const fn new(name: &'static str, kind: FieldKind) -> Self {
        Self {
            name: Cow::Borrowed(name),
            column: None,
            kind,
            max_length: None,
            unique: false,
            null: false,
            blank: false,
            verbose_name: None,
            default: None,
        }
    }

    /// The same in a column of another name.
    #[must_use]
    pub const fn column(mut self, name: &'static str) -> Self {
        // A destructor cannot run in a constant; there is nothing to drop in a new one.
        std::mem::forget(self.column.replace(Cow::Borrowed(name)));
        self
    }

    /// The same with a length limit in characters.
    #[must_use]
    pub const fn max_length(mut self, limit: u32) -> Self {
        self.max_length = Some(limit);
        self
    }

    /// The same, unique.
    #[must_use]
    pub const fn unique(mut self, unique: bool) -> Self {
        self.unique = unique;
        self
    }

    /// The same, with empty values allowed or not.
    #[must_use]
    pub const fn blank(mut self, blank: bool) -> Self {
        self.blank = blank;
        self
    }

    /// The same, with NULL allowed or not.
    #[must_use]
    pub const fn null(mut self, null: bool) -> Self {
        self.null = null;
        self
    }
}

impl FieldInfo {
    /// The value that a text stands for, as somebody types it. `None`: it is none of this field's.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<Value<'static>> {
        if self.null && text.is_empty() && self.kind != FieldKind::Text {
            return Some(Value::Null);
        }
        let fits = |limit: u32| text.chars().count() <= limit as usize;
        match self.kind {
            FieldKind::Text => self
                .max_length
                .is_none_or(fits)
                .then(|| text.to_owned().into()),
            FieldKind::Bool => match text {
                "True" | "true" | "1" => Some(true.into()),
                "False" | "false" | "0" => Some(false.into()),
                _ => None,
            },
            FieldKind::Int32 => text.trim().parse::<i32>().ok().map(Into::into),
            FieldKind::Int64 => text.trim().parse::<i64>().ok().map(Into::into),
            FieldKind::Real => text.trim().parse::<f64>().ok().map(Into::into),
            FieldKind::DateTime => {
                <DateTime<Utc> as Field>::from_value(Value::from(text)).map(Into::into)
            }
            FieldKind::Uuid => Uuid::try_parse(text).ok().map(Into::into),
            FieldKind::Bytes => None,
            _ => Some(text.to_owned().into()),
        }
    }

    /// What a column holds, as a value of the field's kind. `None`: it holds something else.
    pub(crate) fn read(&self, value: Value<'_>) -> Option<Value<'static>> {
        fn of<T: Field>(value: Value<'_>) -> Option<Value<'static>> {
            T::from_value(value).map(|typed| typed.to_value().into_owned())
        }
        if value.is_null() {
            return Some(Value::Null);
        }
        match self.kind {
            FieldKind::Bool => of::<bool>(value),
            FieldKind::Int32 | FieldKind::Int64 => of::<i64>(value),
            FieldKind::Real => of::<f64>(value),
            FieldKind::Bytes => of::<Vec<u8>>(value),
            FieldKind::DateTime => of::<DateTime<Utc>>(value),
            FieldKind::Uuid => of::<Uuid>(value),
            _ => of::<String>(value),
        }
    }

    /// What new objects have; NULL where the model says nothing that fits.
    pub(crate) fn default_value(&self) -> Value<'static> {
        match (&self.default, self.kind) {
            (Some(FieldDefault::Value(value)), _) => value.clone(),
            (Some(FieldDefault::Now), FieldKind::DateTime) => DateTime::<Utc>::blank().into(),
            (Some(FieldDefault::Now), _) => Utc::now().format("%Y-%m-%d").to_string().into(),
            (Some(FieldDefault::Uuid4), _) => Uuid::new_v4().into(),
            (None, FieldKind::Text) if !self.null => "".into(),
            (None, FieldKind::Bool) if !self.null => false.into(),
            (None, _) => Value::Null,
        }
    }
}

/// What a column holds, with the Django field that writes the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// `CharField` or `TextField`.
    Text,
    /// `BooleanField`.
    Bool,
    /// `IntegerField`, `AutoField`.
    Int32,
    /// `BigIntegerField`, `BigAutoField`.
    Int64,
    /// `FloatField`.
    Real,
    /// `BinaryField`.
    Bytes,
    /// `DateTimeField`.
    DateTime,
    /// `UUIDField`.
    Uuid,
    /// `DateField`: text, or chrono's `NaiveDate`.
    Date,
    /// `TimeField`, kept as text.
    Time,
    /// `DecimalField`, kept as text.
    Decimal,
    /// `JSONField`, kept as text.
    Json,
    /// `GenericIPAddressField`, kept as text.
    Address,
}

impl FieldKind {
    /// The type to which PostgreSQL must be told to convert, for kinds that are kept as text.
    pub(crate) const fn postgres_cast(self) -> Option<&'static str> {
        match self {
            Self::Date => Some("date"),
            Self::Time => Some("time"),
            Self::Decimal => Some("numeric"),
            Self::Json => Some("jsonb"),
            Self::Address => Some("inet"),
            _ => None,
        }
    }

    /// The name used in errors.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int32 | Self::Int64 => "integer",
            Self::Real => "double",
            Self::Bytes => "byte string",
            Self::DateTime => "moment",
            Self::Uuid => "UUID",
            _ => "text",
        }
    }
}

/// A Rust type with the kind of column that holds it.
pub trait ColumnType {
    /// The kind.
    const KIND: FieldKind;
}

macro_rules! column_types {
    ($($ty:ty => $kind:ident),* $(,)?) => {
        $(impl ColumnType for $ty {
            const KIND: FieldKind = FieldKind::$kind;
        })*
    };
}

column_types! {
    String => Text,
    bool => Bool,
    i32 => Int32,
    i64 => Int64,
    f64 => Real,
    Vec<u8> => Bytes,
    DateTime<Utc> => DateTime,
    Uuid => Uuid,
    NaiveDate => Date,
}

impl<T: ColumnType> ColumnType for Option<T> {
    const KIND: FieldKind = T::KIND;
}
