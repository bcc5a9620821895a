//! `migrate` and `check` for this application's models.

use super::Auth;
use crate::base_user::BaseUser;
use crate::db::Executor;
use crate::management::{
    App, CacheTriggers, Created, Migrate, ModelMeta, Plan, UserTable, check_schema,
};
use crate::settings::CustomPermission;
use crate::{Error, ErrorKind};

impl<U: BaseUser> Auth<U> {
    /// Makes the tables of Django's apps where they are missing, and the content types and permissions
    /// of their models, of the user model, of the registered ones and those of the setting
    /// `PERMISSIONS`; answers what was applied. See
    /// [`Migrate`].
    ///
    /// The tables of an own user model are made too where they are missing, equal to those that Django's
    /// migrations make for the same model; beside a Django site, let the site's migrations make them. (They
    /// are not recorded: `manage.py migrate --fake-initial` accepts them.) A name for people other than the
    /// split name of its type is given by registering the model ([`Builder::model`](crate::Builder::model)).
    ///
    /// # Errors
    /// `Schema`: the database is one that is not touched. Otherwise the database's.
    pub async fn migrate(&self) -> Result<Plan, Error> {
        let plan = self.migration().run(self.db()).await?;
        self.seen().forget_table();
        Ok(plan)
    }

    /// The content types and permissions that [`Auth::migrate`] would add to the tables that are there.
    /// Only reads.
    ///
    /// # Errors
    /// As [`Auth::migrate`].
    pub async fn missing_permissions(&self) -> Result<Created, Error> {
        self.migration().missing_rows(self.db()).await
    }

    fn migration(&self) -> Migrate {
        Migrate::new()
            .user(self.user_table())
            .allow_other_tables(self.apps().other_tables)
            .models(self.own_user_model())
            .models(self.apps().models().iter().cloned())
            .models(CustomPermission::models(&self.settings().permissions))
            .applied_at(self.now())
    }

    /// The user model's content type and permissions, unless they are Django's own or the application
    /// has registered the model itself.
    fn own_user_model(&self) -> Option<ModelMeta> {
        let meta = self.user_meta();
        let registered = |model: &ModelMeta| {
            model.app_label == meta.app_label && model.model_name == meta.model_name()
        };
        let known = self.apps().models().iter().any(registered);
        (!meta.is_stock() && !known).then(|| {
            let model = ModelMeta::new(meta.app_label.clone(), &meta.object_name);
            match &meta.verbose_name {
                Some(name) => model.verbose_name(name),
                None => model,
            }
        })
    }

    /// Whether the database has the table of the admin's log of changes, `django_admin_log`: a site without
    /// `django.contrib.admin` has none. Asked through the transaction that would write to it.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_admin_log(&self, ex: &impl Executor) -> Result<bool, Error> {
        crate::models::has_admin_log(self, ex).await
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

    /// The triggers behind the cache of the request path, for this user model.
    #[must_use]
    pub fn cache_triggers(&self) -> CacheTriggers {
        CacheTriggers::of::<U>(self.user_meta(), self.db().dialect())
    }

    /// The tables of the user model.
    #[must_use]
    pub fn user_table(&self) -> UserTable {
        let meta = self.user_meta();
        let columns = self.model().users.columns.iter();
        let columns = columns.map(|name| meta.column(name).to_owned());
        UserTable::of(meta)
            .columns(columns)
            .for_dialect(self.db().dialect())
    }
}
