//! How long a command that runs tests may take in `cargo xtask ci`: one that stands still is ended, with
//! everything that it has started, and the run goes on.
//!
//! The command stays in our process group, so that Ctrl-C in the terminal reaches all of it as ever. What it
//! has started is found by a variable that processes inherit, and by who started whom, because a test may
//! start a program with an empty environment. Where there is no `/proc`, only the command itself is ended.

use crate::Result;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// For one command, with what it compiles and what it waits for. On two cores the longest takes a quarter of an
/// hour; a run that is cut off from outside says less.
const PATIENCE: Duration = Duration::from_secs(45 * 60);

/// For one test of pytest, the longest of which, a walk, takes some minutes.
const PATIENCE_WITH_ONE: Duration = Duration::from_secs(15 * 60);

/// How often somebody looks whether the time is over.
const LOOK: Duration = Duration::from_secs(1);

/// So many looks without a word after its end: somebody else has its output, and nothing more comes.
const SILENT_LOOKS: u32 = 10;

/// What a command and all that it starts have in their environment.
const MARK: &str = "XTASK_COMMAND";

static LIMITED: AtomicBool = AtomicBool::new(false);

/// From now on no command that runs tests may take for ever. Whoever runs some by hand may want to wait: a
/// long walk is meant to be long.
pub(crate) fn limit() {
    LIMITED.store(true, Ordering::Relaxed);
}

fn limited(patience: Duration) -> Option<Duration> {
    LIMITED.load(Ordering::Relaxed).then_some(patience)
}

/// A test of pytest that takes too long ends it, and where each thread is gets shown.
pub(crate) fn of_pytest(command: &mut Command) {
    if let Some(patience) = limited(PATIENCE_WITH_ONE) {
        let seconds = patience.as_secs();
        command.args(["-o", &format!("faulthandler_timeout={seconds}")]);
        command.args(["-o", "faulthandler_exit_on_timeout=true"]);
    }
}

/// How a command has ended.
#[derive(Debug)]
pub(crate) enum End {
    Itself(ExitStatus),
    /// It was ended after this time.
    StoodStill(Duration),
}

impl End {
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, End::Itself(status) if status.success())
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Itself(status) => status.fmt(f),
            End::StoodStill(after) => {
                let seconds = after.as_secs();
                write!(f, "ended because it still ran after {seconds} seconds")
            }
        }
    }
}

/// Where a line is from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stream {
    Output,
    Complaints,
}

type Line = (Stream, Vec<u8>);

/// Runs it, and hands over each line of what is piped of its outputs.
pub(crate) fn run(
    command: &mut Command,
    take: impl FnMut(Stream, &[u8]) -> Result<()>,
) -> Result<End> {
    run_within(limited(PATIENCE), command, take)
}

fn run_within(
    patience: Option<Duration>,
    command: &mut Command,
    take: impl FnMut(Stream, &[u8]) -> Result<()>,
) -> Result<End> {
    static COMMANDS: AtomicU32 = AtomicU32::new(0);
    let number = COMMANDS.fetch_add(1, Ordering::Relaxed);
    let value = format!("{}.{number}", std::process::id());
    let mut watched = Watched::start(command.env(MARK, &value), patience)?;
    let end = watched.end(take);
    if !end.as_ref().is_ok_and(End::is_success) {
        end_all(format!("{MARK}={value}").as_bytes());
        // Where there is no `/proc`; it may have ended long ago.
        let _ = watched.child.kill();
        let _ = watched.child.wait();
    }
    end
}

struct Watched {
    child: Child,
    lines: Receiver<Line>,
    begun: Instant,
    patience: Option<Duration>,
}

impl Watched {
    fn start(command: &mut Command, patience: Option<Duration>) -> Result<Self> {
        let mut child = command.spawn()?;
        let (sender, lines) = channel();
        if let Some(output) = child.stdout.take() {
            read(Stream::Output, output, sender.clone());
        }
        if let Some(complaints) = child.stderr.take() {
            read(Stream::Complaints, complaints, sender);
        }
        Ok(Watched {
            child,
            lines,
            begun: Instant::now(),
            patience,
        })
    }

    fn end(&mut self, mut take: impl FnMut(Stream, &[u8]) -> Result<()>) -> Result<End> {
        let mut silent = 0;
        while silent < SILENT_LOOKS {
            match self.lines.recv_timeout(LOOK) {
                Ok((stream, line)) => {
                    silent = 0;
                    take(stream, &line)?;
                }
                Err(RecvTimeoutError::Timeout) => {
                    silent += u32::from(self.child.try_wait()?.is_some());
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let Some(end) = self.stands_still()? {
                return Ok(end);
            }
        }
        self.end_after_its_output()
    }

    fn end_after_its_output(&mut self) -> Result<End> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(End::Itself(status));
            }
            if let Some(end) = self.stands_still()? {
                return Ok(end);
            }
            std::thread::sleep(LOOK / 50);
        }
    }

    fn stands_still(&mut self) -> Result<Option<End>> {
        let over = |patience: &Duration| self.begun.elapsed() > *patience;
        let Some(patience) = self.patience.filter(over) else {
            return Ok(None);
        };
        let ended = self.child.try_wait()?.is_some();
        Ok((!ended).then_some(End::StoodStill(patience)))
    }
}

/// Reads in a thread of its own, which nobody waits for: somebody who was left behind may hold the other end.
fn read(stream: Stream, output: impl Read + Send + 'static, lines: Sender<Line>) {
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // After an error nothing more comes, as after the end.
        while output
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            if lines.send((stream, std::mem::take(&mut line))).is_err() {
                return;
            }
        }
    });
}

/// Ends all that are marked, and what they have started.
fn end_all(mark: &[u8]) {
    // Whoever is found may be starting somebody just now.
    for _ in 0..50 {
        let all = processes(mark);
        let found = family(&all);
        if found.is_empty() {
            return;
        }
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -KILL \"$@\"", "sh"]).args(found);
        // One that is gone already is what we want.
        let _ = kill.stderr(Stdio::null()).status();
        std::thread::sleep(LOOK / 20);
    }
}

struct Process {
    id: String,
    parent: String,
    marked: bool,
}

fn processes(mark: &[u8]) -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| process(&entry.path(), mark))
        .collect()
}

/// One that lives; `None` for what is no process.
fn process(folder: &Path, mark: &[u8]) -> Option<Process> {
    let stat = std::fs::read(folder.join("stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The number, the program's name in parentheses, which may hold some itself, the state, the parent.
    let (id, _) = stat.split_once(" (")?;
    let mut rest = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let (state, parent) = (rest.next()?, rest.next()?);
    let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
    let marked = environment.split(|byte| *byte == 0).any(|one| one == mark);
    (!matches!(state, "Z" | "X")).then(|| Process {
        id: id.to_owned(),
        parent: parent.to_owned(),
        marked,
    })
}

/// The marked ones, whoever they have started, and so on.
fn family(all: &[Process]) -> Vec<&str> {
    let marked = all.iter().filter(|process| process.marked);
    let mut found: Vec<&str> = marked.map(|process| process.id.as_str()).collect();
    let mut known = 0;
    while known < found.len() {
        let parent = found[known];
        let children = all.iter().filter(|process| process.parent == parent);
        for child in children {
            if !found.contains(&child.id.as_str()) {
                found.push(&child.id);
            }
        }
        known += 1;
    }
    found
}

/// The tests that libtest has said to take long, and whose end it has not told since.
#[derive(Default)]
pub(crate) struct Slow(Vec<String>);

impl Slow {
    pub(crate) fn read(&mut self, line: &str) {
        let line = line.trim_end();
        if let Some(start) = line.strip_suffix(" has been running for over 60 seconds") {
            // One thread writes the name once more before.
            let name = start.rsplit_once("test ").map_or(start, |(_, name)| name);
            self.0.push(name.to_owned());
        } else if let Some(name) = ended(line) {
            self.0.retain(|slow| slow != name);
        } else if line.starts_with("test result: ") || matches!(line, "ok" | "FAILED") {
            self.0.clear();
        }
    }
}

/// The test whose end this line tells.
fn ended(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let endings = [" - should panic", " - compile fail", " - compile"];
    let without = endings.iter().find_map(|ending| name.strip_suffix(ending));
    Some(without.unwrap_or(name))
}

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no test is known to hang");
        }
        write!(f, "tests that have not ended: {}", self.0.join(", "))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{End, Slow, Stream, run_within};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    /// How a script has ended, and the words that it has said.
    fn run(script: &str, seconds: u64) -> (End, Vec<String>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut said = Vec::new();
        let end = run_within(
            Some(Duration::from_secs(seconds)),
            &mut command,
            |_, line| {
                said.push(String::from_utf8_lossy(line).trim().to_owned());
                Ok(())
            },
        );
        (end.unwrap(), said)
    }

    /// Whether a process is there and more than an entry that nobody has asked for.
    fn lives(id: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[test]
    fn one_that_stands_still_is_ended_with_whoever_it_has_started() {
        let script =
            "sleep 600 & echo $!; env -i sleep 600 & echo $!; setsid sleep 600 & echo $!; wait";
        let begun = Instant::now();
        let (end, started) = run(script, 10);
        assert!(matches!(end, End::StoodStill(_)), "{end}");
        assert!(begun.elapsed() < Duration::from_secs(120));
        assert_eq!(started.len(), 3);
        assert!(!started.iter().any(|id| lives(id)), "{started:?}");
    }

    #[test]
    fn one_that_says_nothing_any_more_is_ended_too() {
        let (end, _) = run("exec >&- 2>&-; sleep 600", 1);
        let said = "ended because it still ran after 1 seconds";
        assert_eq!(end.to_string(), said);
    }

    #[test]
    fn a_quick_one_ends_by_itself() {
        let (end, said) = run("echo out; echo err >&2", 600);
        assert!(end.is_success(), "{end}");
        assert!(said.contains(&"out".to_owned()) && said.contains(&"err".to_owned()));
        let (end, _) = run("exit 3", 600);
        assert!(
            matches!(end, End::Itself(status) if status.code() == Some(3)),
            "{end}"
        );
    }

    /// As pytest does when a test hangs: it goes at once, and its servers stay.
    #[test]
    fn nobody_is_left_behind_by_one_that_fails() {
        let begun = Instant::now();
        let (end, started) = run("sleep 600 & echo $!; exit 3", 600);
        assert!(matches!(end, End::Itself(_)), "{end}");
        assert!(begun.elapsed() < Duration::from_secs(300));
        assert!(!lives(&started[0]));
    }

    #[test]
    fn lines_say_where_they_are_from() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo err >&2"]).stderr(Stdio::piped());
        let mut from = Vec::new();
        let end = run_within(None, &mut command, |stream, _| {
            from.push(stream);
            Ok(())
        });
        assert!(end.unwrap().is_success());
        assert_eq!(from, [Stream::Complaints]);
    }

    fn slow(lines: &[&str]) -> String {
        let mut slow = Slow::default();
        lines.iter().for_each(|line| slow.read(line));
        slow.to_string()
    }

    #[test]
    fn tests_that_hang_are_named() {
        let lines = [
            "test a::hangs has been running for over 60 seconds\n",
            "test a::quick ... ok\n",
            "test b::long has been running for over 60 seconds\n",
            "test b::bad has been running for over 60 seconds\n",
            "test b::panics has been running for over 60 seconds\n",
            "test crates/x.rs - y::z (line 3) has been running for over 60 seconds\n",
            "test b::long ... ok\n",
            "test b::bad ... FAILED\n",
            "test b::panics - should panic ... ok\n",
        ];
        let expected = "tests that have not ended: a::hangs, crates/x.rs - y::z (line 3)";
        assert_eq!(slow(&lines), expected);
        let ended = "test result: FAILED. 3 passed; 2 failed; 0 ignored";
        assert_eq!(slow(&[&lines[..], &[ended]].concat()), slow(&[]));
    }

    /// libtest with one thread begins the line before the test.
    #[test]
    fn tests_one_after_the_other_are_named_too() {
        let announced = "test a::b ... test a::b has been running for over 60 seconds";
        assert_eq!(slow(&[announced]), "tests that have not ended: a::b");
        assert_eq!(slow(&[announced, "ok"]), slow(&[]));
    }
}
