//! `AUTH_USER_MODEL`: a name, or the description of a model that no Rust struct mirrors.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::kind::{Kind, expected};
use crate::base_user::{
    FieldDefault, FieldInfo, FieldKind, LinkTable, UserFlag, UserLinkTables, UserMeta,
};

/// Django's own user.
const STOCK: &str = "auth.User";
/// The most fields that are described.
const MOST_FIELDS: usize = 1000;

/// The value of `AUTH_USER_MODEL`.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthUserModel {
    label: String,
    description: Option<Arc<UserMeta>>,
}

impl AuthUserModel {
    /// A model by its name, `app_label.ClassName`, which a Rust struct mirrors.
    pub fn named(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            description: None,
        }
    }

    /// A described model.
    pub fn described(meta: UserMeta) -> Self {
        Self {
            label: format!("{}.{}", meta.app_label, meta.object_name),
            description: Some(Arc::new(meta)),
        }
    }

    /// The label in lower case, such as `auth.user`.
    pub fn label(&self) -> String {
        self.label.to_lowercase()
    }

    /// Whether it is `auth.User` without a description: what a project that says nothing has.
    pub fn is_default(&self) -> bool {
        self.description.is_none() && self.label == STOCK
    }

    /// The description, if there is one.
    pub fn description(&self) -> Option<&Arc<UserMeta>> {
        self.description.as_ref()
    }
}

impl Default for AuthUserModel {
    fn default() -> Self {
        Self::named(STOCK)
    }
}

/// How `AUTH_USER_MODEL` is written.
pub(super) struct UserModel;

impl Kind for UserModel {
    type Value = AuthUserModel;
    const EXPECTED: &'static str = "\"app_label.ClassName\", or a table with `label`, `fields` and what else \
        describes the model";

    fn read(json: &Json) -> Result<AuthUserModel, String> {
        match json {
            Json::String(label) if split_label(label).is_some() => Ok(AuthUserModel::named(label)),
            Json::Object(table) => Ok(AuthUserModel::described(Reading::new("", table).model()?)),
            _ => Err(expected::<Self>()),
        }
    }

    fn show(value: &AuthUserModel) -> Json {
        match value.description() {
            Some(meta) => show(meta),
            None => value.label.as_str().into(),
        }
    }
}

fn split_label(label: &str) -> Option<(&str, &str)> {
    let (app_label, name) = label.split_once('.')?;
    let plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    (plain(app_label) && plain(name)).then_some((app_label, name))
}

/// A table that is read key by key; what is left in the end is an error.
struct Reading<'a> {
    /// Where the table stands, for complaints.
    at: String,
    table: &'a Map<String, Json>,
    known: HashSet<&'static str>,
}

impl<'a> Reading<'a> {
    fn new(at: impl Into<String>, table: &'a Map<String, Json>) -> Self {
        Self {
            at: at.into(),
            table,
            known: HashSet::new(),
        }
    }

    fn wrong<T>(&self, key: &str, what: &str) -> Result<T, String> {
        let at = &self.at;
        Err(format!("{at}{key}: {what}"))
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Json> {
        self.known.insert(key);
        self.table.get(key).filter(|json| !json.is_null())
    }

    fn text(&mut self, key: &'static str) -> Result<Option<String>, String> {
        let Some(json) = self.get(key) else {
            return Ok(None);
        };
        match json.as_str().filter(|text| is_name(text)) {
            Some(text) => Ok(Some(text.to_owned())),
            None => self.wrong(key, "expected a name"),
        }
    }

    fn needed(&mut self, key: &'static str) -> Result<String, String> {
        match self.text(key)? {
            Some(text) => Ok(text),
            None => self.wrong(key, "is missing"),
        }
    }

    fn flag(&mut self, key: &'static str) -> Result<bool, String> {
        match self.get(key) {
            None => Ok(false),
            Some(json) => match json.as_bool() {
                Some(flag) => Ok(flag),
                None => self.wrong(key, "expected true or false"),
            },
        }
    }

    fn finish(self) -> Result<(), String> {
        let mut names = self.table.keys();
        match names.find(|name| !self.known.contains(name.as_str())) {
            Some(name) => self.wrong(&name.escape_debug().to_string(), "is not known here"),
            None => Ok(()),
        }
    }

    fn model(mut self) -> Result<UserMeta, String> {
        let label = self.needed("label")?;
        let Some((app_label, object_name)) = split_label(&label) else {
            return self.wrong("label", "expected app_label.ClassName");
        };
        let fields = self.fields()?;
        let pk = key_of(&fields)?;
        let fields: Vec<FieldInfo> = fields.into_iter().map(|(field, _)| field).collect();
        let default_table = format!("{app_label}_{}", object_name.to_lowercase());
        let meta = UserMeta {
            app_label: app_label.to_owned(),
            object_name: object_name.to_owned(),
            verbose_name: self.text("verbose_name")?,
            db_table: self.text("db_table")?.unwrap_or(default_table),
            pk,
            username_field: self.text("USERNAME_FIELD")?.unwrap_or("username".into()),
            email_field: self.text("EMAIL_FIELD")?.unwrap_or("email".into()),
            required_fields: self.names("REQUIRED_FIELDS")?,
            links: self.links()?,
            is_active: self.user_flag("is_active", true, &fields)?,
            is_staff: self.user_flag("is_staff", false, &fields)?,
            is_superuser: self.user_flag("is_superuser", false, &fields)?,
            fields,
        };
        self.finish()?;
        judge(meta)
    }

    fn names(&mut self, key: &'static str) -> Result<Vec<String>, String> {
        let Some(json) = self.get(key) else {
            return Ok(Vec::new());
        };
        let items = json.as_array().map(Vec::as_slice).unwrap_or_default();
        let names: Option<Vec<String>> = items
            .iter()
            .map(|item| {
                item.as_str()
                    .filter(|name| is_name(name))
                    .map(str::to_owned)
            })
            .collect();
        match names.filter(|_| json.is_array()) {
            Some(names) => Ok(names),
            None => self.wrong(key, "expected a list of names"),
        }
    }

    fn user_flag(
        &mut self,
        key: &'static str,
        otherwise: bool,
        fields: &[FieldInfo],
    ) -> Result<UserFlag, String> {
        let is_flag = |name: &str| {
            fields
                .iter()
                .any(|field| field.name == name && field.kind == FieldKind::Bool)
        };
        match self.get(key) {
            None if is_flag(key) => Ok(UserFlag::Field(key.to_owned())),
            None => Ok(UserFlag::Always(otherwise)),
            Some(Json::Bool(answer)) => Ok(UserFlag::Always(*answer)),
            Some(Json::String(name)) if is_flag(name) => Ok(UserFlag::Field(name.clone())),
            Some(_) => self.wrong(key, "expected true, false or the name of a BooleanField"),
        }
    }

    fn links(&mut self) -> Result<Option<UserLinkTables>, String> {
        let groups = self.link("groups", "group")?;
        let user_permissions = self.link("user_permissions", "permission")?;
        match (groups, user_permissions) {
            (Some(groups), Some(user_permissions)) => Ok(Some(UserLinkTables {
                groups,
                user_permissions,
            })),
            (None, None) => Ok(None),
            _ => self.wrong("groups, user_permissions", "expected both or neither"),
        }
    }

    fn link(
        &mut self,
        key: &'static str,
        target: &'static str,
    ) -> Result<Option<LinkTable>, String> {
        let Some(json) = self.get(key) else {
            return Ok(None);
        };
        let Some(table) = json.as_object() else {
            return self.wrong(
                key,
                "expected a table with `table`, `user` and the other column",
            );
        };
        let mut reading = Reading::new(format!("{key}."), table);
        let link = LinkTable {
            table: reading.needed("table")?,
            user_column: reading.needed("user")?,
            target_column: reading.needed(target)?,
        };
        reading.finish()?;
        Ok(Some(link))
    }

    fn fields(&mut self) -> Result<Vec<(FieldInfo, bool)>, String> {
        let list = match self.get("fields").and_then(Json::as_array) {
            Some(list) if list.len() <= MOST_FIELDS => list,
            Some(_) => return self.wrong("fields", "expected 1000 fields at most"),
            None => return self.wrong("fields", "expected a list of tables, one for each field"),
        };
        let field = |(place, json): (usize, &Json)| match json.as_object() {
            Some(table) => Reading::new(format!("fields[{place}]."), table).field(),
            None => self.wrong("fields", "expected a table for each field"),
        };
        list.iter().enumerate().map(field).collect()
    }

    /// One field, and whether it is the key.
    fn field(mut self) -> Result<(FieldInfo, bool), String> {
        let name = self.needed("name")?;
        let internal_type = self.needed("type")?;
        let Some(kind) = kind_of(&internal_type) else {
            return self.wrong("type", "is no type of field that can be read");
        };
        let key = self.flag("primary_key")?;
        let mut field = FieldInfo::new("", kind).unique(self.flag("unique")? || key);
        field = field.null(self.flag("null")?).blank(self.flag("blank")?);
        field.name = Cow::Owned(name);
        field.column = self.text("column")?.map(Cow::Owned);
        field.verbose_name = self.text("verbose_name")?.map(Cow::Owned);
        field.max_length = self.length()?;
        field.default = self.default(&field)?;
        self.finish()?;
        Ok((field, key))
    }

    fn length(&mut self) -> Result<Option<u32>, String> {
        let Some(json) = self.get("max_length") else {
            return Ok(None);
        };
        let length = json.as_u64().and_then(|length| u32::try_from(length).ok());
        match length.filter(|length| *length > 0) {
            Some(length) => Ok(Some(length)),
            None => self.wrong("max_length", "expected a number of characters"),
        }
    }

    fn default(&mut self, field: &FieldInfo) -> Result<Option<FieldDefault>, String> {
        let Some(json) = self.get("default") else {
            return Ok(None);
        };
        let value = match (json, field.kind) {
            (Json::String(text), FieldKind::DateTime | FieldKind::Date) if text == NOW => {
                return Ok(Some(FieldDefault::Now));
            }
            (Json::String(text), FieldKind::Uuid) if text == UUID4 => {
                return Ok(Some(FieldDefault::Uuid4));
            }
            (Json::String(text), _) => field.parse(text),
            (Json::Bool(flag), FieldKind::Bool) => Some((*flag).into()),
            (Json::Number(number), FieldKind::Real) => number.as_f64().map(Into::into),
            (Json::Number(number), _) => field.parse(&number.to_string()),
            (json, FieldKind::Json) => Some(json.to_string().into()),
            _ => None,
        };
        match value {
            Some(value) => Ok(Some(FieldDefault::Value(value))),
            None => self.wrong("default", "is no value of this field"),
        }
    }
}

/// The default that stands for `timezone.now`.
const NOW: &str = "now";
/// The default that stands for `uuid.uuid4`.
const UUID4: &str = "uuid4";

/// The kinds of Django's `get_internal_type()`.
const KINDS: [(&str, FieldKind); 25] = [
    ("CharField", FieldKind::Text),
    ("TextField", FieldKind::Text),
    ("EmailField", FieldKind::Text),
    ("SlugField", FieldKind::Text),
    ("URLField", FieldKind::Text),
    ("FileField", FieldKind::Text),
    ("FilePathField", FieldKind::Text),
    ("BooleanField", FieldKind::Bool),
    ("AutoField", FieldKind::Int32),
    ("SmallAutoField", FieldKind::Int32),
    ("IntegerField", FieldKind::Int32),
    ("SmallIntegerField", FieldKind::Int32),
    ("PositiveIntegerField", FieldKind::Int32),
    ("PositiveSmallIntegerField", FieldKind::Int32),
    ("BigAutoField", FieldKind::Int64),
    ("BigIntegerField", FieldKind::Int64),
    ("PositiveBigIntegerField", FieldKind::Int64),
    ("FloatField", FieldKind::Real),
    ("BinaryField", FieldKind::Bytes),
    ("DateTimeField", FieldKind::DateTime),
    ("UUIDField", FieldKind::Uuid),
    ("DateField", FieldKind::Date),
    ("TimeField", FieldKind::Time),
    ("DecimalField", FieldKind::Decimal),
    ("JSONField", FieldKind::Json),
];

fn kind_of(internal_type: &str) -> Option<FieldKind> {
    match internal_type {
        "GenericIPAddressField" | "IPAddressField" => Some(FieldKind::Address),
        name => KINDS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| *kind),
    }
}

/// The first type of a kind.
fn type_of(kind: FieldKind) -> &'static str {
    let known = KINDS.iter().find(|(_, known)| *known == kind);
    match (kind, known) {
        (FieldKind::Int32, _) => "IntegerField",
        (FieldKind::Int64, _) => "BigIntegerField",
        (_, Some((name, _))) => name,
        (_, None) => "GenericIPAddressField",
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && !text.contains('\0')
}

/// The name of the key: the field that says so, or `id`.
fn key_of(fields: &[(FieldInfo, bool)]) -> Result<String, String> {
    let marked: Vec<&FieldInfo> = fields
        .iter()
        .filter(|(_, key)| *key)
        .map(|(field, _)| field)
        .collect();
    let key = match marked.as_slice() {
        [] => fields
            .iter()
            .map(|(field, _)| field)
            .find(|field| field.name == "id"),
        [key] => Some(*key),
        _ => return Err("fields: more than one is the primary_key".into()),
    };
    let key = key.ok_or("fields: none is the primary_key")?;
    match key.kind {
        FieldKind::Int32 | FieldKind::Int64 | FieldKind::Uuid => Ok(key.name.clone().into_owned()),
        _ => Err(format!(
            "fields: {:?} is the key, which must be an integer or a UUID",
            key.name
        )),
    }
}

/// What parts alone do not tell.
fn judge(meta: UserMeta) -> Result<UserMeta, String> {
    let mut seen = HashSet::new();
    if let Some(twice) = meta.fields.iter().find(|field| !seen.insert(&field.name)) {
        return Err(format!("fields: {:?} is there twice", twice.name));
    }
    let needs = |name: &str, kind: FieldKind| match meta.field(name) {
        Some(field) if field.kind == kind => Ok(()),
        Some(_) => Err(format!("fields: {name:?} is not of the right type")),
        None => Err(format!("fields: {name:?} is missing")),
    };
    needs("password", FieldKind::Text)?;
    needs("last_login", FieldKind::DateTime)?;
    if meta.links.is_some() {
        needs("is_superuser", FieldKind::Bool)?;
    }
    for name in meta.required_fields.iter().chain([&meta.username_field]) {
        if meta.field(name).is_none() {
            return Err(format!("there is no field {name:?}"));
        }
    }
    Ok(meta)
}

fn show(meta: &UserMeta) -> Json {
    let mut table = Map::new();
    let mut put = |key: &str, value: Json| {
        table.insert(key.to_owned(), value);
    };
    put(
        "label",
        format!("{}.{}", meta.app_label, meta.object_name).into(),
    );
    if let Some(name) = &meta.verbose_name {
        put("verbose_name", name.as_str().into());
    }
    put("db_table", meta.db_table.as_str().into());
    put("USERNAME_FIELD", meta.username_field.as_str().into());
    put("EMAIL_FIELD", meta.email_field.as_str().into());
    put("REQUIRED_FIELDS", meta.required_fields.clone().into());
    for (key, flag) in [
        ("is_active", &meta.is_active),
        ("is_staff", &meta.is_staff),
        ("is_superuser", &meta.is_superuser),
    ] {
        put(
            key,
            match flag {
                UserFlag::Field(name) => name.as_str().into(),
                UserFlag::Always(answer) => (*answer).into(),
            },
        );
    }
    put(
        "fields",
        meta.fields
            .iter()
            .map(|field| show_field(field, meta))
            .collect(),
    );
    if let Some(links) = &meta.links {
        put("groups", show_link(&links.groups, "group"));
        put(
            "user_permissions",
            show_link(&links.user_permissions, "permission"),
        );
    }
    table.into()
}

fn show_link(link: &LinkTable, target: &str) -> Json {
    json!({"table": link.table, "user": link.user_column, target: link.target_column})
}

fn show_field(field: &FieldInfo, meta: &UserMeta) -> Json {
    let mut shown = json!({"name": field.name, "type": type_of(field.kind)});
    let flags = [
        ("primary_key", field.name == meta.pk),
        ("unique", field.unique && field.name != meta.pk),
        ("null", field.null),
        ("blank", field.blank),
    ];
    for (key, flag) in flags.into_iter().filter(|(_, flag)| *flag) {
        shown[key] = flag.into();
    }
    if let Some(column) = &field.column {
        shown["column"] = column.as_ref().into();
    }
    if let Some(name) = &field.verbose_name {
        shown["verbose_name"] = name.as_ref().into();
    }
    if let Some(length) = field.max_length {
        shown["max_length"] = length.into();
    }
    if let Some(default) = &field.default {
        shown["default"] = show_default(default);
    }
    shown
}

fn show_default(default: &FieldDefault) -> Json {
    use crate::db::Value;
    match default {
        FieldDefault::Now => NOW.into(),
        FieldDefault::Uuid4 => UUID4.into(),
        FieldDefault::Value(value) => match value {
            Value::Bool(flag) => (*flag).into(),
            Value::Int(number) => (*number).into(),
            Value::Real(number) => (*number).into(),
            Value::Text(text) => text.as_ref().into(),
            Value::Timestamp(moment) => moment.to_rfc3339().into(),
            Value::Uuid(uuid) => uuid.to_string().into(),
            Value::Null | Value::Bytes(_) => Json::Null,
        },
    }
}

#[cfg(test)]
mod tests;
