//! What `djauth help` says.

use std::borrow::Cow;

/// What `djauth help` says, or `djauth help COMMAND`.
pub(crate) fn text(command: Option<&str>) -> Cow<'static, str> {
    match command.and_then(of) {
        Some(lines) => format!("Usage: djauth {lines}\n{ALL_TAKE}").into(),
        None => format!("{HELP}\n{ALL_TAKE}\n{SETTINGS}").into(),
    }
}

/// The lines about one command.
pub(crate) fn of(command: &str) -> Option<&'static str> {
    let about = |line: &&str| line.trim_start().split(' ').next() == Some(command);
    entries().find(about).map(str::trim_start)
}

/// The lines about each command, each with the lines that are indented further.
fn entries() -> impl Iterator<Item = &'static str> {
    let starts = HELP.match_indices("\n  ").map(|(at, _)| at + 1);
    let starts = starts.filter(|at| !HELP[at + 2..].starts_with(' '));
    starts.map(|at| {
        let rest = &HELP[at..];
        let mut ends = rest.match_indices("\n  ").map(|(end, _)| end + 1);
        let next = ends.find(|end| !rest[end + 2..].starts_with(' '));
        &rest[..next.unwrap_or(rest.len())]
    })
}

const HELP: &str = "\
djauth: Django's accounts, sessions and permissions from one binary

Usage: djauth [--settings FILE] [COMMAND]

  runserver [ADDR:PORT]   serve (this is also what happens without a command; 127.0.0.1:8000)
  migrate [--check]       make or complete the tables; --check only tells whether that is needed
  createsuperuser         make a user who may do everything
      --username NAME --email ADDRESS
      --noinput           ask nothing: the rest comes from DJANGO_SUPERUSER_USERNAME,
                          DJANGO_SUPERUSER_EMAIL and DJANGO_SUPERUSER_PASSWORD
  changepassword [NAME]   set the password of a user (yours, if no name is given)
  clearsessions           delete the sessions that have ended
  checkpassword           for Apache's mod_authnz_external: name and password in two lines on
                          standard input; exit code 0: right, 1: wrong, 3: not known
  groupsforuser [NAME]    the groups of a user; without a name for GroupExternal of that module
  check [--deploy]        look for faults; --deploy also for settings that are unsafe in public
      --tag TAG           only the checks of a kind, such as security (once or more)
      --list-tags         name the kinds
      --fail-level LEVEL  what counts as a failure: WARNING, ERROR (the default), CRITICAL
  unlock NAME             forget failed logins with this username; or of an address, or all:
      --network ADDRESS
      --all
  cache ACTION            triggers on PostgreSQL and MariaDB that let answers be kept: install them,
                          remove them, or tell their status
  sendtestemail ADDRESS...  see whether mail leaves
      --using ALIAS       by this mailer of MAILERS
  diffsettings [--all]    show the settings that differ from the defaults, or all of them
  settings --from manage.py   ask a Django project for its settings, and write ours
      --output FILE       into this new file (mode 600), secrets included; otherwise to the screen,
                          where --secrets shows them
      --python PYTHON     the project's Python, if it is not the python3 of PATH
  doctor                  see whether database, sessions and passwords fit the settings; reads only
      --limit N           look at N users and sessions at most (10000)
  help [COMMAND]          this, or what a command takes
  version                 name the version
";

const ALL_TAKE: &str = "\
Every command takes --settings FILE (TOML; also DJAUTH_SETTINGS), -v/--verbosity 0-3,
--traceback, --no-color, --force-color, --skip-checks and --database default.
";

const SETTINGS: &str = "\
Settings have Django's names and may stand in the file or in the environment, which wins.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_with_its_options() {
        let check = text(Some("check"));
        assert!(
            check.starts_with("Usage: djauth check [--deploy]"),
            "{check}"
        );
        assert!(check.contains("--list-tags") && check.contains("--settings FILE"));
        assert!(!check.contains("unlock") && !check.contains("groupsforuser"));
        assert!(of("settings").is_some_and(|lines| lines.contains("--python")));
        assert_eq!(
            of("version"),
            Some("version                 name the version\n")
        );
    }

    #[test]
    fn what_is_no_command_is_told_nothing_of() {
        for name in ["", "serve", "--username", "ask", "help,"] {
            assert_eq!(of(name), None, "{name:?}");
        }
    }
}
