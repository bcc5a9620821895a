//! The command line.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use djauth::settings::DEFAULT_MAILER_ALIAS;
use lexopt::prelude::*;

use crate::failure::Failure;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    pub(crate) options: Options,
    pub(crate) command: Command,
}

/// The options that every command takes, as in Django.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) settings: Option<PathBuf>,
    pub(crate) verbosity: u8,
    pub(crate) traceback: bool,
    /// `None`: when the output is a terminal.
    pub(crate) color: Option<bool>,
    pub(crate) skip_checks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            settings: None,
            verbosity: 1,
            traceback: false,
            color: None,
            skip_checks: false,
        }
    }
}

/// A command with its own options.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Runserver {
        address: Option<String>,
    },
    Migrate {
        check: bool,
    },
    Createsuperuser {
        /// Fields of the user, by their names.
        fields: Vec<(String, String)>,
        interactive: bool,
    },
    Changepassword {
        username: Option<String>,
    },
    Clearsessions,
    Checkpassword,
    Groupsforuser {
        username: Option<String>,
    },
    Check(Check),
    Diffsettings {
        all: bool,
    },
    Settings(From),
    Doctor {
        limit: u64,
    },
    Unlock(Unlock),
    Cache(CacheAction),
    Sendtestemail {
        addresses: Vec<String>,
        using: String,
    },
    Help {
        /// One command alone.
        of: Option<String>,
    },
    Version,
}

/// The options of `settings`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct From {
    pub(crate) manage: PathBuf,
    pub(crate) python: PathBuf,
    pub(crate) output: Option<PathBuf>,
    pub(crate) secrets: bool,
}

/// The options of `check`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) deploy: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) list_tags: bool,
    pub(crate) fail_level: Level,
}

/// Whose attempts to log in are forgotten.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unlock {
    Username(String),
    Network(IpAddr),
    All,
}

/// What `cache` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheAction {
    Install,
    Remove,
    Status,
}

impl Command {
    /// Whether the system checks run first, unless `--skip-checks` is given: for the commands for
    /// which Django does so.
    pub(crate) fn needs_checks(&self) -> bool {
        matches!(
            self,
            Self::Runserver { .. }
                | Self::Migrate { .. }
                | Self::Createsuperuser { .. }
                | Self::Clearsessions
        )
    }
}

/// `--fail-level` of `check`.
pub(crate) use djauth::checks::Level;

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, Failure> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut read = Reading::default();
    while read.argument(&mut parser)? {}
    read.finish()
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::Usage(error.to_string())
}

/// The name of the command, and every option, before it is known which belong together.
#[derive(Default)]
struct Reading {
    options: Options,
    name: Option<String>,
    operand: Option<String>,
    /// What follows the operand, where several may stand.
    more: Vec<String>,
    using: Option<String>,
    fields: Vec<(String, String)>,
    fail_level: Option<Level>,
    tags: Vec<String>,
    manage: Option<PathBuf>,
    python: Option<PathBuf>,
    output: Option<PathBuf>,
    limit: Option<u64>,
    network: Option<IpAddr>,
    flags: Vec<&'static str>,
    help: bool,
    version: bool,
}

impl Reading {
    /// Reads one argument with its value; false at the end.
    fn argument(&mut self, parser: &mut lexopt::Parser) -> Result<bool, Failure> {
        let Some(argument) = parser.next().map_err(usage)? else {
            return Ok(false);
        };
        match argument {
            Long("settings") => self.options.settings = Some(parser.value().map_err(usage)?.into()),
            Short('v') | Long("verbosity") => self.options.verbosity = verbosity(&text(parser)?)?,
            Long("traceback") => self.options.traceback = true,
            Long("no-color") => self.options.color = Some(false),
            Long("force-color") => self.options.color = Some(true),
            Long("skip-checks") => self.options.skip_checks = true,
            Short('h') | Long("help") => self.help = true,
            Long("version") => self.version = true,
            Long("database") => database(&text(parser)?)?,
            Short('t') | Long("tag") => self.tags.push(text(parser)?),
            Long("list-tags") => self.flags.push("--list-tags"),
            Long("fail-level") => self.fail_level = Some(level(&text(parser)?)?),
            Long("from") => self.manage = Some(parser.value().map_err(usage)?.into()),
            Long("python") => self.python = Some(parser.value().map_err(usage)?.into()),
            Long("output") => self.output = Some(parser.value().map_err(usage)?.into()),
            Long("limit") => self.limit = Some(limit(&text(parser)?)?),
            Long("using") => self.using = Some(text(parser)?),
            Long("secrets") => self.flags.push("--secrets"),
            Long("network") => self.network = Some(network(&text(parser)?)?),
            Long("noinput" | "no-input") => self.flags.push("--noinput"),
            Long("check") => self.flags.push("--check"),
            Long("deploy") => self.flags.push("--deploy"),
            Long("all") => self.flags.push("--all"),
            // The fields of the user model are options of `createsuperuser`.
            Long(field) if is_field(field) => {
                let field = field.to_owned();
                let value = text(parser)?;
                self.fields.push((field, value));
            }
            Value(value) => self.operand(value.string().map_err(usage)?)?,
            other => return Err(usage(other.unexpected())),
        }
        Ok(true)
    }

    fn operand(&mut self, value: String) -> Result<(), Failure> {
        if self.operand.is_some() && self.name.as_deref() == Some(SENDTESTEMAIL) {
            self.more.push(value);
            return Ok(());
        }
        let place = if self.name.is_none() {
            &mut self.name
        } else {
            &mut self.operand
        };
        if place.is_some() {
            return Err(Failure::Usage(format!("unexpected argument {value:?}")));
        }
        *place = Some(value);
        Ok(())
    }

    fn finish(mut self) -> Result<Invocation, Failure> {
        if self.help || self.version {
            let command = if self.help {
                let of = self.name.take().filter(|name| name != "help");
                help(of.or_else(|| self.operand.take()))?
            } else {
                Command::Version
            };
            return Ok(Invocation {
                options: self.options,
                command,
            });
        }
        let name = self.name.take().unwrap_or_else(|| "runserver".into());
        let command = self.command(&name)?;
        self.nothing_left(&name)?;
        Ok(Invocation {
            options: self.options,
            command,
        })
    }

    fn command(&mut self, name: &str) -> Result<Command, Failure> {
        Ok(match name {
            "runserver" => Command::Runserver {
                address: self.operand.take(),
            },
            "migrate" => Command::Migrate {
                check: self.flag("--check"),
            },
            "createsuperuser" => Command::Createsuperuser {
                fields: std::mem::take(&mut self.fields),
                interactive: !self.flag("--noinput"),
            },
            "changepassword" => Command::Changepassword {
                username: self.operand.take(),
            },
            "clearsessions" => Command::Clearsessions,
            "checkpassword" => Command::Checkpassword,
            "groupsforuser" => Command::Groupsforuser {
                username: self.operand.take(),
            },
            "check" => Command::Check(Check {
                deploy: self.flag("--deploy"),
                tags: std::mem::take(&mut self.tags),
                list_tags: self.flag("--list-tags"),
                fail_level: self.fail_level.take().unwrap_or(Level::Error),
            }),
            "diffsettings" => Command::Diffsettings {
                all: self.flag("--all"),
            },
            "settings" => self.settings()?,
            "doctor" => Command::Doctor {
                limit: self.limit.take().unwrap_or(DOCTOR_LIMIT),
            },
            "unlock" => Command::Unlock(self.unlock()?),
            "cache" => Command::Cache(self.cache()?),
            SENDTESTEMAIL => self.sendtestemail()?,
            "help" => help(self.operand.take())?,
            "version" => Command::Version,
            other => return Err(Failure::Usage(format!("unknown command {other:?}"))),
        })
    }

    fn settings(&mut self) -> Result<Command, Failure> {
        let manage = self.manage.take().ok_or_else(|| {
            Failure::Usage("settings needs --from path/to/manage.py of a Django project".into())
        })?;
        Ok(Command::Settings(From {
            manage,
            python: self.python.take().unwrap_or_else(|| "python3".into()),
            output: self.output.take(),
            secrets: self.flag("--secrets"),
        }))
    }

    fn sendtestemail(&mut self) -> Result<Command, Failure> {
        let first = self.operand.take().ok_or_else(|| {
            Failure::Usage("sendtestemail: expected an e-mail address, or several".into())
        })?;
        let mut addresses = vec![first];
        addresses.append(&mut self.more);
        let using = self.using.take();
        Ok(Command::Sendtestemail {
            addresses,
            using: using.unwrap_or_else(|| DEFAULT_MAILER_ALIAS.into()),
        })
    }

    fn cache(&mut self) -> Result<CacheAction, Failure> {
        match self.operand.take().as_deref() {
            Some("install") => Ok(CacheAction::Install),
            Some("remove") => Ok(CacheAction::Remove),
            Some("status") => Ok(CacheAction::Status),
            _ => Err(Failure::Usage(
                "cache: expected install, remove or status".into(),
            )),
        }
    }

    fn unlock(&mut self) -> Result<Unlock, Failure> {
        let all = self.flag("--all").then_some(Unlock::All);
        let network = self.network.take().map(Unlock::Network);
        let username = self.operand.take().map(Unlock::Username);
        let mut given = [all, network, username].into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(unlock), None) => Ok(unlock),
            _ => Err(Failure::Usage(
                "unlock: expected a username, --network ADDRESS or --all".into(),
            )),
        }
    }

    fn flag(&mut self, flag: &str) -> bool {
        let before = self.flags.len();
        self.flags.retain(|given| *given != flag);
        self.flags.len() < before
    }

    /// Options and arguments that the command does not take.
    fn nothing_left(&self, name: &str) -> Result<(), Failure> {
        let fields = self.fields.iter().map(|(field, _)| format!("--{field}"));
        let valued = [
            self.fail_level.map(|_| "--fail-level"),
            self.tags.first().map(|_| "--tag"),
            self.manage.as_ref().map(|_| "--from"),
            self.python.as_ref().map(|_| "--python"),
            self.output.as_ref().map(|_| "--output"),
            self.limit.map(|_| "--limit"),
            self.using.as_ref().map(|_| "--using"),
            self.network.map(|_| "--network"),
        ];
        let known = valued.into_iter().flatten();
        let known = known.chain(self.flags.iter().copied()).map(str::to_owned);
        let left = fields.chain(known).next();
        if let Some(option) = left {
            return Err(Failure::Usage(format!("{name} takes no option {option}")));
        }
        match &self.operand {
            Some(operand) => Err(Failure::Usage(format!(
                "{name} takes no argument {operand:?}"
            ))),
            None => Ok(()),
        }
    }
}

/// What there is to say of a command, or of all.
fn help(of: Option<String>) -> Result<Command, Failure> {
    match of {
        Some(name) if crate::help::of(&name).is_none() => {
            Err(Failure::Usage(format!("unknown command {name:?}")))
        }
        of => Ok(Command::Help { of }),
    }
}

/// The one command that takes several arguments.
const SENDTESTEMAIL: &str = "sendtestemail";

/// Whether an option may name a field of the user model.
fn is_field(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn text(parser: &mut lexopt::Parser) -> Result<String, Failure> {
    parser.value().and_then(ValueExt::string).map_err(usage)
}

fn verbosity(text: &str) -> Result<u8, Failure> {
    let number = text.parse().ok().filter(|number| *number <= 3);
    number.ok_or_else(|| Failure::Usage("--verbosity: expected 0, 1, 2 or 3".into()))
}

/// So many of the newest users and sessions `doctor` looks at unless told otherwise.
const DOCTOR_LIMIT: u64 = 10_000;

fn limit(text: &str) -> Result<u64, Failure> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=10_000_000).contains(number));
    number.ok_or_else(|| Failure::Usage("--limit: expected a number from 1 to 10000000".into()))
}

/// Django's alias of the one database that there is.
fn database(alias: &str) -> Result<(), Failure> {
    if alias == "default" {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "--database: there is only \"default\" (DATABASE_URL), not {alias:?}"
    )))
}

fn network(text: &str) -> Result<IpAddr, Failure> {
    text.parse()
        .map_err(|_| Failure::Usage("--network: expected an IPv4 or IPv6 address".into()))
}

fn level(text: &str) -> Result<Level, Failure> {
    text.parse().map_err(|_| {
        Failure::Usage("--fail-level: expected DEBUG, INFO, WARNING, ERROR or CRITICAL".into())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: &str = "check|migrate|unlock|cache|install|help|settings|createsuperuser|sendtestemail|--all|-h|-v|-t\
        |--from|--limit|--network|--username|--tag=a|--|-|1|::1|=|\\PC{0,8}";

    proptest! {
        /// Either there is a command, or the exit code is that of a wrong line.
        #[test]
        fn no_line_panics(words in prop::collection::vec(WORDS, 0..8)) {
            if let Err(failure) = parse(words.into_iter().map(OsString::from)) {
                prop_assert_eq!(failure.exit_code(), 2);
            }
        }
    }

    fn parsed(line: &str) -> Result<Invocation, Failure> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn command(line: &str) -> Command {
        parsed(line).unwrap().command
    }

    #[test]
    fn cache_takes_one_of_three_actions() {
        for (line, action) in [
            ("cache install", CacheAction::Install),
            ("cache remove", CacheAction::Remove),
            ("cache status", CacheAction::Status),
        ] {
            assert_eq!(command(line), Command::Cache(action));
        }
        for line in ["cache", "cache flush", "cache install now"] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn no_command_means_runserver() {
        assert_eq!(command(""), Command::Runserver { address: None });
        assert_eq!(
            command("--settings a.toml"),
            command("runserver --settings a.toml")
        );
        assert_eq!(
            command("runserver 8001"),
            Command::Runserver {
                address: Some("8001".into())
            }
        );
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for line in [
            "--settings a.toml -v 2 check --deploy",
            "check --deploy --settings=a.toml -v2",
        ] {
            let Invocation { options, command } = parsed(line).unwrap();
            assert_eq!(options.settings, Some("a.toml".into()));
            assert_eq!(options.verbosity, 2);
            assert_eq!(
                command,
                Command::Check(Check {
                    deploy: true,
                    tags: Vec::new(),
                    list_tags: false,
                    fail_level: Level::Error
                })
            );
        }
    }

    #[test]
    fn createsuperuser_takes_django_options() {
        let expected = Command::Createsuperuser {
            fields: vec![
                ("username".into(), "root".into()),
                ("email".into(), String::new()),
            ],
            interactive: false,
        };
        assert_eq!(
            command("createsuperuser --noinput --username root --email="),
            expected
        );
        assert_eq!(
            command("createsuperuser --no-input --username=root --email= --database default"),
            expected
        );
    }

    #[test]
    fn a_wrong_line_is_a_usage_error() {
        for line in [
            "serve",
            "runserver 8000 9000",
            "migrate auth",
            "migrate --deploy",
            "check --username a",
            "createsuperuser --database other",
            "settings",
            "settings --from",
            "check --from manage.py",
            "doctor --limit 0",
            "doctor --secrets",
            "clearsessions --all",
            "unlock",
            "unlock --network 10.0.0.0/8",
            "unlock alice --all",
            "clearsessions --network 10.0.0.1",
            "check --fail-level LOUD",
            "check --tag",
            "migrate --tag models",
            "migrate --list-tags",
            "help serve",
            "serve --help",
            "-v 4",
            "--nonsense",
            "--settings",
        ] {
            let failure = parsed(line).unwrap_err();
            assert_eq!(failure.exit_code(), 2, "{line}: {failure}");
        }
    }

    #[test]
    fn unlock_takes_one_of_three() {
        let network = Unlock::Network("2001:db8::1".parse().unwrap());
        for (line, expected) in [
            ("unlock alice", Unlock::Username("alice".into())),
            ("unlock --network 2001:db8::1", network),
            ("unlock --all", Unlock::All),
        ] {
            assert_eq!(command(line), Command::Unlock(expected), "{line}");
        }
    }

    #[test]
    fn help_is_of_one_command_or_of_all() {
        let of = |name: &str| Command::Help {
            of: Some(name.into()),
        };
        for line in ["help migrate", "migrate --help", "migrate --check -h"] {
            assert_eq!(command(line), of("migrate"), "{line}");
        }
        for line in ["help", "--help", "help -h"] {
            assert_eq!(command(line), Command::Help { of: None }, "{line}");
        }
    }

    /// As in Django 6.1: `changepassword` and `diffsettings` run none, `check` is the checks.
    #[test]
    fn the_commands_that_begin_with_the_system_checks() {
        for (line, expected) in [
            ("", true),
            ("migrate", true),
            ("createsuperuser", true),
            ("clearsessions", true),
            ("changepassword", false),
            ("diffsettings", false),
            ("check", false),
            ("checkpassword", false),
            ("groupsforuser alice", false),
            ("help", false),
        ] {
            assert_eq!(command(line).needs_checks(), expected, "{line}");
        }
        assert!(parsed("migrate --skip-checks").unwrap().options.skip_checks);
    }
}
