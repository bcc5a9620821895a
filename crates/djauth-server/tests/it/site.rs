//! A folder with settings, and the program run in it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The binary under test.
pub(crate) const DJAUTH: &str = env!("CARGO_BIN_EXE_djauth");

/// Far above what anything here takes, also on a busy machine. A hang is a failure, not a slow success.
const PATIENCE: Duration = Duration::from_secs(120);

/// Asks until it is so; panics when it never is.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Kills a program that is still there after long, unless what comes back is dropped before.
fn watch(child: &Child) -> Sender<()> {
    let (over, is_over) = channel();
    let pid = Pid::from_child(child);
    std::thread::spawn(move || {
        if is_over.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    over
}

/// Runs a program to its end; one that does not come to it is killed, and has no exit code.
pub(crate) fn output(command: &mut Command) -> Output {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = piped.spawn().unwrap();
    let _watch = watch(&child);
    child.wait_with_output().unwrap()
}

/// A fresh folder, and variables for every program that is started in it.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Site {
    /// Without any settings, but for cheap hashes.
    pub(crate) fn new() -> Self {
        let cheap = r#"{"pbkdf2_sha256": {"iterations": 1000}}"#;
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
        .with("PASSWORD_HASHER_PARAMETERS", cheap)
    }

    /// The same with one variable more.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names of all files.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Any program, in the folder and with the variables alone.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear();
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LOGNAME", "tester");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn djauth(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(DJAUTH);
        command.args(arguments);
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(output(&mut self.djauth(arguments)))
    }

    /// Makes a superuser without questions.
    pub(crate) fn superuser(&self, username: &str, password: &str) {
        let mut command = self.djauth(&[
            "createsuperuser",
            "--noinput",
            "--username",
            username,
            "--email",
            "a@b.example",
        ]);
        command.env("DJANGO_SUPERUSER_PASSWORD", password);
        let ran = Ran::of(output(&mut command));
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(self.djauth(&["runserver", "127.0.0.1:0"]))
    }
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert!(!ran.err.contains("panicked"), "{ran:?}");
        ran
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// What it said before it served.
    pub(crate) said: String,
}

impl Server {
    /// Starts the program, and waits until it says where it serves.
    #[expect(
        clippy::zombie_processes,
        reason = "the end of the test's process ends it"
    )]
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _watch = watch(&child);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        loop {
            let before = said.len();
            if out.read_line(&mut said).unwrap() == 0 {
                let output = child.wait_with_output().unwrap();
                let err = String::from_utf8_lossy(&output.stderr);
                panic!("the server did not start: {said}{err}");
            }
            if let Some(address) = served(&said[before..]) {
                return Self {
                    child,
                    out,
                    address,
                    said,
                };
            }
        }
    }

    /// Where the numbers for Prometheus are.
    pub(crate) fn numbers(&self) -> SocketAddr {
        let (_, rest) = self.said.split_once("Prometheus at http://").unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for its end, which is a violent one when it takes long; the log comes with it.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let _watch = watch(&self.child);
        let mut err = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        assert!(!err.contains("panicked"), "{err}");
        (status, err)
    }

    /// Stops it as a service manager does.
    pub(crate) fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (status, log) = self.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }

    /// Kills it as a loss of power does.
    pub(crate) fn kill(self) {
        self.signal(Signal::KILL);
        self.wait();
    }
}

fn served(line: &str) -> Option<SocketAddr> {
    line.strip_prefix("djauth serves http://")?
        .split('/')
        .next()?
        .parse()
        .ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
