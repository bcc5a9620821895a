//! The mail of an [`Auth`].

use super::{EmailMessage, MailQueue, sender};
use crate::base_user::BaseUser;
use crate::models::User;
use crate::settings::DEFAULT_MAILER_ALIAS;
use crate::{Auth, Error};

impl<U: BaseUser> Auth<U> {
    /// Sends a message now and says how it went: Django's `send_mail`. For mail that a stranger asked for
    /// take the queue, [`Auth::mail`].
    ///
    /// # Errors
    /// `Value`: the message cannot be sent by anybody. `Mail`: it was not accepted.
    pub async fn send_mail(&self, message: EmailMessage) -> Result<(), Error> {
        self.mail().send(message).await
    }

    /// The same with another mailer of `MAILERS`, Django's `using`.
    ///
    /// # Errors
    /// As [`Auth::send_mail`]; `ImproperlyConfigured`: there is no such mailer.
    pub async fn send_mail_using(&self, alias: &str, message: EmailMessage) -> Result<(), Error> {
        if alias == DEFAULT_MAILER_ALIAS {
            return self.send_mail(message).await;
        }
        let mailer = self.settings().mailer(alias)?;
        sender(&mailer, self.settings().time_zone)?
            .send(self.mail().signed(message))
            .await
    }

    /// Sends a message to a user's address, now: Django's `email_user`.
    ///
    /// # Errors
    /// As [`Auth::send_mail`]; `Value` too when the user has no address.
    pub async fn email_user(
        &self,
        user: &U,
        subject: &str,
        message: &str,
        from_email: Option<&str>,
    ) -> Result<(), Error> {
        let mut message = EmailMessage::new(subject, message, user.get_email());
        message.from_email = from_email.map(str::to_owned);
        self.send_mail(message).await
    }
}

impl User {
    /// Sends a message to this user's address, now: Django's `AbstractUser.email_user`.
    ///
    /// # Errors
    /// As [`Auth::email_user`].
    pub async fn email_user(
        &self,
        auth: &Auth<Self>,
        subject: &str,
        message: &str,
        from_email: Option<&str>,
    ) -> Result<(), Error> {
        auth.email_user(self, subject, message, from_email).await
    }
}

impl<U: BaseUser> Auth<U> {
    /// The queue of messages that leave in the background.
    #[must_use]
    pub fn mail(&self) -> &MailQueue {
        self.mail_queue()
    }
}
