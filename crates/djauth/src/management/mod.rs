//! Migrations, the check of the schema, and the creation of permissions: `django/contrib/auth/management`, and what
//! `manage.py migrate` does for Django's four apps.

mod along;
mod apps;
pub(crate) mod cache;
mod catalogue;
mod create_permissions;
mod default_username;
mod lock;
mod migrate;
mod model_meta;
mod plan;
mod rename_permissions;
mod schema;
mod tables;
mod user_table;

pub use apps::App;
pub use cache::{CacheStatus, CacheTriggers};
pub use create_permissions::{Created, create_contenttypes, create_permissions};
pub use default_username::{get_default_username, get_system_username};
pub use migrate::Migrate;
pub use model_meta::{DEFAULT_PERMISSIONS, ModelMeta};
pub use plan::Plan;
pub use rename_permissions::rename_permissions_after_model_rename;
pub use schema::{SchemaProblem, check_schema};
pub use user_table::UserTable;
