//! The commands, one a file, with the names of Django's.

pub(crate) mod cache;
pub(crate) mod changepassword;
pub(crate) mod check;
pub(crate) mod checkpassword;
pub(crate) mod clearsessions;
pub(crate) mod createsuperuser;
pub(crate) mod diffsettings;
pub(crate) mod doctor;
pub(crate) mod migrate;
pub(crate) mod password;
pub(crate) mod runserver;
pub(crate) mod sendtestemail;
pub(crate) mod settings;
pub(crate) mod unlock;
mod user_fields;
