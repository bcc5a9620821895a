//! What pages know of the registered models: the user model and groups, with the data of their admins.

use djauth::admin::{Fieldset, GroupAdmin, UserAdmin};
use djauth::base_user::{FieldInfo, FieldKind, UserMeta};
use djauth::forms::Text;
use djauth::{Auth, BaseUser};

use super::{AdminSite, Column};
use crate::edited;
use crate::listed;
use crate::model::{FieldSpec, ModelId, ModelInfo, Options, Registered, Relation, Set, capfirst};

/// Every registered model of a site, groups first as in Django.
pub(super) fn registered<U: BaseUser>(
    auth: &Auth<U>,
    users: Option<UserAdmin>,
    groups: Option<GroupAdmin>,
    columns: Vec<Column<U>>,
) -> Vec<Registered> {
    let groups = groups.map(|admin| Registered {
        id: ModelId::Groups,
        info: group_info(),
        options: group_options(&admin),
        listed: Box::new(listed::Groups::new(auth, &admin)),
        edited: Box::new(edited::Groups::new(auth, group_info())),
    });
    let users = users.map(|admin| Registered {
        id: ModelId::Users,
        info: user_info(auth.user_meta()),
        options: user_options(&admin, &columns),
        listed: Box::new(listed::Users::new(auth, &admin, columns)),
        edited: Box::new(edited::Users::new(auth, user_info(auth.user_meta()))),
    });
    groups.into_iter().chain(users).collect()
}

impl<U: BaseUser> AdminSite<U> {
    /// Models and the data of their admins, for the checks.
    pub(super) fn described(&self) -> Vec<(ModelInfo, Options)> {
        let groups = self.groups.as_ref();
        let groups = groups.map(|admin| (group_info(), group_options(admin)));
        let users = self.users.as_ref().map(|admin| {
            let options = user_options(admin, &self.columns);
            (user_info(self.auth.user_meta()), options)
        });
        groups.into_iter().chain(users).collect()
    }
}

fn group_info() -> ModelInfo {
    let name = FieldSpec {
        unique: true,
        ..spec("name", "Name", FieldKind::Text)
    };
    let permissions = relation("permissions", "Permissions", Relation::GroupPermissions);
    ModelInfo {
        app_label: "auth".to_owned(),
        model_name: "group".to_owned(),
        object_name: "Group".to_owned(),
        app_name: Text::Key("admin_app.auth"),
        verbose_name: Text::Key("admin_model.group"),
        verbose_name_plural: Text::Key("admin_model.groups"),
        fields: vec![spec("id", "ID", FieldKind::Int32), name, permissions],
        pk: "id".to_owned(),
        key: FieldKind::Int32,
    }
}

fn spec(name: &str, log_label: &str, kind: FieldKind) -> FieldSpec {
    FieldSpec {
        name: name.to_owned(),
        label: Text::Field(name.to_owned()),
        log_label: log_label.to_owned(),
        kind,
        null: false,
        unique: false,
        relation: None,
    }
}

fn user_info(meta: &UserMeta) -> ModelInfo {
    let (name, plural) = names(meta);
    ModelInfo {
        app_label: meta.app_label.clone(),
        model_name: meta.model_name(),
        object_name: meta.object_name.clone(),
        app_name: app_name(&meta.app_label),
        verbose_name: name,
        verbose_name_plural: plural,
        fields: user_fields(meta),
        pk: meta.pk.clone(),
        key: meta.key_kind(),
    }
}

/// The columns but the password, and the relations.
fn user_fields(meta: &UserMeta) -> Vec<FieldSpec> {
    let columns = meta.fields.iter().filter(|field| field.name != "password");
    let columns = columns.map(|field| user_field(meta, field));
    let relations = [
        relation("groups", "Groups", Relation::Groups),
        relation(
            "user_permissions",
            "User permissions",
            Relation::UserPermissions,
        ),
    ];
    columns
        .chain(relations.into_iter().filter(|_| meta.links.is_some()))
        .collect()
}

fn relation(name: &str, log_label: &str, relation: Relation) -> FieldSpec {
    FieldSpec {
        relation: Some(relation),
        ..spec(name, log_label, FieldKind::Int32)
    }
}

fn user_field(meta: &UserMeta, field: &FieldInfo) -> FieldSpec {
    FieldSpec {
        label: Text::field(meta, &field.name),
        null: field.null,
        unique: field.unique,
        ..spec(&field.name, &log_label(meta, &field.name), field.kind)
    }
}

/// The label as Django's log has it: `verbose_name` with a capital letter, untranslated.
fn log_label(meta: &UserMeta, name: &str) -> String {
    let given = meta
        .field(name)
        .is_some_and(|field| field.verbose_name.is_some());
    let of_abstract_user = meta.field("date_joined").is_some();
    match name {
        _ if given => {}
        "is_superuser" if meta.links.is_some() => return "Superuser status".to_owned(),
        "is_staff" if of_abstract_user => return "Staff status".to_owned(),
        "is_active" if of_abstract_user => return "Active".to_owned(),
        "id" => return "ID".to_owned(),
        _ => {}
    }
    capfirst(&meta.field_label(name))
}

/// Name and plural.
fn names(meta: &UserMeta) -> (Text, Text) {
    if meta.is_stock() {
        let (one, many) = ("admin_model.user", "admin_model.users");
        return (Text::Key(one), Text::Key(many));
    }
    let name = match &meta.verbose_name {
        Some(name) => name.clone(),
        None => camel_case_to_spaces(&meta.object_name),
    };
    (name.as_str().into(), format!("{name}s").into())
}

/// Django's default for the name of an application: its label with capital letters.
fn app_name(label: &str) -> Text {
    match label {
        "auth" => Text::Key("admin_app.auth"),
        label => {
            let words = label.split('_').map(capfirst);
            Text::Literal(words.collect::<Vec<_>>().join("_"))
        }
    }
}

/// `ClubMember` is a `club member`, `APIKey` an `api key`: Django's `camel_case_to_spaces` has a blank
/// before each capital letter that follows a small one, or that no other capital letter follows.
fn camel_case_to_spaces(name: &str) -> String {
    let letters: Vec<char> = name.trim().chars().collect();
    let mut words = String::new();
    let mut last: Option<char> = None;
    for (letter, next) in letters
        .iter()
        .zip(letters.iter().skip(1).map(Some).chain([None]))
    {
        let after_small = last.is_some_and(|last| last.is_ascii_lowercase());
        let before_other = next.is_some_and(|next| !next.is_ascii_uppercase());
        if letter.is_ascii_uppercase() && (after_small || before_other) && last.is_some() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
        last = Some(*letter);
    }
    words
}

fn owned(names: &[&'static str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn sets(fieldsets: &[Fieldset]) -> Vec<Set> {
    let set = |set: &Fieldset| Set {
        name: set.name.map(str::to_owned),
        fields: owned(&set.fields),
        classes: owned(&set.classes),
    };
    fieldsets.iter().map(set).collect()
}

fn user_options<U>(admin: &UserAdmin, columns: &[Column<U>]) -> Options {
    let labels = columns
        .iter()
        .map(|column| (column.name, column.label.clone()));
    Options {
        list_display: owned(&admin.list_display),
        list_display_links: owned(&admin.list_display_links),
        list_filter: owned(&admin.list_filter),
        search_fields: owned(&admin.search_fields),
        search_help_text: admin.search_help_text.map(str::to_owned),
        ordering: owned(&admin.ordering),
        list_per_page: admin.list_per_page,
        list_max_show_all: admin.list_max_show_all,
        fieldsets: sets(&admin.fieldsets),
        add_fieldsets: sets(&admin.add_fieldsets),
        readonly_fields: owned(&admin.readonly_fields),
        filter_horizontal: owned(&admin.filter_horizontal),
        empty_value_display: admin.empty_value_display.to_owned(),
        delete_confirmation_max_display: admin.delete_confirmation_max_display,
        computed: labels.collect(),
        add_form_template: Some(admin.add_form_template.to_owned()),
        change_user_password_template: admin.change_user_password_template.map(str::to_owned),
    }
}

fn group_options(admin: &GroupAdmin) -> Options {
    Options {
        list_display: owned(&admin.list_display),
        list_display_links: owned(&admin.list_display_links),
        list_filter: owned(&admin.list_filter),
        search_fields: owned(&admin.search_fields),
        search_help_text: admin.search_help_text.map(str::to_owned),
        ordering: owned(&admin.ordering),
        list_per_page: admin.list_per_page,
        list_max_show_all: admin.list_max_show_all,
        fieldsets: sets(&admin.fieldsets),
        add_fieldsets: sets(&admin.fieldsets),
        readonly_fields: owned(&admin.readonly_fields),
        filter_horizontal: owned(&admin.filter_horizontal),
        empty_value_display: admin.empty_value_display.to_owned(),
        delete_confirmation_max_display: admin.delete_confirmation_max_display,
        ..Options::default()
    }
}

#[cfg(test)]
mod tests {
    use djauth::User;

    use super::*;

    #[test]
    fn the_log_names_fields_as_django_does() {
        let info = user_info(&UserMeta::declared::<User>());
        let label = |name: &str| info.field(name).unwrap().log_label.clone();
        for (name, expected) in [
            ("username", "Username"),
            ("first_name", "First name"),
            ("email", "Email address"),
            ("is_active", "Active"),
            ("is_staff", "Staff status"),
            ("is_superuser", "Superuser status"),
            ("groups", "Groups"),
            ("user_permissions", "User permissions"),
            ("last_login", "Last login"),
            ("date_joined", "Date joined"),
        ] {
            assert_eq!(label(name), expected);
        }
        assert!(info.field("password").is_none());
        assert_eq!(
            group_info().field("permissions").unwrap().log_label,
            "Permissions"
        );
    }

    #[test]
    fn names_of_own_models_are_made_as_in_django() {
        // Answers of Django's `camel_case_to_spaces`.
        for (name, expected) in [
            ("ClubMember", "club member"),
            ("Account", "account"),
            ("APIKey", "api key"),
            ("MyAPI", "my api"),
            ("HTTPServerURL", "http server url"),
            ("A1B", "a1b"),
            ("XA1Y", "x a1y"),
            ("User2Fa", "user2 fa"),
            ("ÄÖUser", "äö user"),
        ] {
            assert_eq!(camel_case_to_spaces(name), expected);
        }
        let mut meta = UserMeta::declared::<User>();
        meta.app_label = "my_clubs".into();
        meta.object_name = "ClubMember".into();
        let info = user_info(&meta);
        let english = djauth::i18n::Language::ENGLISH;
        assert_eq!(
            info.verbose_name_plural.in_language(english),
            "club members"
        );
        assert_eq!(info.app_name.in_language(english), "My_Clubs");
        assert_eq!(info.perm("view"), "my_clubs.view_clubmember");
    }
}
