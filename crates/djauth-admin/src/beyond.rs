//! What goes beyond Django and knows the type of the user model, behind one trait.

use djauth::{Auth, BaseUser};

use crate::reasons::Reasons;
use crate::sessions::SessionPages;

/// What the pages about sessions and permissions need of the user model.
pub(crate) trait Beyond: Reasons + SessionPages + Send + Sync {}

pub(crate) struct Users<U: BaseUser> {
    pub(crate) auth: Auth<U>,
}

impl<U: BaseUser> Beyond for Users<U> {}

pub(crate) fn beyond<U: BaseUser>(auth: &Auth<U>) -> Box<dyn Beyond> {
    Box::new(Users { auth: auth.clone() })
}
