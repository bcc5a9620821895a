//! Sudden deaths, and a database that goes away.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::browser::Browser;
use crate::site::Site;

/// Killed at many moments, the maker of a user leaves none or a whole one: one that can log in.
#[test]
fn kill_9_while_a_user_is_made_leaves_no_half_made_one() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    let server = site.serve();
    for step in 0..20_u64 {
        let name = format!("user{step}");
        let mut command = site.djauth(&[
            "createsuperuser",
            "--noinput",
            "--username",
            &name,
            "--email=",
        ]);
        command
            .env("DJANGO_SUPERUSER_PASSWORD", "correct horse")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(step * 3));
        let _ = kill_process(Pid::from_child(&child), Signal::KILL);
        let finished = child.wait().unwrap().success();
        let login = Browser::new(server.address)
            .login(&name, "correct horse")
            .status;
        let again = site
            .run(&[
                "createsuperuser",
                "--noinput",
                "--username",
                &name,
                "--email=",
            ])
            .code;
        assert!(
            matches!((login, again), (302, Some(1)) | (200, Some(0))),
            "{name}: {login} {again:?}"
        );
        assert!(!finished || login == 302, "{name} was reported as made");
    }
}

/// A committed login survives the server's sudden death.
#[test]
fn kill_9_loses_no_session() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    assert_eq!(browser.login("root", "correct horse").status, 302);
    server.kill();
    let server = site.serve();
    let mut again = Browser::new(server.address);
    again.cookies = browser.cookies;
    assert_eq!(again.get("/auth/verify").status, 200);
}

/// Killed at many moments, a first run can be repeated.
#[test]
fn kill_9_during_the_first_run_can_be_repeated() {
    for step in 0..10_u64 {
        let site = Site::new();
        let mut command = site.djauth(&["migrate"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(step * 2));
        let _ = kill_process(Pid::from_child(&child), Signal::KILL);
        child.wait().unwrap();
        let ran = site.run(&["migrate"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(site.run(&["migrate", "--check"]).code, Some(0));
    }
}
