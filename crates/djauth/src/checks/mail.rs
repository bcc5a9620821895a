//! How mail leaves: `django/core/checks/mail.py`.

use super::{CheckMessage, Level};
use crate::settings::{DEFAULT_MAILER_ALIAS, MailBackend, Settings};

/// Warns (`mail.W001`) of `MAILERS` without the mailer that sends everything here.
pub fn check_mailers_default_alias(settings: &Settings) -> Option<CheckMessage> {
    let mailers = settings.mailers.as_ref()?;
    if mailers.contains_key(DEFAULT_MAILER_ALIAS) {
        return None;
    }
    let text = "has no entry \"default\", so no page can send mail";
    let message = CheckMessage::new(Level::Warning, "mail.W001", text).object("MAILERS");
    Some(message.hint("describe a mailer \"default\""))
}

/// Finds (`mail.E001`) that the mailer `default` of `MAILERS` is one for development, which brings mail
/// to nobody. Part of [`check_deploy`](super::check_deploy).
pub fn check_mailers_production_backend(settings: &Settings) -> Option<CheckMessage> {
    let mailer = settings.mailers.as_ref()?.get(DEFAULT_MAILER_ALIAS)?;
    if mailer.backend == MailBackend::Smtp {
        return None;
    }
    let text = format!(
        "the mailer \"default\" is {:?}, which brings mail to nobody",
        mailer.backend.short_name()
    );
    let message = CheckMessage::new(Level::Error, "mail.E001", text).object("MAILERS");
    Some(message.hint("name a mail server, with the backend \"smtp\""))
}
