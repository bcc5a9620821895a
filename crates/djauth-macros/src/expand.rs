//! The code that the derive writes.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Type};

use crate::attributes::{Column, Model, Role};

pub(crate) fn base_user(input: &DeriveInput) -> Result<TokenStream> {
    let model = Model::parse(&input.attrs)?;
    let columns = columns(input)?;
    let impl_user = impl_base_user(input, &model, &columns)?;
    let name = &input.ident;
    Ok(quote! {
        #impl_user

        #[automatically_derived]
        impl ::core::default::Default for #name {
            fn default() -> Self {
                <Self as ::djauth::BaseUser>::blank()
            }
        }
    })
}

fn columns(input: &DeriveInput) -> Result<Vec<Column<'_>>> {
    if !input.generics.params.is_empty() {
        return Err(Error::new(
            input.generics.span(),
            "a user model cannot have generic parameters",
        ));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields.named.iter().map(Column::parse).collect(),
            _ => Err(not_a_model(input)),
        },
        _ => Err(not_a_model(input)),
    }
}

fn not_a_model(input: &DeriveInput) -> Error {
    Error::new(
        input.ident.span(),
        "a user model is a struct with named fields",
    )
}

fn impl_base_user(
    input: &DeriveInput,
    model: &Model,
    columns: &[Column<'_>],
) -> Result<TokenStream> {
    let name = &input.ident;
    let constants = constants(input, model, columns)?;
    let accessors = accessors(input, columns)?;
    let username = username_accessor(&username_field(input, model, columns)?, columns);
    let (read, write) = (columns.iter().map(read), columns.iter().map(write));
    Ok(quote! {
        #[automatically_derived]
        impl ::djauth::BaseUser for #name {
            #constants
            #accessors
            #username

            fn read(row: &mut ::djauth::base_user::Columns<'_>) -> ::djauth::db::Result<Self> {
                ::core::result::Result::Ok(Self { #(#read),* })
            }

            fn write<'a>(&'a self, row: &mut ::djauth::base_user::Changes<'a>) {
                #(#write)*
            }
        }
    })
}

fn constants(input: &DeriveInput, model: &Model, columns: &[Column<'_>]) -> Result<TokenStream> {
    let app_label = model.app_label.as_ref().ok_or_else(|| {
        Error::new(
            input.ident.span(),
            "name the application that the model belongs to: #[django(app_label = \"…\")]",
        )
    })?;
    let model_name = model.model_name.clone().unwrap_or_else(|| {
        LitStr::new(&input.ident.to_string().to_lowercase(), input.ident.span())
    });
    let key = role(columns, Role::Key).ok_or_else(|| no_key(input))?;
    let (key_type, key_name) = (key.ty, key.column.as_ref().unwrap_or(&key.name));
    let db_table = model.db_table.iter();
    let username = username_field(input, model, columns)?;
    let email = named(model.email_field.as_ref(), columns)?.into_iter();
    let required = &model.required_fields;
    for field in required {
        named(Some(field), columns)?;
    }
    let fields = columns.iter().map(field_info);
    let flag = |name| {
        flag_column(columns, name)
            .map(|column| &column.name)
            .into_iter()
    };
    let (is_active, is_staff) = (flag("is_active"), flag("is_staff"));
    Ok(quote! {
        type Id = #key_type;
        const APP_LABEL: &'static str = #app_label;
        const MODEL_NAME: &'static str = #model_name;
        const ID_COLUMN: &'static str = #key_name;
        #(const DB_TABLE: ::core::option::Option<&'static str> = ::core::option::Option::Some(#db_table);)*
        const USERNAME_FIELD: &'static str = #username;
        #(const EMAIL_FIELD: &'static str = #email;)*
        const REQUIRED_FIELDS: &'static [&'static str] = &[#(#required),*];
        #(const IS_ACTIVE: &'static str = #is_active;)*
        #(const IS_STAFF: &'static str = #is_staff;)*
        const FIELDS: &'static [&'static [::djauth::base_user::FieldInfo]] = &[#(#fields),*];
    })
}

fn no_key(input: &DeriveInput) -> Error {
    Error::new(
        input.ident.span(),
        "no key: add `id: i32`, `i64` or `Uuid`, or mark a field #[django(primary_key)]",
    )
}

/// The literal, once it is known to name a column of the struct.
fn named<'a>(literal: Option<&'a LitStr>, columns: &[Column<'_>]) -> Result<Option<&'a LitStr>> {
    let Some(literal) = literal else {
        return Ok(None);
    };
    let wanted = literal.value();
    if columns
        .iter()
        .any(|column| column.is_column() && column.name.value() == wanted)
    {
        return Ok(Some(literal));
    }
    let known = columns.iter().filter(|column| column.is_column());
    let known: Vec<String> = known.map(|column| column.name.value()).collect();
    Err(Error::new(
        literal.span(),
        format!("no field `{wanted}`; the fields are {}", known.join(", ")),
    ))
}

fn username_field(input: &DeriveInput, model: &Model, columns: &[Column<'_>]) -> Result<LitStr> {
    if let Some(literal) = named(model.username_field.as_ref(), columns)? {
        return Ok(literal.clone());
    }
    let default = LitStr::new("username", input.ident.span());
    named(Some(&default), columns).map_err(|_| {
        Error::new(
            input.ident.span(),
            "no field `username`: name the login field, #[django(USERNAME_FIELD = \"…\")]",
        )
    })?;
    Ok(default)
}

fn role<'c, 'a>(columns: &'c [Column<'a>], role: Role) -> Option<&'c Column<'a>> {
    // A marked key comes before a field that is only called `id`.
    columns.iter().rfind(|column| column.role == role)
}

fn accessors(input: &DeriveInput, columns: &[Column<'_>]) -> Result<TokenStream> {
    let key = role(columns, Role::Key).ok_or_else(|| no_key(input))?.ident;
    let base = role(columns, Role::Base)
        .ok_or_else(|| {
            Error::new(
                input.ident.span(),
                "no password: add the field `base: AbstractBaseUser`",
            )
        })?
        .ident;
    let permissions = role(columns, Role::Permissions).map(permissions_accessors);
    let flags = flag_accessors(columns);
    Ok(quote! {
        fn id(&self) -> Self::Id { self.#key }
        fn set_id(&mut self, id: Self::Id) { self.#key = id; }
        fn base(&self) -> &::djauth::AbstractBaseUser { &self.#base }
        fn base_mut(&mut self) -> &mut ::djauth::AbstractBaseUser { &mut self.#base }
        #permissions
        #(#flags)*
    })
}

/// A name that is a text is answered without a look at the other columns.
fn username_accessor(username: &LitStr, columns: &[Column<'_>]) -> Option<TokenStream> {
    let named =
        |column: &&Column<'_>| column.is_column() && column.name.value() == username.value();
    let column = columns.iter().find(named)?;
    let is_text = matches!(column.ty, Type::Path(path) if path.path.is_ident("String"));
    let field = column.ident;
    is_text.then(|| {
        quote! {
            fn get_username(&self) -> ::std::string::String {
                ::core::clone::Clone::clone(&self.#field)
            }
        }
    })
}

fn permissions_accessors(column: &Column<'_>) -> TokenStream {
    let field = column.ident;
    quote! {
        fn permissions(&self) -> ::core::option::Option<&::djauth::PermissionsMixin> {
            ::core::option::Option::Some(&self.#field)
        }
        fn permissions_mut(&mut self) -> ::core::option::Option<&mut ::djauth::PermissionsMixin> {
            ::core::option::Option::Some(&mut self.#field)
        }
    }
}

/// `is_active` and `is_staff` answer from the field of that name, or from the one that is marked.
fn flag_accessors(columns: &[Column<'_>]) -> impl Iterator<Item = TokenStream> {
    ["is_active", "is_staff"].into_iter().filter_map(|flag| {
        let column = flag_column(columns, flag)?;
        let (field, flag) = (column.ident, Ident::new(flag, column.ident.span()));
        Some(quote! { fn #flag(&self) -> bool { self.#field } })
    })
}

/// A marked field comes before one that is only called so.
fn flag_column<'c, 'a>(columns: &'c [Column<'a>], flag: &str) -> Option<&'c Column<'a>> {
    let answers = |column: &&Column<'_>| column.flag == Some(flag);
    let marked = columns
        .iter()
        .filter(answers)
        .find(|column| column.name.value() != flag);
    marked.or_else(|| columns.iter().find(answers))
}

fn read(column: &Column<'_>) -> TokenStream {
    let Column { ident, name, .. } = column;
    let value = match (&column.role, &column.default) {
        (Role::Key | Role::Column, None) => quote_spanned! { column.ty.span() => row.get(#name)? },
        (Role::Key | Role::Column, Some(default)) => {
            quote_spanned! { default.span() => row.get_or(#name, || #default)? }
        }
        _ => quote_spanned! { column.ty.span() => ::djauth::base_user::Embed::read(row)? },
    };
    quote! { #ident: #value }
}

fn write(column: &Column<'_>) -> TokenStream {
    let Column { ident, name, .. } = column;
    match column.role {
        Role::Key | Role::Column => {
            quote_spanned! { column.ty.span() => row.set(#name, &self.#ident); }
        }
        _ => {
            quote_spanned! { column.ty.span() => ::djauth::base_user::Embed::write(&self.#ident, row); }
        }
    }
}

fn field_info(column: &Column<'_>) -> TokenStream {
    let Column { ty, name, .. } = column;
    let db_column = column.column.iter();
    if !column.is_column() {
        return quote! { <#ty as ::djauth::base_user::Embed>::FIELDS };
    }
    let max_length = column.max_length.iter();
    let (unique, null) = (column.unique || column.role == Role::Key, column.null);
    let blank = column.blank;
    quote! {
        &[::djauth::base_user::FieldInfo::new(
            #name,
            <#ty as ::djauth::base_user::ColumnType>::KIND,
        )#(.column(#db_column))*#(.max_length(#max_length))*.unique(#unique).null(#null).blank(#blank)]
    }
}

#[cfg(test)]
mod tests;
