//! Whether a site would be left without anybody who may do everything.

use djauth::base_user::UserFlag;
use djauth::models::{Q, QuerySet};
use djauth::{BaseUser, Error};
use djauth_db::Database;

use super::Users;

impl<U: BaseUser> Users<U> {
    /// Whether among these are active superusers, and no other is left without them.
    pub(super) async fn is_last_superuser(&self, keys: &[String]) -> Result<bool, Error> {
        let Some(active) = self.active_superusers() else {
            return Ok(false);
        };
        let among = Q::in_("pk", self.ids(keys));
        let going = active.clone().filter(among.clone());
        if going.count_up_to(1).await? == 0 {
            return Ok(false);
        }
        Ok(active.exclude(among).count_up_to(1).await? == 0)
    }

    /// Whether the user seems to be the only active superuser. Tables have no index for it, so that a site
    /// with one superuser is read to its end for the answer: once a minute at the most.
    pub(super) async fn is_about_the_last(&self, key: &str) -> Result<bool, Error> {
        let Some(active) = self.active_superusers() else {
            return Ok(false);
        };
        let own = Q::in_("pk", self.ids(&[key.to_owned()]));
        if active.clone().filter(own).count_up_to(1).await? == 0 {
            return Ok(false);
        }
        let now = self.auth.now();
        let count = match self.superusers.fresh(now) {
            Some(count) => count,
            None => self.superusers.keep(now, active.count_up_to(2).await?),
        };
        Ok(count < 2)
    }

    /// Whether no active superuser is left, after a change of fields with these labels.
    pub(super) async fn has_lost_superusers(&self, labels: &[String]) -> Result<bool, Error> {
        let meta = self.auth.user_meta();
        let flags = [&meta.is_superuser, &meta.is_active];
        let is_flag = |label: &String| {
            flags.iter().any(|flag| {
                let UserFlag::Field(name) = flag else {
                    return false;
                };
                let spec = self.info.field(name);
                spec.is_some_and(|spec| spec.log_label == *label)
            })
        };
        match self.active_superusers() {
            Some(active) if labels.iter().any(is_flag) => {
                self.superusers.forget();
                Ok(active.count_up_to(1).await? == 0)
            }
            _ => Ok(false),
        }
    }

    /// `None`: no flag of a row makes one.
    fn active_superusers(&self) -> Option<QuerySet<'_, U, Database>> {
        let meta = self.auth.user_meta();
        let UserFlag::Field(superuser) = &meta.is_superuser else {
            return None;
        };
        let superusers = self.auth.users().filter(Q::eq(superuser, true));
        match &meta.is_active {
            UserFlag::Field(active) => Some(superusers.filter(Q::eq(active, true))),
            UserFlag::Always(active) => active.then_some(superusers),
        }
    }
}
