//! What goes beyond Django and knows the type of the user model, behind one trait.

use djauth::{Auth, BaseUser};

/// What the pages about sessions and permissions need of the user model.
pub(crate) trait Beyond: Send + Sync {}

struct Users<U: BaseUser> {
    _auth: Auth<U>,
}

impl<U: BaseUser> Beyond for Users<U> {}

pub(crate) fn beyond<U: BaseUser>(auth: &Auth<U>) -> Box<dyn Beyond> {
    Box::new(Users {
        _auth: auth.clone(),
    })
}
