//! `migrate` and `check` for this application's models.

use super::Auth;
use crate::base_user::BaseUser;
use crate::db::Executor;
use crate::management::{App, Migrate, ModelMeta, Plan, UserTable, check_schema};
use crate::{Error, ErrorKind};

impl<U: BaseUser> Auth<U> {
    /// Makes the tables of Django's apps where they are missing, and the content types and permissions
    /// of their models, of the user model and of the registered ones; answers what was applied. See
    /// [`Migrate`].
    ///
    /// The table of an own user model is the application's to make, before this; a name for people other
    /// than the split name of its type is given by registering the model
    /// ([`Builder::model`](crate::Builder::model)).
    ///
    /// # Errors
    /// `Schema`: the database is one that is not touched. Otherwise the database's.
    pub async fn migrate(&self) -> Result<Plan, Error> {
        let migrate = Migrate::new()
            .user(self.user_table())
            .allow_other_tables(self.apps().other_tables);
        let migrate = migrate
            .models(self.own_user_model())
            .models(self.apps().models().iter().cloned())
            .applied_at(self.now());
        migrate.run(self.db()).await
    }

    /// The user model's content type and permissions, unless they are Django's own or the application
    /// has registered the model itself.
    fn own_user_model(&self) -> Option<ModelMeta> {
        let registered = |model: &ModelMeta| {
            model.app_label == U::APP_LABEL && model.model_name == U::MODEL_NAME
        };
        let known = self.apps().models().iter().any(registered);
        (self.user_table().swapped && !known)
            .then(|| ModelMeta::new(U::APP_LABEL, class_name::<U>()))
    }

    /// Looks whether the database has what is needed here: content types, users, and the sessions'
    /// table where they are kept in it. Only reads.
    ///
    /// # Errors
    /// `Schema`, which names everything that is missing. Otherwise the database's.
    pub async fn check(&self) -> Result<(), Error> {
        let mut apps = vec![App::ContentTypes, App::Auth];
        if self.sessions().kind().needs_database() {
            apps.push(App::Sessions);
        }
        let problems = check_schema(self.db(), &apps, &self.user_table()).await?;
        if problems.is_empty() {
            return Ok(());
        }
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Err(Error::new(ErrorKind::Schema, texts.join("; ")))
    }

    /// The tables of the user model.
    #[must_use]
    pub fn user_table(&self) -> UserTable {
        let columns = self.model().users.columns.iter().copied();
        let stock = U::label() == "auth.user" && U::DB_TABLE.is_none();
        let table = if stock {
            UserTable::stock()
        } else {
            UserTable::own(U::APP_LABEL, U::MODEL_NAME)
                .table(U::db_table())
                .key(U::ID_COLUMN)
        };
        let table = table.columns(columns);
        match self.model().links {
            Some(_) => table,
            None => table.without_permissions(),
        }
        .for_dialect(self.db().dialect())
    }
}

/// The name of the type, if it is the model's in capitals; otherwise the model's own.
fn class_name<U: BaseUser>() -> &'static str {
    let path = std::any::type_name::<U>();
    let path = path.split('<').next().unwrap_or(path);
    let name = path.rsplit("::").next().unwrap_or(path);
    if name.to_lowercase() == U::MODEL_NAME {
        name
    } else {
        U::MODEL_NAME
    }
}
