//! Nothing is set: the SQLite file, its key, and who gets them.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::browser::Browser;
use crate::site::{Site, mode};

const KEY_FILE: &str = "db.sqlite3.secret_key";

#[test]
fn nothing_set_serves_on_loopback_and_says_how_to_go_on() {
    let site = Site::new();
    let server = site.serve();
    assert!(server.address.ip().is_loopback());
    assert!(
        server.said.contains("djauth createsuperuser"),
        "{}",
        server.said
    );
    assert_eq!(mode(&site.path(KEY_FILE)), 0o600);
    assert_eq!(mode(&site.path("db.sqlite3")), 0o600);
    assert_eq!(
        Browser::new(server.address).get("/accounts/login/").status,
        200
    );
    server.stop();
}

#[test]
fn the_second_run_keeps_key_users_and_sessions() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    let first = site.serve();
    let key = std::fs::read(site.path(KEY_FILE)).unwrap();
    let mut browser = Browser::new(first.address);
    assert_eq!(browser.login("root", "correct horse").status, 302);
    first.stop();

    let second = site.serve();
    assert!(!second.said.contains("createsuperuser"), "{}", second.said);
    assert_eq!(std::fs::read(site.path(KEY_FILE)).unwrap(), key);
    let mut again = Browser::new(second.address);
    again.cookies = browser.cookies;
    assert_eq!(again.get("/auth/verify").status, 200);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let site = Site::new();
    site.serve().stop();
    std::fs::set_permissions(site.path(KEY_FILE), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = site.run(&["runserver", "0"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains(KEY_FILE) && ran.err.contains("chmod"),
        "{}",
        ran.err
    );
}

#[test]
fn an_empty_or_half_written_key_is_refused() {
    for text in ["", "half"] {
        let site = Site::new();
        site.serve().stop();
        std::fs::write(site.path(KEY_FILE), text).unwrap();
        let ran = site.run(&["runserver", "0"]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.err.contains(KEY_FILE), "{}", ran.err);
        assert!(!ran.err.contains("half\n"), "{}", ran.err);
    }
}

#[test]
fn a_database_of_others_needs_its_key_and_is_not_migrated() {
    let site = Site::new();
    std::fs::write(site.path("db.sqlite3"), "").unwrap();
    let without = site.run(&["runserver", "0"]);
    assert_eq!(without.code, Some(1));
    assert!(without.err.contains("SECRET_KEY"), "{}", without.err);

    let site = site.with("SECRET_KEY", "somebody's own");
    let with = site.run(&["runserver", "0"]);
    assert_eq!(with.code, Some(1));
    assert!(with.err.contains("migrate"), "{}", with.err);
    assert_eq!(std::fs::metadata(site.path("db.sqlite3")).unwrap().len(), 0);
    assert_eq!(site.files(), ["db.sqlite3"]);
}

#[test]
fn an_empty_key_counts_as_none() {
    let site = Site::new().with("SECRET_KEY", "");
    site.serve().stop();
    assert!(site.path(KEY_FILE).exists());
    let foreign = Site::new()
        .with("SECRET_KEY", "")
        .with("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    let ran = foreign.run(&["runserver", "0"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("SECRET_KEY"), "{}", ran.err);
}

#[test]
fn refused_starts_leave_no_files() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().unwrap().to_string();
    let refusals: [(&[&str], &str, &str); 6] = [
        (&["runserver", &busy], "DEBUG", "false"),
        (&["runserver", "0:0"], "DEBUG", "false"),
        (&["runserver", "nonsense"], "DEBUG", "false"),
        (&["runserver", "0"], "SESSION_COOKIE_AGE", "-1"),
        (&["runserver", "0"], "SESSION_ENGINE", "cache"),
        (&["check"], "DEBUG", "false"),
    ];
    for (arguments, name, value) in refusals {
        let site = Site::new().with(name, value);
        let ran = site.run(arguments);
        assert!(
            arguments == ["check"] || ran.code != Some(0),
            "{arguments:?}: {ran:?}"
        );
        assert_eq!(site.files(), [""; 0], "{arguments:?}");
    }
}

#[test]
fn a_port_in_use_and_an_open_address_say_what_to_do() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let in_use = Site::new().run(&["runserver", &busy.local_addr().unwrap().to_string()]);
    assert_eq!(in_use.code, Some(1));
    assert!(in_use.err.contains("8001"), "{}", in_use.err);
    let open = Site::new().run(&["runserver", "0:0"]);
    assert_eq!(open.code, Some(1));
    assert!(open.err.contains("ALLOWED_HOSTS"), "{}", open.err);
    assert_eq!(Site::new().run(&["runserver", "nonsense"]).code, Some(2));
}

#[test]
fn first_runs_at_the_same_time_share_one_key_and_one_database() {
    let site = Site::new();
    let servers: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| site.serve())).collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect()
    });
    site.superuser("root", "correct horse");
    let mut browser = Browser::new(servers[0].address);
    assert_eq!(browser.login("root", "correct horse").status, 302);
    for server in &servers {
        let mut other = Browser::new(server.address);
        other.cookies = browser.cookies.clone();
        assert_eq!(other.get("/auth/verify").status, 200);
    }
}
