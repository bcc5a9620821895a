//! `sendtestemail ADDRESS... [--using ALIAS]`.

use djauth::mail::{EmailMessage, MailSender, sender};
use djauth::settings::Settings;

use crate::database::failed;
use crate::failure::Failure;
use crate::output;

/// Sends a message as the settings say, and says how it went. Needs no database.
pub(crate) async fn run(
    settings: &Settings,
    addresses: Vec<String>,
    alias: &str,
) -> Result<(), Failure> {
    let mailer = settings.mailer(alias)?;
    let out = sender(&mailer, settings.time_zone)
        .map_err(|error| failed("the mail settings cannot be used", &error))?;
    let host = rustix::system::uname();
    let subject = format!(
        "Test mail of djauth on {}",
        host.nodename().to_string_lossy()
    );
    let body = "This message came through: the mail settings of djauth work.";
    let message = EmailMessage::new(subject, body, addresses)
        .from_email(&settings.default_from_email)
        .header("Auto-Submitted", "auto-generated");
    let sent = out.send(message).await;
    sent.map_err(|error| failed("the message was not sent", &error))?;
    output::say("The message was handed over.");
    Ok(())
}
