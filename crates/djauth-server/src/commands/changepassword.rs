//! `changepassword [NAME]`.

use djauth::management::get_system_username;
use djauth::{Auth, BaseUser};

use super::password;
use crate::database::{self, failed};
use crate::failure::Failure;
use crate::own_database::Plan;
use crate::{output, terminal};

/// How often two passwords may differ or be refused.
const TRIES: u32 = 3;

/// Asks for a new password and stores it.
pub(crate) async fn run<U: BaseUser>(plan: Plan, username: Option<String>) -> Result<(), Failure> {
    let auth = database::open::<U>(plan).await?;
    database::must_be_migrated(&auth).await?;
    let username = username.unwrap_or_else(get_system_username);
    let found = auth.users().get_by_natural_key(&username).await;
    let found = found.map_err(|error| failed("the database cannot be read", &error))?;
    let Some(mut user) = found else {
        return Err(Failure::command(format!("there is no user {username:?}")));
    };
    output::say(format!("Changing the password of {username}."));
    let password = ask(&auth, &user).await?;
    store(&auth, &mut user, &password).await?;
    output::say(format!("The password of {username} is changed."));
    Ok(())
}

async fn ask<U: BaseUser>(auth: &Auth<U>, user: &U) -> Result<String, Failure> {
    for _ in 0..TRIES {
        let password = entry("Password: ").await?;
        let again = entry("Password (again): ").await?;
        if password != again {
            output::say("The two passwords are not the same; please try again.");
            continue;
        }
        let problems = password::problems(auth, &password, user).await;
        if problems.is_empty() {
            return Ok(password);
        }
        problems.iter().for_each(|problem| eprintln!("{problem}"));
    }
    Err(Failure::command(format!(
        "gave up after {TRIES} tries; the password was not changed"
    )))
}

/// An empty entry ends the command.
async fn entry(prompt: &str) -> Result<String, Failure> {
    let password = terminal::ask_hidden(prompt).await?;
    if password.is_empty() {
        Err(Failure::command("cancelled; the password was not changed"))
    } else {
        Ok(password)
    }
}

async fn store<U: BaseUser>(auth: &Auth<U>, user: &mut U, password: &str) -> Result<(), Failure> {
    let failed = |error| failed("the password cannot be stored", &error);
    auth.set_password(user, password).await.map_err(failed)?;
    auth.save_password(user).await.map_err(failed)
}
