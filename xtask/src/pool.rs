//! Runs of pytest beside each other: much of the time a test waits for the servers that it asks.

use crate::Result;
use crate::parity::Ran;
use crate::patience::{self, End, Stream};
use crate::shell::{Counts, counts_of};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// What a run of pytest counted, the tests that passed, and the complaint, if it failed.
pub(crate) struct Ended {
    pub(crate) counts: Counts,
    pub(crate) ran: Ran,
    pub(crate) complaint: Option<String>,
}

/// Runs those named, so many at once, the first ones first.
pub(crate) fn run(at_once: usize, runs: Vec<(String, Command)>) -> Vec<Ended> {
    let (runs, ended) = (Mutex::new(runs.into_iter()), Mutex::new(Vec::new()));
    let next = || runs.lock().ok()?.next();
    let work = || {
        while let Some((name, command)) = next() {
            let run = one(&name, command);
            if let Ok(mut ended) = ended.lock() {
                ended.push(run);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(work);
        }
    });
    ended.into_inner().unwrap_or_default()
}

/// What it printed comes in one piece when it ends, without the list of what passed.
fn one(name: &str, mut command: Command) -> Ended {
    let (mut output, mut complaints) = (Vec::new(), Vec::new());
    command.stdin(Stdio::null());
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let end = patience::run(piped, |stream, line| {
        match stream {
            Stream::Output => output.extend_from_slice(line),
            Stream::Complaints => complaints.extend_from_slice(line),
        }
        Ok(())
    });
    let text = String::from_utf8_lossy(&output);
    let mut ran = Ran::default();
    let told: Vec<&str> = text.lines().filter(|line| !ran.read(line)).collect();
    let complaints = String::from_utf8_lossy(&complaints);
    println!("{name}\n{}\n{complaints}", told.join("\n"));
    Ended {
        counts: counts_of(&text),
        ran,
        complaint: complaint(end).map(|complaint| format!("{name}: {complaint}")),
    }
}

fn complaint(end: Result<End>) -> Option<String> {
    match end {
        Ok(end) if end.is_success() => None,
        Ok(End::Itself(_)) => Some("see above".to_owned()),
        Ok(end) => Some(format!("{end}, see above")),
        Err(error) => Some(error.to_string()),
    }
}

/// Adds up what they counted; the tests that passed, or what there is to complain about.
pub(crate) fn sum(ended: Vec<Ended>, total: &mut Counts) -> (Ran, Vec<String>) {
    let (mut passed, mut complaints) = (Ran::default(), Vec::new());
    for run in ended {
        *total += run.counts;
        passed.merge(run.ran);
        complaints.extend(run.complaint);
    }
    (passed, complaints)
}

/// An error of all of them, if there are any.
pub(crate) fn verdict(complaints: &[String]) -> Result<()> {
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(complaints.join("; ").into())
    }
}
