//! One virtual environment per Django version, each on a Python that can run it, and one for the tests
//! in a browser.

use crate::Result;
use crate::install::debian_packages;
use crate::shell::{output, run, search_path};
use crate::workspace::Workspace;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Django release and the Python 3 minor versions: the least it runs on, and the last that its
/// makers name. Newer ones are tried when nothing else is there.
pub(crate) struct Django {
    pub(crate) version: &'static str,
    least: u32,
    last: u32,
}

pub(crate) const DJANGOS: [Django; 3] = [
    Django {
        version: "6.1",
        least: 12,
        last: 14,
    },
    Django {
        version: "5.2",
        least: 10,
        last: 14,
    },
    Django {
        version: "4.2",
        least: 10,
        last: 12,
    },
];

/// A virtual environment: its folder, the lists of what is in it, and the Pythons for it.
struct Environment {
    folder: PathBuf,
    lists: Vec<PathBuf>,
    least: u32,
    last: u32,
    /// What Python must be able to run with all of it installed.
    proof: Vec<OsString>,
}

/// An interpreter that answered.
struct Python {
    path: PathBuf,
    minor: u32,
    text: String,
    /// Can make virtual environments by itself (Debian keeps that in a package of its own).
    venv: bool,
    /// Has the headers that compiled packages need.
    headers: bool,
    /// Of the system, so that apt-get can complete it.
    system: bool,
}

const PROBE: &str = "\
import sys, sysconfig, importlib.util as i, os
print(sys.version_info[1], '.'.join(map(str, sys.version_info[:3])), sys.prefix,
      int(bool(i.find_spec('ensurepip') and i.find_spec('venv'))),
      int(os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h'))),
      int(sys.prefix == '/usr'), sep='\\n')";

pub(crate) fn folder(work: &Workspace, version: &str) -> PathBuf {
    work.target().join("venv").join(format!("django-{version}"))
}

/// The interpreter of a version's environment, made if it is not there.
pub(crate) fn interpreter(work: &Workspace, version: &str) -> Result<PathBuf> {
    let django = DJANGOS.iter().find(|django| django.version == version);
    let django = django.ok_or_else(|| format!("no such Django version: {version}"))?;
    install(work, django)?;
    Ok(folder(work, version).join("bin/python"))
}

/// The interpreter of the tests in a browser, with its environment made if it is not there.
pub(crate) fn browser_interpreter(work: &Workspace) -> Result<PathBuf> {
    let folder = work.target().join("venv/browser");
    let interpreter = folder.join("bin/python");
    ensure(&Environment {
        folder,
        lists: vec![work.root.join("interop/requirements-browser.txt")],
        least: 12,
        last: 14,
        proof: [
            "-c",
            "import aiosmtpd, axe_selenium_python, pytest, selenium",
        ]
        .map(OsString::from)
        .into(),
    })?;
    Ok(interpreter)
}

/// Every version; those that no installed Python can run fail by name, unless they may be missing.
pub(crate) fn install_all(work: &Workspace, may_be_missing: &[String]) -> Result<()> {
    let mut failures = Vec::new();
    for django in &DJANGOS {
        match install(work, django) {
            Ok(()) => {}
            Err(error)
                if may_be_missing
                    .iter()
                    .any(|version| version == django.version) =>
            {
                eprintln!("doing without Django {}: {error}", django.version);
            }
            Err(error) => failures.push(format!("Django {}: {error}", django.version)),
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n").into())
    }
}

fn install(work: &Workspace, django: &Django) -> Result<()> {
    let list = format!("interop/requirements-{}.txt", django.version);
    let manage = work.root.join("interop/project/manage.py");
    ensure(&Environment {
        folder: folder(work, django.version),
        lists: vec![work.root.join(list)],
        least: django.least,
        last: django.last,
        // Imports everything, sets Django up and looks at the project.
        proof: vec![manage.into(), "check".into()],
    })
}

/// The interpreter of the benchmarks, with its environment made if it is not there: the newest Django,
/// and the servers and drivers that only the benchmarks put beside it.
pub(crate) fn bench_interpreter(work: &Workspace) -> Result<PathBuf> {
    let folder = work.target().join("venv/bench");
    let interpreter = folder.join("bin/python");
    let newest = &DJANGOS[0];
    let django = format!("interop/requirements-{}.txt", newest.version);
    ensure(&Environment {
        folder,
        lists: vec![
            work.root.join(django),
            work.root.join("interop/requirements-bench.txt"),
        ],
        least: newest.least,
        last: newest.last,
        proof: ["-c", "import django, gunicorn, psycopg_pool, uvicorn"]
            .map(OsString::from)
            .into(),
    })?;
    Ok(interpreter)
}

fn ensure(environment: &Environment) -> Result<()> {
    let mut wanted = String::new();
    for list in &environment.lists {
        wanted.push_str(&std::fs::read_to_string(list)?);
    }
    let stamp = environment.folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let pythons = fitting(find_all(), environment.least, environment.last);
    if pythons.is_empty() {
        return Err(format!(
            "needs Python 3.{} or newer, and none is installed",
            environment.least
        )
        .into());
    }
    let mut complaints = Vec::new();
    for python in &pythons {
        match make(python, environment) {
            Ok(()) => return Ok(std::fs::write(&stamp, wanted)?),
            Err(error) => complaints.push(format!("Python {}: {error}", python.text)),
        }
    }
    Err(format!("no installed Python can run it: {}", complaints.join("; ")).into())
}

/// Those new enough: first what Django's makers name, newest first, then what is newer still.
fn fitting(mut pythons: Vec<Python>, least: u32, last: u32) -> Vec<Python> {
    pythons.retain(|python| python.minor >= least);
    pythons.sort_by_key(|python| match python.minor {
        named if named <= last => (false, u32::MAX - named),
        newer => (true, newer),
    });
    pythons
}

fn make(python: &Python, environment: &Environment) -> Result<()> {
    complete(python)?;
    let folder = &environment.folder;
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    run(Command::new(&python.path).args(["-m", "venv"]).arg(folder)).or_else(|error| {
        let mut other = Command::new(&python.path);
        run(other.args(["-m", "virtualenv", "-q"]).arg(folder)).map_err(|_| error)
    })?;
    let interpreter = folder.join("bin/python");
    let mut pip = Command::new(&interpreter);
    pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check"]);
    for list in &environment.lists {
        pip.arg("-r").arg(list);
    }
    run(&mut pip)?;
    // A Python that is too new fails.
    output(Command::new(&interpreter).args(&environment.proof)).map(drop)
}

/// Debian's Python may lack its venv module and its headers.
fn complete(python: &Python) -> Result<()> {
    let mut packages = Vec::new();
    if !python.venv {
        packages.push(format!("python3.{}-venv", python.minor));
    }
    if !python.headers {
        packages.push(format!("python3.{}-dev", python.minor));
    }
    if packages.is_empty() || !python.system {
        return Ok(());
    }
    debian_packages(&packages.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Every Python 3 of this machine: in `PATH`, of the system, of pyenv and of uv.
fn find_all() -> Vec<Python> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for path in candidates() {
        if let Some((prefix, python)) = probe(&path)
            && seen.insert((prefix, python.text.clone()))
        {
            found.push(python);
        }
    }
    found
}

fn candidates() -> Vec<PathBuf> {
    let mut folders = search_path();
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let pyenv = std::env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from);
    for versions in [pyenv.join("versions"), home.join(".local/share/uv/python")] {
        let entries = std::fs::read_dir(versions).into_iter().flatten().flatten();
        folders.extend(entries.map(|entry| entry.path().join("bin")));
    }
    let named = |folder: &PathBuf| {
        let numbered = (8..30)
            .rev()
            .map(|minor| folder.join(format!("python3.{minor}")));
        numbered.chain([folder.join("python3")]).collect::<Vec<_>>()
    };
    let mut paths: Vec<_> = folders
        .iter()
        .flat_map(named)
        .filter(|path| path.is_file())
        .collect();
    paths.dedup();
    paths
}

fn probe(path: &Path) -> Option<(String, Python)> {
    let answer = output(Command::new(path).args(["-I", "-c", PROBE])).ok()?;
    let mut lines = answer.lines();
    let minor = lines.next()?.parse().ok()?;
    let text = lines.next()?.to_owned();
    let prefix = lines.next()?.to_owned();
    let mut flag = || lines.next().map(|line| line == "1");
    let (venv, headers, system) = (flag()?, flag()?, flag()?);
    Some((
        prefix,
        Python {
            path: path.to_path_buf(),
            minor,
            text,
            venv,
            headers,
            system,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::{DJANGOS, Django, Python, fitting};

    fn python(minor: u32) -> Python {
        let (path, text) = (std::path::PathBuf::new(), String::new());
        Python {
            path,
            minor,
            text,
            venv: true,
            headers: true,
            system: false,
        }
    }

    #[test]
    fn named_pythons_come_before_newer_ones_and_older_ones_never() {
        let order = |django: &Django| {
            let all = [9, 15, 11, 13, 12, 10].map(python).into();
            fitting(all, django.least, django.last)
                .iter()
                .map(|python| python.minor)
                .collect::<Vec<_>>()
        };
        assert_eq!(order(&DJANGOS[0]), [13, 12, 15]);
        assert_eq!(order(&DJANGOS[1]), [13, 12, 11, 10, 15]);
        assert_eq!(order(&DJANGOS[2]), [12, 11, 10, 13, 15]);
    }
}
