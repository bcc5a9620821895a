//! What `create_user` and `create_superuser` write.

use std::collections::HashMap;

use crate::base_user::{
    BaseUser, Columns, UserFlag, UserMeta, normalize_email, normalize_username,
};
use crate::db::Value;
use crate::{Auth, Error};

/// Values of fields, by their names.
pub type FieldValues = HashMap<String, Value<'static>>;

/// An unsaved user with these values and Django's defaults for the rest; no password yet.
pub(super) fn build<U: BaseUser>(
    auth: &Auth<U>,
    username: &str,
    email: &str,
    superuser: bool,
    values: FieldValues,
) -> Result<U, Error> {
    if username.is_empty() {
        return Err(Error::value(format!(
            "a user needs a {}",
            auth.user_meta().username_field
        )));
    }
    let username = normalized(auth.user_meta(), username);
    build_exact(auth, username, email, superuser, values)
}

/// The same with the username as it is.
pub(super) fn build_exact<U: BaseUser>(
    auth: &Auth<U>,
    username: String,
    email: &str,
    superuser: bool,
    mut values: FieldValues,
) -> Result<U, Error> {
    let meta = auth.user_meta();
    put(
        auth,
        &mut values,
        &meta.email_field,
        normalize_email(email).into(),
    );
    for flag in [&meta.is_staff, &meta.is_superuser] {
        if let UserFlag::Field(name) = flag {
            values.insert(name.clone(), superuser.into());
        }
    }
    put(auth, &mut values, "date_joined", auth.now().into());
    put(auth, &mut values, &meta.username_field, username.into());
    let columns = Columns::map(&values);
    Ok(U::read(&mut columns.with_meta(Some(meta)))?)
}

fn put<U: BaseUser>(auth: &Auth<U>, values: &mut FieldValues, name: &str, value: Value<'static>) {
    if auth.model().has_column(name) {
        values.insert(name.to_owned(), value);
    }
}

/// NFKC; an address as the login name is normalised as an address too.
fn normalized(meta: &UserMeta, username: &str) -> String {
    let username = normalize_username(username);
    if meta.username_field == meta.email_field {
        normalize_email(&username)
    } else {
        username
    }
}

/// `create_superuser` with flags that the caller turned off is a mistake, as in Django.
pub(super) fn check_superuser<U: BaseUser>(auth: &Auth<U>, user: &U) -> Result<(), Error> {
    let staff_is_a_field = matches!(auth.user_meta().is_staff, UserFlag::Field(_));
    if staff_is_a_field && !user.is_staff() {
        return Err(Error::value("a superuser must have is_staff set"));
    }
    if user.permissions().is_some() && !user.is_superuser() {
        return Err(Error::value("a superuser must have is_superuser set"));
    }
    Ok(())
}
