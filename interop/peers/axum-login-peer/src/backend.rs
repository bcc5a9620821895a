//! axum-login's two traits over Django's tables.

use std::collections::HashSet;

use axum_login::{AuthUser, AuthnBackend, AuthzBackend, UserId};
use sqlx::{FromRow, PgPool, SqlitePool};

/// The columns that a request needs.
#[derive(Clone, FromRow)]
pub struct User {
    pub id: i32,
    pub username: String,
    password: String,
    pub is_active: bool,
    pub is_superuser: bool,
}

/// The password's hash is a secret.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("User").field(&self.id).finish()
    }
}

impl AuthUser for User {
    type Id = i32;

    fn id(&self) -> i32 {
        self.id
    }

    /// As the documentation of the crate advises: a new password ends the sessions.
    fn session_auth_hash(&self) -> &[u8] {
        self.password.as_bytes()
    }
}

#[derive(Clone)]
pub enum Backend {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs one query, written once, on whichever pool there is.
macro_rules! on {
    ($backend:expr, $query:expr, $method:ident) => {
        match $backend {
            Backend::Sqlite(pool) => $query.$method(pool).await,
            Backend::Postgres(pool) => $query.$method(pool).await,
        }
    };
}

/// Both databases understand `$1`.
const USER_BY_ID: &str =
    "SELECT id, username, password, is_active, is_superuser FROM auth_user WHERE id = $1";

const BENCH_USERS: &str = "SELECT id, username, password, is_active, is_superuser FROM auth_user \
     WHERE username LIKE 'user%' ORDER BY id";

const USER_PERMISSIONS: &str = "SELECT django_content_type.app_label, auth_permission.codename \
     FROM auth_permission \
     JOIN django_content_type ON django_content_type.id = auth_permission.content_type_id \
     JOIN auth_user_user_permissions \
     ON auth_user_user_permissions.permission_id = auth_permission.id \
     WHERE auth_user_user_permissions.user_id = $1";

const GROUP_PERMISSIONS: &str = "SELECT django_content_type.app_label, auth_permission.codename \
     FROM auth_permission \
     JOIN django_content_type ON django_content_type.id = auth_permission.content_type_id \
     JOIN auth_group_permissions ON auth_group_permissions.permission_id = auth_permission.id \
     JOIN auth_user_groups ON auth_user_groups.group_id = auth_group_permissions.group_id \
     WHERE auth_user_groups.user_id = $1";

/// What `has_perm` asks; the crate's own would read both sets whole.
const HAS_PERM: &str = "SELECT 1 FROM auth_permission \
     JOIN django_content_type ON django_content_type.id = auth_permission.content_type_id \
     WHERE django_content_type.app_label = $2 AND auth_permission.codename = $3 \
     AND (EXISTS (SELECT 1 FROM auth_user_user_permissions \
     WHERE permission_id = auth_permission.id AND user_id = $1) \
     OR EXISTS (SELECT 1 FROM auth_user_groups \
     JOIN auth_group_permissions ON auth_group_permissions.group_id = auth_user_groups.group_id \
     WHERE permission_id = auth_permission.id AND user_id = $1))";

impl Backend {
    /// Those whom the benchmark has made, in the order of their keys.
    pub async fn bench_users(&self) -> sqlx::Result<Vec<User>> {
        on!(self, sqlx::query_as(BENCH_USERS), fetch_all)
    }

    async fn permissions(&self, sql: &str, user: &User) -> sqlx::Result<HashSet<String>> {
        let found: Vec<(String, String)> = on!(self, sqlx::query_as(sql).bind(user.id), fetch_all)?;
        let names = found.into_iter();
        Ok(names
            .map(|(app_label, codename)| format!("{app_label}.{codename}"))
            .collect())
    }
}

impl AuthnBackend for Backend {
    type User = User;
    /// The benchmark logs in by key alone; what is measured begins afterwards.
    type Credentials = i32;
    type Error = sqlx::Error;

    async fn authenticate(&self, id: i32) -> sqlx::Result<Option<User>> {
        self.get_user(&id).await
    }

    async fn get_user(&self, id: &UserId<Self>) -> sqlx::Result<Option<User>> {
        let user: Option<User> = on!(self, sqlx::query_as(USER_BY_ID).bind(*id), fetch_optional)?;
        Ok(user.filter(|user| user.is_active))
    }
}

impl AuthzBackend for Backend {
    type Permission = String;

    async fn get_user_permissions(&self, user: &User) -> sqlx::Result<HashSet<String>> {
        self.permissions(USER_PERMISSIONS, user).await
    }

    async fn get_group_permissions(&self, user: &User) -> sqlx::Result<HashSet<String>> {
        self.permissions(GROUP_PERMISSIONS, user).await
    }

    async fn has_perm(&self, user: &User, perm: String) -> sqlx::Result<bool> {
        let (app_label, codename) = perm.split_once('.').unwrap_or_default();
        let found: Option<(i32,)> = on!(
            self,
            sqlx::query_as(HAS_PERM)
                .bind(user.id)
                .bind(app_label)
                .bind(codename),
            fetch_optional
        )?;
        Ok(found.is_some())
    }
}
