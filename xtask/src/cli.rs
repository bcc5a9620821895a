//! The command line.

use crate::Result;
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

pub(crate) const HELP: &str = "\
cargo xtask COMMAND

  ci         install what is missing, then every check and every test
               --only STEP, --skip STEP        (repeatable; steps: fmt clippy doc deny
                                                vectors test interop browser examples parity)
               --no-install                    take the machine as it is
               --allow-missing-django VERSION  do without this Django (6.1, 5.2 or 4.2)
  install    only what `ci` installs: programs, cargo-deny, one Django per version
  services   private PostgreSQL, MariaDB and Redis until Ctrl-C; prints their addresses
  test       all Rust tests, with private servers; arguments are handed to cargo test
  interop    the suite against real Django
               --django VERSION, --database NAME, --engine NAME   (part of the matrix)
               --walk SEED [--steps N]         one random walk again
               --full                          each pair of engine and database with older Djangos too
               -- ARGUMENTS                    handed to pytest
  browser    the pages in Chromium, with pictures in target/screenshots; arguments are handed to pytest
  vectors    write the known answers anew with real Django
               --check                         only compare
  parity     hold COMPATIBILITY.md against Django's names, the crates and the tests that passed;
             runs all tests whose last complete run is older than the sources
               --quick                         only ask whether the named tests are written
               --write                         mend the sentence with the numbers
  lint       formatting, clippy, documentation
  deny       licences, bans and sources of the dependencies
  bench      measure against Django and other peers; writes BENCHMARKS.md and docs/benchmarks
               --only PART                     (repeatable; parts: hashers logins verify in-process
                                                isolation growth admin footprint, and by name alone:
                                                timing functions); other sections stay as they are
               --database NAME                 sqlite, postgres, mariadb
               --seconds N, --rounds N         how long and how often
               --quick                         a rough look, which writes into target/bench alone
               --full                          growth to 10,000,000 users too
               --render                        only draw the page anew from the results

Servers that are named by DJAUTH_TEST_POSTGRES_URL, DJAUTH_TEST_MARIADB_URL and
DJAUTH_TEST_REDIS_URL are used as they are; otherwise private ones are started.";

pub(crate) enum Command {
    Help,
    Ci(CiOptions),
    Install(CiOptions),
    Services,
    Test(Vec<String>),
    Interop(InteropOptions),
    Browser(Vec<String>),
    Vectors { check: bool },
    Parity(ParityOptions),
    Lint,
    Deny,
    Bench(BenchOptions),
}

#[derive(Default)]
pub(crate) struct CiOptions {
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) no_install: bool,
    pub(crate) allow_missing_django: Vec<String>,
}

#[derive(Default)]
pub(crate) struct InteropOptions {
    pub(crate) django: Vec<String>,
    pub(crate) database: Vec<String>,
    pub(crate) engine: Vec<String>,
    pub(crate) walk: Option<u64>,
    pub(crate) steps: Option<u64>,
    /// With older Djangos too, each pair of engine and database.
    pub(crate) full: bool,
    pub(crate) allow_missing_django: Vec<String>,
    pub(crate) pytest: Vec<String>,
}

#[derive(Default)]
pub(crate) struct ParityOptions {
    pub(crate) quick: bool,
    pub(crate) write: bool,
}

impl InteropOptions {
    /// Nothing is left out of the matrix.
    pub(crate) fn is_everything(&self) -> bool {
        let all = [&self.django, &self.database, &self.engine, &self.pytest];
        all.iter().all(|list| list.is_empty()) && self.walk.is_none()
    }
}

#[derive(Default)]
pub(crate) struct BenchOptions {
    pub(crate) only: Vec<String>,
    pub(crate) database: Vec<String>,
    /// `None`: what suits the part.
    pub(crate) seconds: Option<u64>,
    pub(crate) rounds: Option<u64>,
    pub(crate) quick: bool,
    pub(crate) full: bool,
    pub(crate) render: bool,
}

pub(crate) fn parse() -> Result<Command> {
    let mut parser = lexopt::Parser::from_env();
    let command = match parser.next()? {
        None | Some(Long("help") | Short('h')) => return Ok(Command::Help),
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "help" => Ok(Command::Help),
        "ci" => ci(&mut parser).map(Command::Ci),
        "install" => ci(&mut parser).map(Command::Install),
        "services" => nothing_more(&mut parser, Command::Services),
        "test" => Ok(Command::Test(rest(&mut parser)?)),
        "browser" => Ok(Command::Browser(rest(&mut parser)?)),
        "interop" => interop(&mut parser).map(Command::Interop),
        "vectors" => vectors(&mut parser),
        "parity" => parity(&mut parser).map(Command::Parity),
        "lint" => nothing_more(&mut parser, Command::Lint),
        "deny" => nothing_more(&mut parser, Command::Deny),
        "bench" => bench(&mut parser).map(Command::Bench),
        other => Err(format!("no such command: {other}\n\n{HELP}").into()),
    }
}

fn nothing_more(parser: &mut lexopt::Parser, command: Command) -> Result<Command> {
    match parser.next()? {
        None => Ok(command),
        Some(other) => Err(other.unexpected().into()),
    }
}

fn rest(parser: &mut lexopt::Parser) -> Result<Vec<String>> {
    parser.raw_args()?.map(|a| Ok(a.string()?)).collect()
}

fn ci(parser: &mut lexopt::Parser) -> Result<CiOptions> {
    let mut options = CiOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => options.only.push(parser.value()?.string()?),
            Long("skip") => options.skip.push(parser.value()?.string()?),
            Long("no-install") => options.no_install = true,
            Long("allow-missing-django") => {
                options.allow_missing_django.push(parser.value()?.string()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn interop(parser: &mut lexopt::Parser) -> Result<InteropOptions> {
    let mut options = InteropOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("django") => options.django.push(parser.value()?.string()?),
            Long("database") => options.database.push(parser.value()?.string()?),
            Long("engine") => options.engine.push(parser.value()?.string()?),
            Long("walk") => options.walk = Some(parser.value()?.parse()?),
            Long("steps") => options.steps = Some(parser.value()?.parse()?),
            Long("full") => options.full = true,
            Long("allow-missing-django") => {
                options.allow_missing_django.push(parser.value()?.string()?);
            }
            Value(argument) => {
                options.pytest.push(argument.string()?);
                options.pytest.extend(rest(parser)?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn vectors(parser: &mut lexopt::Parser) -> Result<Command> {
    let mut check = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("check") => check = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Vectors { check })
}

fn parity(parser: &mut lexopt::Parser) -> Result<ParityOptions> {
    let mut options = ParityOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => options.quick = true,
            Long("write") => options.write = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn bench(parser: &mut lexopt::Parser) -> Result<BenchOptions> {
    let mut options = BenchOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => options.only.push(parser.value()?.string()?),
            Long("database") => options.database.push(parser.value()?.string()?),
            Long("seconds") => options.seconds = Some(parser.value()?.parse()?),
            Long("rounds") => options.rounds = Some(parser.value()?.parse()?),
            Long("quick") => options.quick = true,
            Long("full") => options.full = true,
            Long("render") => options.render = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}
