//! `createsuperuser`.

use djauth::management::get_default_username;
use djauth::validators::UnicodeUsernameValidator;
use djauth::{Auth, BaseUser, ErrorKind, User};

use super::password;
use crate::cli::Options;
use crate::database::{self, failed};
use crate::failure::Failure;
use crate::own_database::Plan;
use crate::{email, output, terminal};

/// What was given on the command line.
pub(crate) struct Given {
    pub(crate) username: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) interactive: bool,
}

/// Makes a superuser, from questions or from the environment.
pub(crate) async fn run(plan: Plan, given: Given, options: &Options) -> Result<(), Failure> {
    if given.interactive && !terminal::is_interactive() {
        // Not a failure, as in Django: scripts call it where nobody can answer.
        output::say(
            "No superuser was made, because this is not a terminal. Use --noinput, or run it on one.",
        );
        return Ok(());
    }
    let auth = database::open_or_make(plan).await?.auth;
    database::must_be_migrated(&auth).await?;
    if given.interactive {
        interactive(&auth, given.username, given.email, options.verbosity).await
    } else {
        from_environment(&auth, given, options.verbosity).await
    }
}

/// Django's variables; read with `--noinput` alone.
const USERNAME: &str = "DJANGO_SUPERUSER_USERNAME";
const EMAIL: &str = "DJANGO_SUPERUSER_EMAIL";
const PASSWORD: &str = "DJANGO_SUPERUSER_PASSWORD";

async fn from_environment(auth: &Auth<User>, given: Given, verbosity: u8) -> Result<(), Failure> {
    let username = given.username.or_else(|| variable(USERNAME));
    let username = username.ok_or_else(|| {
        Failure::command(format!(
            "without questions a username is needed: --username or {USERNAME}"
        ))
    })?;
    if let Some(problem) = username_problem(auth, &username).await? {
        return Err(Failure::command(problem));
    }
    // Given as empty, an address may be missing; not given at all, it may not.
    let email = given.email.or_else(|| variable(EMAIL));
    let email = email.ok_or_else(|| {
        Failure::command(format!(
            "without questions an e-mail address is needed: --email or {EMAIL} (it may be empty)"
        ))
    })?;
    if let Some(problem) = email_problem(&email) {
        return Err(Failure::command(problem));
    }
    // As in Django it is not judged, and without one the user cannot log in by password.
    let password = variable(PASSWORD);
    make(auth, &username, &email, password.as_deref(), verbosity).await
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Asks for what was not given.
pub(crate) async fn interactive(
    auth: &Auth<User>,
    username: Option<String>,
    email: Option<String>,
    verbosity: u8,
) -> Result<(), Failure> {
    let username = username_of(auth, username).await?;
    let email = email_of(email).await?;
    let password = new_password(auth, &username, &email).await?;
    make(auth, &username, &email, Some(&password), verbosity).await
}

async fn username_of(auth: &Auth<User>, given: Option<String>) -> Result<String, Failure> {
    if let Some(given) = given {
        if given.is_empty() {
            return Err(Failure::command("a username cannot be blank"));
        }
        match username_problem(auth, &given).await? {
            None => return Ok(given),
            Some(problem) => eprintln!("Error: {problem}"),
        }
    }
    let default = get_default_username(auth)
        .await
        .map_err(|error| failed("the database cannot be read", &error))?;
    let prompt = if default.is_empty() {
        "Username: ".into()
    } else {
        format!("Username ({default}): ")
    };
    loop {
        let answer = terminal::ask(&prompt).await?;
        let username = if answer.is_empty() {
            default.clone()
        } else {
            answer
        };
        match username_problem(auth, &username).await? {
            None => return Ok(username),
            Some(problem) => eprintln!("Error: {problem}"),
        }
    }
}

async fn email_of(given: Option<String>) -> Result<String, Failure> {
    if let Some(given) = given {
        return match email_problem(&given) {
            None => Ok(given),
            Some(problem) => Err(Failure::command(problem)),
        };
    }
    loop {
        let answer = terminal::ask("Email address: ").await?;
        match email_problem(&answer) {
            None => return Ok(answer),
            Some(problem) => eprintln!("Error: {problem}"),
        }
    }
}

async fn new_password(auth: &Auth<User>, username: &str, email: &str) -> Result<String, Failure> {
    let user = User {
        username: username.to_owned(),
        email: email.to_owned(),
        ..User::blank()
    };
    loop {
        let password = terminal::ask_hidden("Password: ").await?;
        let again = terminal::ask_hidden("Password (again): ").await?;
        if password != again {
            eprintln!("Error: the two passwords are not the same.");
            continue;
        }
        if password.trim().is_empty() {
            eprintln!("Error: a blank password is not allowed.");
            continue;
        }
        let problems = password::problems(auth.settings(), &password, &user)?;
        if problems.is_empty() {
            return Ok(password);
        }
        problems.iter().for_each(|problem| eprintln!("{problem}"));
        let anyway = terminal::ask("Use this password all the same? [y/N]: ").await?;
        if anyway.eq_ignore_ascii_case("y") {
            return Ok(password);
        }
    }
}

/// Django's order: taken, blank, then what the field refuses.
async fn username_problem(auth: &Auth<User>, username: &str) -> Result<Option<String>, Failure> {
    let taken = auth.users().get_by_natural_key(username).await;
    if taken
        .map_err(|error| failed("the database cannot be read", &error))?
        .is_some()
    {
        return Ok(Some("that username is already taken.".into()));
    }
    if username.is_empty() {
        return Ok(Some("a username cannot be blank.".into()));
    }
    let length = username.chars().count();
    if length > LONGEST_USERNAME {
        return Ok(Some(format!(
            "a username has at most {LONGEST_USERNAME} characters, not {length}."
        )));
    }
    Ok(UnicodeUsernameValidator
        .validate(username)
        .err()
        .map(|problem| problem.to_string()))
}

/// The most characters of the column.
const LONGEST_USERNAME: usize = 150;

/// An address may be blank: the field allows it.
fn email_problem(email: &str) -> Option<String> {
    let good = email.is_empty() || email::is_valid(email);
    (!good).then(|| "that is not an e-mail address.".into())
}

async fn make(
    auth: &Auth<User>,
    username: &str,
    email: &str,
    password: Option<&str>,
    verbosity: u8,
) -> Result<(), Failure> {
    let made = auth
        .users()
        .create_superuser(username, email, password)
        .await;
    match made {
        Ok(_) if verbosity > 0 => output::say("Superuser made."),
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::Integrity { .. }) => {
            return Err(Failure::command("that username is already taken."));
        }
        Err(error) => return Err(failed("the user cannot be made", &error)),
    }
    Ok(())
}
