//! `User`, `Group`, `Permission`, `AnonymousUser` and their managers: `django/contrib/auth/models.py`.

mod anonymous;
mod believed;
mod deletion;
mod described;
mod grants;
mod group;
mod group_manager;
mod link;
mod linked;
mod membership;
pub(crate) mod model;
mod new_user;
mod permission;
mod permission_manager;
mod query;
mod reverse;
pub(crate) mod table;
mod user;
mod user_manager;

pub use anonymous::AnonymousUser;
pub(crate) use believed::{Believed, Found};
pub(crate) use deletion::has_admin_log;
pub(crate) use deletion::has_table;
pub use deletion::{Deleted, Going};
pub use described::DescribedUser;
pub use group::Group;
pub use group_manager::GroupManager;
pub use linked::LinkedTo;
pub use membership::Related;
pub use new_user::FieldValues;
pub(crate) use permission::split_perm;
pub use permission::{Permission, get_permission_codename};
pub use permission_manager::PermissionManager;
pub use query::{Q, QuerySet, Rows};
pub use user::User;
pub use user_manager::UserManager;

use crate::base_user::BaseUser;
use crate::db::{Executor, Field, Value};
use crate::{Auth, Error};

/// The receiver of `user_logged_in` that Django connects: writes `last_login`, only that column. The
/// row's password reset links end with it.
///
/// # Errors
/// The database's.
pub async fn update_last_login<U: BaseUser>(auth: &Auth<U>, user: &U) -> Result<(), Error> {
    let id = user.id();
    let params = vec![Value::Timestamp(auth.now()), id.to_value()];
    auth.db()
        .execute(&auth.model().set_last_login, params)
        .await?;
    Ok(())
}
