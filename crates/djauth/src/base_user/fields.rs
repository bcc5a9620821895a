//! The form without a proc-macro.

/// The body of `impl BaseUser`, for those who write the constants by hand: accessors, `read` and `write`.
///
/// ```
/// # use djauth::{AbstractBaseUser, BaseUser, PermissionsMixin};
/// #[derive(Clone, Debug)]
/// struct Account { id: i64, base: AbstractBaseUser, permissions: PermissionsMixin, email: String }
///
/// impl std::fmt::Display for Account {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.email) }
/// }
///
/// impl BaseUser for Account {
///     type Id = i64;
///     const APP_LABEL: &'static str = "accounts";
///     const MODEL_NAME: &'static str = "account";
///     const USERNAME_FIELD: &'static str = "email";
///     djauth::fields! { id; base; permissions; email }
/// }
/// assert_eq!(Account::blank().get_username(), "");
/// ```
///
/// A field whose name is followed by `= expression` takes that default for new objects. Leave the
/// permissions out with `id; base; ; email`.
#[macro_export]
macro_rules! fields {
    ($id:ident; $base:ident; $($permissions:ident)?; $($field:ident $(= $default:expr)?),* $(,)?) => {
        fn id(&self) -> Self::Id { self.$id }
        fn set_id(&mut self, id: Self::Id) { self.$id = id; }
        fn base(&self) -> &$crate::AbstractBaseUser { &self.$base }
        fn base_mut(&mut self) -> &mut $crate::AbstractBaseUser { &mut self.$base }
        $(
            fn permissions(&self) -> ::core::option::Option<&$crate::PermissionsMixin> {
                ::core::option::Option::Some(&self.$permissions)
            }
            fn permissions_mut(&mut self) -> ::core::option::Option<&mut $crate::PermissionsMixin> {
                ::core::option::Option::Some(&mut self.$permissions)
            }
        )?
        fn read(row: &mut $crate::base_user::Columns<'_>) -> $crate::db::Result<Self> {
            ::core::result::Result::Ok(Self {
                $id: row.get(stringify!($id))?,
                $base: $crate::base_user::Embed::read(row)?,
                $($permissions: $crate::base_user::Embed::read(row)?,)?
                $($field: $crate::fields!(@read row, $field $(, $default)?),)*
            })
        }
        fn write<'a>(&'a self, row: &mut $crate::base_user::Changes<'a>) {
            row.set(stringify!($id), &self.$id);
            $crate::base_user::Embed::write(&self.$base, row);
            $($crate::base_user::Embed::write(&self.$permissions, row);)?
            $(row.set(stringify!($field), &self.$field);)*
        }
    };
    (@read $row:ident, $field:ident) => { $row.get(stringify!($field))? };
    (@read $row:ident, $field:ident, $default:expr) => { $row.get_or(stringify!($field), || $default)? };
}
