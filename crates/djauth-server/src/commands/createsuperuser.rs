//! `createsuperuser`.

use djauth::base_user::UserMeta;
use djauth::management::get_default_username;
use djauth::models::FieldValues;
use djauth::{Auth, BaseUser, ErrorKind};

use super::password;
use super::user_fields::{self, Problem};
use crate::cli::Options;
use crate::database::{self, failed};
use crate::failure::Failure;
use crate::own_database::Plan;
use crate::{output, terminal};

/// What was given on the command line: fields of the user by their names.
pub(crate) struct Given {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) interactive: bool,
}

impl Given {
    fn field(&self, name: &str) -> Option<String> {
        let found = self.fields.iter().rfind(|(given, _)| given == name);
        found.map(|(_, value)| value.clone())
    }

    /// Only the login field and the required ones are options.
    fn check(&self, meta: &UserMeta) -> Result<(), Failure> {
        let known =
            |name: &String| *name == meta.username_field || meta.required_fields.contains(name);
        let unknown = self.fields.iter().find(|(name, _)| !known(name));
        unknown.map_or(Ok(()), |(name, _)| {
            Err(Failure::Usage(format!(
                "createsuperuser takes no option --{name}"
            )))
        })
    }
}

/// Makes a superuser, from questions or from the environment.
pub(crate) async fn run<U: BaseUser>(
    plan: Plan,
    given: Given,
    options: &Options,
) -> Result<(), Failure> {
    if given.interactive && !terminal::is_interactive() {
        // Not a failure, as in Django: scripts call it where nobody can answer.
        output::say(
            "No superuser was made, because this is not a terminal. Use --noinput, or run it on one.",
        );
        return Ok(());
    }
    let meta = UserMeta::of::<U>(plan.settings());
    let meta = meta.map_err(|error| failed("AUTH_USER_MODEL cannot be used", &error))?;
    given.check(&meta)?;
    // What is refused without a database is refused before one is made.
    let known = match given.interactive {
        true => None,
        false => Some(from_environment(&meta, &given)?),
    };
    let auth = database::open_or_make::<U>(plan).await?.auth;
    database::must_be_migrated(&auth).await?;
    let Some((username, fields)) = known else {
        return interactive(&auth, &given, options.verbosity).await;
    };
    if let Some(problem) = username_problem(&auth, &username).await? {
        return Err(Failure::command(problem));
    }
    // As in Django it is not judged, and without one the user cannot log in by password.
    let password = variable(PASSWORD);
    make(&auth, &username, fields, password, options.verbosity).await
}

/// Django's variable; read with `--noinput` alone, as are those of the fields.
const PASSWORD: &str = "DJANGO_SUPERUSER_PASSWORD";

/// Django's variable of a field.
fn variable_of(field: &str) -> String {
    format!("DJANGO_SUPERUSER_{}", field.to_uppercase())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The login name and the required fields, from options and variables.
fn from_environment(meta: &UserMeta, given: &Given) -> Result<(String, FieldValues), Failure> {
    let name = &meta.username_field;
    let username = named(given, name, &meta.field_label(name), "")?;
    if let Some(problem) = user_fields::username_problem(meta, &username) {
        return Err(Failure::command(problem));
    }
    let mut fields = FieldValues::new();
    for name in &meta.required_fields {
        // Given as empty, a field may be missing if it may be blank; not given at all, it may not.
        let label = meta.field_label(name);
        let hint = if user_fields::may_be_blank(meta, name) {
            " (it may be empty)"
        } else {
            ""
        };
        let text = named(given, name, &label, hint)?;
        let value = user_fields::clean(meta, name, &text);
        fields.insert(name.clone(), value.map_err(Failure::command)?);
    }
    Ok((username, fields))
}

/// The value of an option, or of its variable.
fn named(given: &Given, name: &str, label: &str, hint: &str) -> Result<String, Failure> {
    let value = given.field(name).or_else(|| variable(&variable_of(name)));
    value.ok_or_else(|| {
        let variable = variable_of(name);
        Failure::command(format!(
            "without questions this is needed: {label}, by --{name} or {variable}{hint}"
        ))
    })
}

/// Asks for what was not given.
pub(crate) async fn interactive<U: BaseUser>(
    auth: &Auth<U>,
    given: &Given,
    verbosity: u8,
) -> Result<(), Failure> {
    let meta = auth.user_meta();
    let username = username_of(auth, given.field(&meta.username_field)).await?;
    let mut fields = FieldValues::new();
    for name in &meta.required_fields {
        let value = user_fields::ask(meta, name, given.field(name)).await?;
        fields.insert(name.clone(), value);
    }
    let password = new_password(auth, &username, &fields).await?;
    make(auth, &username, fields, Some(password), verbosity).await
}

async fn username_of<U: BaseUser>(
    auth: &Auth<U>,
    given: Option<String>,
) -> Result<String, Failure> {
    let meta = auth.user_meta();
    let label = meta.field_label(&meta.username_field);
    if let Some(given) = given {
        if given.is_empty() {
            return Err(Failure::command(user_fields::blank(&label)));
        }
        match username_problem(auth, &given).await? {
            None => return Ok(given),
            Some(problem) => eprintln!("Error: {problem}"),
        }
    }
    let default = get_default_username(auth)
        .await
        .map_err(|error| failed("the database cannot be read", &error))?;
    let prompt = user_fields::prompt(&label, &default);
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

async fn new_password<U: BaseUser>(
    auth: &Auth<U>,
    username: &str,
    fields: &FieldValues,
) -> Result<String, Failure> {
    let mut values = fields.clone();
    let name = auth.user_meta().username_field.clone();
    values.insert(name, username.to_owned().into());
    let user = auth.users().of_values(&values);
    let user = user.map_err(|error| failed("the user cannot be made", &error))?;
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
        let problems = password::problems(auth, &password, &user).await;
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

/// Django's order: taken (only where names are unique), blank, then what the field refuses.
async fn username_problem<U: BaseUser>(
    auth: &Auth<U>,
    username: &str,
) -> Result<Option<Problem>, Failure> {
    let meta = auth.user_meta();
    let label = meta.field_label(&meta.username_field);
    if meta.username().is_none_or(|field| field.unique) {
        let taken = auth.users().get_by_natural_key(username).await;
        let taken = taken.map_err(|error| failed("the database cannot be read", &error))?;
        if taken.is_some() {
            return Ok(Some(user_fields::taken(&label)));
        }
    }
    Ok(user_fields::username_problem(meta, username))
}

async fn make<U: BaseUser>(
    auth: &Auth<U>,
    username: &str,
    mut fields: FieldValues,
    password: Option<String>,
    verbosity: u8,
) -> Result<(), Failure> {
    let meta = auth.user_meta();
    let email = match fields.remove(&meta.email_field) {
        Some(djauth::db::Value::Text(email)) => email.into_owned(),
        _ if meta.email_field == meta.username_field => username.to_owned(),
        _ => String::new(),
    };
    let made = auth
        .users()
        .create_superuser_from(username, &email, password.as_deref(), fields)
        .await;
    match made {
        Ok(_) if verbosity > 0 => output::say("Superuser made."),
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::Integrity { .. }) => {
            let label = meta.field_label(&meta.username_field);
            return Err(Failure::command(user_fields::taken(&label)));
        }
        Err(error) => return Err(failed("the user cannot be made", &error)),
    }
    Ok(())
}
