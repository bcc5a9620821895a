//! The rows of users, one at a time.

use djauth::admin::UserAdmin;
use djauth::forms::Form;
use djauth::{Auth, BaseUser, Error};

use crate::deleted::Going;
use crate::model::{Edited, Editing, Made, Object, Submitted};

pub(crate) struct Users<U: BaseUser> {
    _auth: Auth<U>,
    _admin: UserAdmin,
}

impl<U: BaseUser> Users<U> {
    pub(crate) fn new(auth: &Auth<U>, admin: &UserAdmin) -> Self {
        Self {
            _auth: auth.clone(),
            _admin: admin.clone(),
        }
    }
}

impl<U: BaseUser> Edited for Users<U> {
    fn get<'a>(&'a self, _: &'a str) -> Made<'a, Option<Object>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn get_many<'a>(&'a self, _: &'a [String]) -> Made<'a, Vec<Object>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn add_form<'a>(&'a self, _: &'a Editing<'a>) -> Made<'a, Form> {
        Box::pin(std::future::ready(Err(missing())))
    }

    fn change_form<'a>(&'a self, _: &'a Editing<'a>, _: &'a Object) -> Made<'a, Form> {
        Box::pin(std::future::ready(Err(missing())))
    }

    fn add<'a>(&'a self, _: &'a Editing<'a>) -> Made<'a, Submitted> {
        Box::pin(std::future::ready(Err(missing())))
    }

    fn change<'a>(&'a self, _: &'a Editing<'a>, _: &'a str) -> Made<'a, Submitted> {
        Box::pin(std::future::ready(Ok(Submitted::Gone)))
    }

    fn delete<'a>(&'a self, _: &'a Editing<'a>, _: &'a [String]) -> Made<'a, u64> {
        Box::pin(std::future::ready(Ok(0)))
    }

    fn going<'a>(&'a self, _: &'a [String]) -> Made<'a, Going> {
        Box::pin(std::future::ready(Ok(Going::default())))
    }
}

fn missing() -> Error {
    Error::improperly_configured("there is no form for this model")
}
