//! `UserAdmin`.

use super::{Fieldset, IS_POPUP_VAR, lookup};

/// How users are listed, added and changed; mirrors Django's `UserAdmin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAdmin {
    /// The columns of the list.
    pub list_display: Vec<&'static str>,
    /// The columns that lead to the user; empty: the first one.
    pub list_display_links: Vec<&'static str>,
    /// What the list can be filtered by.
    pub list_filter: Vec<&'static str>,
    /// The fields that a search looks into.
    pub search_fields: Vec<&'static str>,
    /// The order of the list.
    pub ordering: Vec<&'static str>,
    /// What is said beside the search: a key of the catalogue, or words.
    pub search_help_text: Option<&'static str>,
    /// How many users a page of the list has.
    pub list_per_page: u64,
    /// Up to how many the list can be shown as one page.
    pub list_max_show_all: u64,
    /// The relations that are chosen in two panes side by side.
    pub filter_horizontal: Vec<&'static str>,
    /// The fields that are shown and cannot be changed.
    pub readonly_fields: Vec<&'static str>,
    /// What stands where there is no value.
    pub empty_value_display: &'static str,
    /// How many of the objects that a deletion takes along are listed by name.
    pub delete_confirmation_max_display: u64,
    /// The fields of the page on which a user is changed.
    pub fieldsets: Vec<Fieldset>,
    /// The fields of the page on which a user is added.
    pub add_fieldsets: Vec<Fieldset>,
    /// The form that changes a user.
    pub form: UserForm,
    /// The form that adds one.
    pub add_form: UserForm,
    /// The form that sets the password of somebody else.
    pub change_password_form: UserForm,
    /// The template of the page on which a user is added.
    pub add_form_template: &'static str,
    /// The template of the password page, if not the usual one.
    pub change_user_password_template: Option<&'static str>,
}

/// The forms for users, by Django's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserForm {
    /// Everything but the password, which is shown as its summary.
    UserChangeForm,
    /// A name and a password, or none that can be used.
    AdminUserCreationForm,
    /// A password, or none that can be used.
    AdminPasswordChangeForm,
}

impl UserForm {
    /// Django's name of the form.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserChangeForm => "UserChangeForm",
            Self::AdminUserCreationForm => "AdminUserCreationForm",
            Self::AdminPasswordChangeForm => "AdminPasswordChangeForm",
        }
    }
}

/// What somebody may do with users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// `auth.add_user`.
    pub add: bool,
    /// `auth.change_user`.
    pub change: bool,
}

/// How the page for adding answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddView {
    /// It shows the form.
    Form,
    /// 403.
    Forbidden,
    /// 404 with an explanation, for developers: the right to change users is missing.
    Explained,
}

/// Where somebody is led who has added a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAdding {
    /// To the new user's page, as the other fields are still empty.
    Change,
    /// To an empty form.
    AddAnother,
    /// The pop-up window closes.
    ClosePopup,
}

/// What the password page finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordForm {
    /// The visitor may change this user; asked without one if there is none.
    pub may_change: bool,
    /// There is such a user.
    pub exists: bool,
    /// The form was sent and is valid.
    pub is_valid: bool,
    /// The form says that there shall be no password.
    pub disables: bool,
    /// It was sent by the button for that, `unset-password`.
    pub unset_password: bool,
}

/// How the password page answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordView {
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// It shows the form, with what is wrong.
    Form,
    /// The fields say one thing and the button another: an error, and the same page again.
    Conflict,
    /// The password is set, or disabled: written to the log as a change, told, and the visitor's own
    /// session goes on. Leads to the user's page.
    Done,
}

impl Default for UserAdmin {
    fn default() -> Self {
        Self {
            list_display: vec!["username", "email", "first_name", "last_name", "is_staff"],
            list_display_links: Vec::new(),
            list_filter: vec!["is_staff", "is_superuser", "is_active", "groups"],
            search_fields: vec!["username", "first_name", "last_name", "email"],
            ordering: vec!["username"],
            search_help_text: None,
            list_per_page: 100,
            list_max_show_all: 200,
            filter_horizontal: vec!["groups", "user_permissions"],
            readonly_fields: Vec::new(),
            empty_value_display: "-",
            delete_confirmation_max_display: 100,
            fieldsets: fieldsets(),
            add_fieldsets: vec![Fieldset {
                classes: vec!["wide"],
                ..Fieldset::new(
                    None,
                    &["username", "usable_password", "password1", "password2"],
                )
            }],
            form: UserForm::UserChangeForm,
            add_form: UserForm::AdminUserCreationForm,
            change_password_form: UserForm::AdminPasswordChangeForm,
            add_form_template: "admin/auth/user/add_form.html",
            change_user_password_template: None,
        }
    }
}

fn fieldsets() -> Vec<Fieldset> {
    let rights = [
        "is_active",
        "is_staff",
        "is_superuser",
        "groups",
        "user_permissions",
    ];
    vec![
        Fieldset::new(None, &["username", "password"]),
        Fieldset::new(Some("personal_info"), &["first_name", "last_name", "email"]),
        Fieldset::new(Some("permissions"), &rights),
        Fieldset::new(Some("important_dates"), &["last_login", "date_joined"]),
    ]
}

impl UserAdmin {
    /// The fields of a page: those for adding when there is no user yet.
    pub fn get_fieldsets(&self, adding: bool) -> &[Fieldset] {
        if adding {
            &self.add_fieldsets
        } else {
            &self.fieldsets
        }
    }

    /// The form of a page: that for adding when there is no user yet.
    pub fn get_form(&self, adding: bool) -> UserForm {
        if adding { self.add_form } else { self.form }
    }

    /// The routes with their names, relative to the list of users. The password page comes first, as
    /// its path would otherwise be taken for a key.
    pub fn get_urls(&self) -> [(&'static str, &'static str); 6] {
        [
            ("<id>/password/", "auth_user_password_change"),
            ("", "auth_user_changelist"),
            ("add/", "auth_user_add"),
            ("<path:object_id>/history/", "auth_user_history"),
            ("<path:object_id>/delete/", "auth_user_delete"),
            ("<path:object_id>/change/", "auth_user_change"),
        ]
    }

    /// The routes of another user model, by its label (`accounts.account`); without a dot it is the
    /// stock user's. The name of the password page is the same for every model, as in Django.
    pub fn get_urls_of(&self, label: &str) -> [(&'static str, String); 6] {
        let (app, model) = label.split_once('.').unwrap_or(("auth", "user"));
        self.get_urls().map(|(path, name)| {
            let rest = name.trim_start_matches("auth_user_");
            match rest {
                "password_change" => (path, name.to_owned()),
                _ => (path, format!("{app}_{model}_{rest}")),
            }
        })
    }

    /// Whether the list may be filtered by this lookup of the address. Never by the password, and of
    /// other tables only by what `list_filter` names; a refusal is a 400.
    pub fn lookup_allowed(&self, lookup: &str) -> bool {
        !lookup.starts_with("password") && lookup::reads_only_the_list(lookup, &self.list_filter)
    }

    /// Whether somebody may add users: only who may also change them, as a new user can be given every
    /// right.
    pub fn add_view(&self, rights: Rights, debug: bool) -> AddView {
        match rights {
            Rights {
                add: true,
                change: true,
            } => AddView::Form,
            Rights {
                add: true,
                change: false,
            } if debug => AddView::Explained,
            _ => AddView::Forbidden,
        }
    }

    /// Where an added user leads, by the names that the form sent.
    pub fn response_add(&self, posted: &[&str]) -> AfterAdding {
        let has = |name| posted.contains(&name);
        if has(IS_POPUP_VAR) {
            AfterAdding::ClosePopup
        } else if has("_addanother") && !has("_continue") {
            AfterAdding::AddAnother
        } else {
            AfterAdding::Change
        }
    }

    /// How the password page answers. Whether the user exists is told only to whom may change users.
    pub fn user_change_password(&self, form: PasswordForm) -> PasswordView {
        match form {
            PasswordForm {
                may_change: false, ..
            } => PasswordView::Forbidden,
            PasswordForm { exists: false, .. } => PasswordView::NotFound,
            PasswordForm {
                is_valid: false, ..
            } => PasswordView::Form,
            PasswordForm {
                disables: true,
                unset_password: false,
                ..
            } => PasswordView::Conflict,
            PasswordForm { .. } => PasswordView::Done,
        }
    }
}
