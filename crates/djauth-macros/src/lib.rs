//! `#[derive(BaseUser)]` for [djauth](https://docs.rs/djauth): a struct becomes a user model.
//!
//! Use it through `djauth::BaseUser`; the code it writes names the crate `djauth`.

mod attributes;
mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct with named fields a user model: implements `djauth::BaseUser` and `Default`
/// (Django's empty values, the defaults given here, a fresh UUID).
///
/// On the struct, `#[django(…)]` takes Django's own names:
///
/// | attribute | meaning |
/// |---|---|
/// | `app_label = "accounts"` | required |
/// | `model_name = "account"` | the struct's name in lower case when absent |
/// | `db_table = "people"` | `<app_label>_<model_name>` when absent |
/// | `USERNAME_FIELD = "email"` | `username` when absent |
/// | `EMAIL_FIELD = "mail"` | `email` when absent |
/// | `REQUIRED_FIELDS("full_name")` | what `createsuperuser` asks for besides name and password |
///
/// The field `id` (or the one marked `primary_key`) is the key: `i32`, `i64` or `Uuid`. `base` is the
/// embedded `AbstractBaseUser`, `permissions` the embedded `PermissionsMixin` (may be absent), fields
/// marked `embed` hold further structs whose columns belong to this table; every other field is a
/// column of its own name. On a column, `#[django(…)]` takes `default = expression` (for new objects),
/// `max_length = 150`, `unique`, `null` (implied by `Option`), `blank` (empty values are taken by forms and
/// `createsuperuser`), `column = "name"` (Django's `db_column`: the field keeps its own name everywhere
/// else), and `is_staff` or `is_active` on the `bool` that answers in place of a field of that name.
#[proc_macro_derive(BaseUser, attributes(django))]
pub fn base_user(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::base_user(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
