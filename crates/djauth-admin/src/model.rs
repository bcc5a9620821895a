//! What the parts of the admin share: the registered models, their rows, and who asks.
//!
//! Nothing here knows the type of the user model: pages are compiled once, whatever models there are.

use std::collections::HashSet;

use djauth::Error;
use djauth::base_user::FieldKind;
use djauth::forms::{Form, Text};
use djauth::http::QueryDict;
use djauth::models::Q;
use djauth_db::Value;
use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use uuid::Uuid;

use crate::deleted::Going;
use crate::options::{Change, Seen};
use crate::request::AdminRequest;

/// What a page makes, boxed so that the futures of handlers do not nest deeper than compilers look.
pub(crate) type Made<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// A registered model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ModelId {
    Users,
    Groups,
}

/// One field of a registered model.
#[derive(Clone)]
pub(crate) struct FieldSpec {
    pub(crate) name: String,
    pub(crate) label: Text,
    /// Its label in the log of changes, which Django keeps untranslated: `Email address`.
    pub(crate) log_label: String,
    pub(crate) kind: FieldKind,
    pub(crate) null: bool,
    pub(crate) unique: bool,
    /// `None`: a column.
    pub(crate) relation: Option<Relation>,
}

/// A many-to-many field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    Groups,
    UserPermissions,
    GroupPermissions,
}

impl Relation {
    /// The name of its field.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::UserPermissions => "user_permissions",
            Self::GroupPermissions => "permissions",
        }
    }
}

/// What is known about a registered model.
#[derive(Clone)]
pub(crate) struct ModelInfo {
    pub(crate) app_label: String,
    pub(crate) model_name: String,
    pub(crate) object_name: String,
    pub(crate) app_name: Text,
    pub(crate) verbose_name: Text,
    pub(crate) verbose_name_plural: Text,
    pub(crate) fields: Vec<FieldSpec>,
    /// The field that is the key.
    pub(crate) pk: String,
    pub(crate) key: FieldKind,
}

impl ModelInfo {
    /// The field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&FieldSpec> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The permission to do something with objects of the model: `auth.change_user`.
    pub(crate) fn perm(&self, action: &str) -> String {
        format!("{}.{action}_{}", self.app_label, self.model_name)
    }

    /// The key that a text stands for, as Django's key fields read it. `None`: no object has it.
    pub(crate) fn parse_key(&self, text: &str) -> Option<Value<'static>> {
        let number = || text.trim().parse::<i64>().ok();
        match self.key {
            FieldKind::Uuid => Uuid::try_parse(text).ok().map(Value::from),
            FieldKind::Int32 => number()
                .filter(|number| i32::try_from(*number).is_ok())
                .map(Value::from),
            _ => number().map(Value::from),
        }
    }
}

/// A text with a capital letter at its beginning (Django's `capfirst`).
pub(crate) fn capfirst(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A stored password, for its masked summary alone.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(encoded: String) -> Self {
        Self(encoded)
    }

    /// For `render_password_as_hash` and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// One row, as pages see it. `values` has every column but the password.
#[derive(Clone)]
pub(crate) struct Object {
    /// The key as text; a UUID with hyphens.
    pub(crate) key: String,
    /// Django's `str(object)`.
    pub(crate) repr: String,
    pub(crate) username: Option<String>,
    pub(crate) values: IndexMap<String, Value<'static>>,
    /// Keys of many-to-many fields, where they were read.
    pub(crate) related: IndexMap<String, Vec<i32>>,
    pub(crate) password: Option<Secret>,
    /// Columns of the application's own.
    pub(crate) computed: IndexMap<&'static str, String>,
}

/// Who acts, and what they may do with each registered model. Made once per request.
pub(crate) struct Actor {
    pub(crate) key: Value<'static>,
    pub(crate) key_text: String,
    pub(crate) name: String,
    pub(crate) has_usable_password: bool,
    pub(crate) rights: Vec<(ModelId, Rights)>,
    /// Other permissions that pages ask for, of those in [`EXTRA_PERMISSIONS`].
    pub(crate) extra: HashSet<String>,
    /// Labels of the applications of which the actor has any permission.
    pub(crate) apps: HashSet<String>,
}

/// What is asked for besides the rights on models.
pub(crate) const EXTRA_PERMISSIONS: [&str; 2] = ["admin.view_logentry", "auth.view_permission"];

/// What somebody may do with objects of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) add: bool,
    pub(crate) change: bool,
    pub(crate) delete: bool,
    /// To view or to change: who may change may look.
    pub(crate) view: bool,
}

impl Rights {
    pub(crate) fn any(self) -> bool {
        self.add || self.change || self.delete || self.view
    }
}

impl Actor {
    /// What they may do with a model.
    pub(crate) fn rights(&self, model: ModelId) -> Rights {
        let found = self.rights.iter().find(|(known, _)| *known == model);
        found.map(|(_, rights)| *rights).unwrap_or_default()
    }

    /// Whether they have one of [`EXTRA_PERMISSIONS`].
    pub(crate) fn may(&self, perm: &str) -> bool {
        self.extra.contains(perm)
    }

    /// Whether they have any permission of an application (Django's `has_module_perms`).
    pub(crate) fn sees_app(&self, label: &str) -> bool {
        self.apps.contains(label)
    }
}

/// A registered model with what reads and writes it.
pub(crate) struct Registered {
    pub(crate) id: ModelId,
    pub(crate) info: ModelInfo,
    pub(crate) options: Options,
    pub(crate) listed: Box<dyn Listed>,
    pub(crate) edited: Box<dyn Edited>,
}

/// A `UserAdmin` or `GroupAdmin`, alike for pages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) list_display: Vec<String>,
    pub(crate) list_display_links: Vec<String>,
    pub(crate) list_filter: Vec<String>,
    pub(crate) search_fields: Vec<String>,
    pub(crate) search_help_text: Option<String>,
    pub(crate) ordering: Vec<String>,
    pub(crate) list_per_page: u64,
    pub(crate) list_max_show_all: u64,
    pub(crate) fieldsets: Vec<Set>,
    pub(crate) add_fieldsets: Vec<Set>,
    pub(crate) readonly_fields: Vec<String>,
    pub(crate) filter_horizontal: Vec<String>,
    pub(crate) empty_value_display: String,
    pub(crate) delete_confirmation_max_display: u64,
    /// Columns of the application's own, with their labels.
    pub(crate) computed: Vec<(&'static str, Text)>,
    /// Users alone: templates of the pages for adding and for the password.
    pub(crate) add_form_template: Option<String>,
    pub(crate) change_user_password_template: Option<String>,
}

/// Fields that stand together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    /// What it is about, as an identifier; `None` has no title.
    pub(crate) name: Option<String>,
    pub(crate) fields: Vec<String>,
    pub(crate) classes: Vec<String>,
}

/// What the list needs of a table.
pub(crate) trait Listed: Send + Sync {
    fn page<'a>(&'a self, query: &'a ListQuery) -> Made<'a, ListPage>;
    /// How many rows meet each of `asked`, in one statement.
    fn facets<'a>(&'a self, without: &'a [Q], asked: &'a [Q]) -> Made<'a, Vec<u64>>;
    /// What a relation can be filtered by, in the order of its own list.
    fn choices<'a>(&'a self, relation: Relation) -> Made<'a, Vec<(i32, String)>>;
    /// The texts that a field of text has, each once.
    fn texts<'a>(&'a self, field: &'a str, limit: u64) -> Made<'a, Vec<String>>;
    /// Keys of the whole list, for actions.
    fn keys<'a>(&'a self, query: &'a ListQuery, limit: u64) -> Made<'a, Vec<String>>;
    fn lookup_allowed(&self, lookup: &str) -> bool;
}

pub(crate) struct ListQuery {
    pub(crate) filters: Vec<Q>,
    /// A relation whose link table is gone through first.
    pub(crate) driver: Option<(Relation, i32)>,
    pub(crate) order: Vec<String>,
    pub(crate) start: Start,
    pub(crate) size: u64,
    pub(crate) count: bool,
}

/// Where a page of a list begins; `Keys` are rows of it, in its order, whatever page they are on.
#[derive(Clone)]
pub(crate) enum Start {
    First,
    Page(u64),
    After(Vec<Value<'static>>),
    Before(Vec<Value<'static>>),
    Last,
    Keys(Vec<String>),
}

#[derive(Default)]
pub(crate) struct ListPage {
    pub(crate) rows: Vec<Object>,
    pub(crate) count: Count,
    pub(crate) has_more: bool,
}

/// How many rows there are: `known`, and if `more`, then more than that; `estimate` may say how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) known: u64,
    pub(crate) more: bool,
    pub(crate) estimate: Option<u64>,
}

/// What forms need of a table. Each method that writes is one transaction together with its log rows.
pub(crate) trait Edited: Send + Sync {
    /// `None` also for a malformed key.
    fn get<'a>(&'a self, key: &'a str) -> Made<'a, Option<Object>>;
    fn get_many<'a>(&'a self, keys: &'a [String]) -> Made<'a, Vec<Object>>;
    fn add_form<'a>(&'a self, cx: &'a Editing<'a>) -> Made<'a, Form>;
    fn change_form<'a>(&'a self, cx: &'a Editing<'a>, object: &'a Object) -> Made<'a, Form>;
    fn add<'a>(&'a self, cx: &'a Editing<'a>) -> Made<'a, Submitted>;
    fn change<'a>(&'a self, cx: &'a Editing<'a>, key: &'a str) -> Made<'a, Submitted>;
    /// Writes the log first.
    fn delete<'a>(&'a self, cx: &'a Editing<'a>, keys: &'a [String]) -> Made<'a, u64>;
    /// What a deletion would take along.
    fn going<'a>(&'a self, keys: &'a [String]) -> Made<'a, Going>;
    /// Whether no active superuser would be left without these. Only users have a say in it.
    fn includes_last_superuser<'a>(&'a self, keys: &'a [String]) -> Made<'a, bool> {
        let _ = keys;
        Box::pin(std::future::ready(Ok(false)))
    }
    /// The same of one alone, for pages that are often looked at: from a number that may be a minute old.
    fn seems_last_superuser<'a>(&'a self, key: &'a str) -> Made<'a, bool> {
        let _ = key;
        Box::pin(std::future::ready(Ok(false)))
    }
    /// Whether no active superuser is left, after a change of fields with these labels of the log.
    fn lost_superusers<'a>(&'a self, labels: &'a [String]) -> Made<'a, bool> {
        let _ = labels;
        Box::pin(std::future::ready(Ok(false)))
    }
    /// The hidden fields by which a form remembers what it showed of an object.
    fn seen(&self, object: &Object, fields: &[&str]) -> Vec<(String, String)>;
    /// The form for somebody's password, with whom it is of. Only users have one.
    fn password_form<'a>(&'a self, key: &'a str) -> Made<'a, Option<(Form, Object)>> {
        let _ = key;
        Box::pin(std::future::ready(Ok(None)))
    }
    /// Sets a password or turns it off, if `cx.data` says so rightly.
    fn set_password<'a>(&'a self, cx: &'a Editing<'a>, key: &'a str) -> Made<'a, PasswordSet> {
        let _ = (cx, key);
        Box::pin(std::future::ready(Ok(PasswordSet::Gone)))
    }
}

/// A form and its circumstances.
pub(crate) struct Editing<'a> {
    pub(crate) request: &'a AdminRequest,
    pub(crate) actor: &'a Actor,
    /// `None`: the form is only shown.
    pub(crate) data: Option<&'a QueryDict>,
    /// The fields that may be changed.
    pub(crate) fields: Vec<&'a str>,
    pub(crate) seen: Seen,
}

/// What came of a form for a password.
pub(crate) enum PasswordSet {
    Invalid(Box<(Form, Object)>),
    /// The fields say one thing, and the button another.
    Contradiction,
    /// Done; whether the user has a password now.
    Done(bool),
    Gone,
}

/// What came of a form that was sent.
pub(crate) enum Submitted {
    Invalid(Form),
    /// Somebody else changed the same meanwhile.
    Conflict(Form, Vec<Change>),
    /// The object, and the labels of the fields that changed, for the log.
    Saved(Object, Vec<String>),
    /// The object does not exist any more.
    Gone,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(key: FieldKind) -> ModelInfo {
        ModelInfo {
            app_label: "auth".into(),
            model_name: "user".into(),
            object_name: "User".into(),
            app_name: "Auth".into(),
            verbose_name: "user".into(),
            verbose_name_plural: "users".into(),
            fields: Vec::new(),
            pk: "id".into(),
            key,
        }
    }

    #[test]
    fn keys_are_read_as_django_reads_them() {
        let small = info(FieldKind::Int32);
        assert_eq!(small.perm("change"), "auth.change_user");
        assert_eq!(small.parse_key(" 5 "), Some(Value::Int(5)));
        for text in ["", "x", "5.0", "2147483648", "0x5", "99999999999999999999"] {
            assert_eq!(small.parse_key(text), None, "{text}");
        }
        let large = info(FieldKind::Int64);
        assert_eq!(
            large.parse_key("2147483648"),
            Some(Value::Int(2_147_483_648))
        );
        let uuid = info(FieldKind::Uuid);
        let text = "12345678123456781234567812345678";
        assert!(uuid.parse_key(text).is_some() && uuid.parse_key("5").is_none());
    }
}
