//! What `#[django(…)]` says on a struct and on its fields.

use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Field, Ident, LitInt, LitStr, Result, Token, Type, parenthesized};

/// The attribute of the struct.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) app_label: Option<LitStr>,
    pub(crate) model_name: Option<LitStr>,
    pub(crate) db_table: Option<LitStr>,
    pub(crate) username_field: Option<LitStr>,
    pub(crate) email_field: Option<LitStr>,
    pub(crate) required_fields: Vec<LitStr>,
}

impl Model {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut model = Self::default();
        for attribute in django(attributes) {
            attribute.parse_nested_meta(|meta| model.take(&meta))?;
        }
        Ok(model)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let slot = match meta.path.get_ident().map(Ident::to_string).as_deref() {
            Some("app_label") => &mut self.app_label,
            Some("model_name") => &mut self.model_name,
            Some("db_table") => &mut self.db_table,
            Some("USERNAME_FIELD") => &mut self.username_field,
            Some("EMAIL_FIELD") => &mut self.email_field,
            Some("REQUIRED_FIELDS") => return self.take_required(meta),
            _ => {
                return Err(meta.error(
                    "unknown attribute; a user model takes app_label, model_name, db_table, \
                     USERNAME_FIELD, EMAIL_FIELD and REQUIRED_FIELDS(…)",
                ));
            }
        };
        once(slot, meta.value()?.parse()?, meta)
    }

    fn take_required(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let content;
        parenthesized!(content in meta.input);
        let names = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
        self.required_fields.extend(names);
        Ok(())
    }
}

/// What a field of the struct is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Key,
    Base,
    Permissions,
    Embed,
    Column,
}

/// One field with its attribute.
pub(crate) struct Column<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) role: Role,
    pub(crate) name: LitStr,
    /// `column = "…"`.
    pub(crate) column: Option<LitStr>,
    pub(crate) default: Option<Expr>,
    pub(crate) max_length: Option<LitInt>,
    pub(crate) unique: bool,
    pub(crate) null: bool,
    pub(crate) blank: bool,
    /// `is_active` or `is_staff`, whose answer this field is.
    pub(crate) flag: Option<&'static str>,
}

impl<'a> Column<'a> {
    pub(crate) fn parse(field: &'a Field) -> Result<Self> {
        let ident = field.ident.as_ref().expect("the caller saw named fields");
        let text = ident.to_string();
        let text = text.trim_start_matches("r#");
        let mut column = Self {
            ident,
            ty: &field.ty,
            role: Role::of(text),
            name: LitStr::new(text, ident.span()),
            column: None,
            default: None,
            max_length: None,
            unique: false,
            null: is_option(&field.ty),
            blank: false,
            flag: flag_of(text),
        };
        for attribute in django(&field.attrs) {
            attribute.parse_nested_meta(|meta| column.take(&meta))?;
        }
        Ok(column)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match meta.path.get_ident().map(Ident::to_string).as_deref() {
            Some("primary_key") => self.role = Role::Key,
            Some("embed") => self.role = Role::Embed,
            Some("default") => return once(&mut self.default, meta.value()?.parse()?, meta),
            Some("max_length") => return once(&mut self.max_length, meta.value()?.parse()?, meta),
            Some("column") => return once(&mut self.column, meta.value()?.parse()?, meta),
            Some("unique") => self.unique = true,
            Some("null") => self.null = true,
            Some("blank") => self.blank = true,
            Some("is_active") => self.flag = Some("is_active"),
            Some("is_staff") => self.flag = Some("is_staff"),
            _ => {
                return Err(meta.error(
                    "unknown attribute; a field takes primary_key, embed, column = \"…\", \
                     default = …, max_length = …, unique, null, blank, is_active and is_staff",
                ));
            }
        }
        Ok(())
    }

    /// Whether this field is one column of the table (and not a struct of several).
    pub(crate) fn is_column(&self) -> bool {
        matches!(self.role, Role::Key | Role::Column)
    }
}

impl Role {
    fn of(name: &str) -> Self {
        match name {
            "id" => Self::Key,
            "base" => Self::Base,
            "permissions" => Self::Permissions,
            _ => Self::Column,
        }
    }
}

fn django(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("django"))
}

fn flag_of(name: &str) -> Option<&'static str> {
    ["is_active", "is_staff"]
        .into_iter()
        .find(|flag| *flag == name)
}

fn once<T>(slot: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> Result<()> {
    if slot.is_some() {
        return Err(meta.error("given twice"));
    }
    *slot = Some(value);
    Ok(())
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}
