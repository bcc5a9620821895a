//! Each command: what it says, and its exit code.

use djauth_db::{Database, Executor, Sql};

use crate::browser::Browser;
use crate::pseudo_terminal::Terminal;
use crate::site::{Ran, Site, output, until};

#[test]
fn help_and_version_need_nothing() {
    let site = Site::new();
    for arguments in [&["help"][..], &["--help"]] {
        let ran = site.run(arguments);
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains("createsuperuser"), "{}", ran.out);
    }
    for arguments in [["help", "migrate"], ["migrate", "-h"]] {
        let ran = site.run(&arguments);
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains("--check"), "{}", ran.out);
        assert!(!ran.out.contains("createsuperuser"), "{}", ran.out);
    }
    assert!(site.run(&["--version"]).out.starts_with("djauth "));
    assert_eq!(site.run(&["serve"]).code, Some(2));
    assert_eq!(site.files(), [""; 0]);
}

#[test]
fn migrate_makes_the_tables_once() {
    let site = Site::new();
    assert_eq!(site.run(&["migrate", "--check"]).code, Some(1));
    assert_eq!(site.files(), [""; 0]);
    let first = site.run(&["migrate"]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert!(first.out.contains("auth.0001_initial"), "{}", first.out);
    assert_eq!(site.run(&["migrate", "--check"]).code, Some(0));
    let second = site.run(&["migrate"]);
    assert_eq!(
        (second.code, second.out.lines().count()),
        (Some(0), 1),
        "{}",
        second.out
    );
}

#[test]
fn commands_on_no_database_say_so_and_make_none() {
    for arguments in [&["clearsessions"][..], &["changepassword", "root"]] {
        let site = Site::new();
        let ran = site.run(arguments);
        assert_eq!(ran.code, Some(1));
        assert!(ran.err.contains("migrate"), "{}", ran.err);
        assert_eq!(site.files(), [""; 0]);
    }
}

#[test]
fn check_deploy_warns_and_fails_only_if_asked() {
    let site = Site::new();
    let plain = site.run(&["check"]);
    assert_eq!(plain.code, Some(0), "{}", plain.err);
    let deploy = site.run(&["check", "--deploy"]);
    assert_eq!(deploy.code, Some(0));
    for id in [
        "security.W004",
        "security.W008",
        "security.W012",
        "security.W016",
        "security.W020",
    ] {
        assert!(deploy.err.contains(id), "{}", deploy.err);
    }
    assert_eq!(
        site.run(&["check", "--deploy", "--fail-level", "WARNING"])
            .code,
        Some(1)
    );
}

#[test]
fn check_looks_at_the_database() {
    let site = Site::new().with("SECRET_KEY", "a key");
    std::fs::write(site.path("db.sqlite3"), "").unwrap();
    let ran = site.run(&["check"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("migrate"), "{}", ran.err);
}

/// `createsuperuser` with these arguments and variables.
fn createsuperuser(site: &Site, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let arguments: Vec<_> = ["createsuperuser"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let mut command = site.djauth(&arguments);
    Ran::of(output(command.envs(variables.iter().copied())))
}

/// Arguments, variables, exit code.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32);

/// The list that was measured with Django.
#[test]
fn createsuperuser_noinput_ends_as_django_s() {
    let site = Site::new();
    let user = ("DJANGO_SUPERUSER_USERNAME", "root0");
    let mail = ("DJANGO_SUPERUSER_EMAIL", "a@b.example");
    let cases: [Case<'_>; 11] = [
        (&["--noinput"], &[mail], 1),
        (&["--noinput"], &[user], 1),
        (&["--noinput"], &[user, mail], 0),
        (&["--noinput"], &[user, mail], 1),
        (
            &[
                "--noinput",
                "--username",
                "no blanks",
                "--email",
                "a@b.example",
            ],
            &[],
            1,
        ),
        (
            &["--noinput", "--username", "", "--email", "a@b.example"],
            &[],
            1,
        ),
        (
            &["--noinput", "--username", "root2", "--email", "nonsense"],
            &[],
            1,
        ),
        (
            &["--noinput", "--username", "root3"],
            &[("DJANGO_SUPERUSER_EMAIL", "")],
            0,
        ),
        (&["--noinput", "--username", "root4", "--email="], &[], 0),
        (&["--database", "other"], &[], 2),
        (&[], &[user, mail], 0),
    ];
    for (arguments, variables, code) in cases {
        let ran = createsuperuser(&site, arguments, variables);
        assert_eq!(ran.code, Some(code), "{arguments:?} {variables:?}: {ran:?}");
        if code == 1 {
            assert!(
                ran.err.starts_with("CommandError: ") && ran.out.is_empty(),
                "{ran:?}"
            );
        }
    }
}

#[test]
fn createsuperuser_without_a_terminal_does_nothing_and_is_content() {
    let site = Site::new();
    let ran = createsuperuser(
        &site,
        &["--username", "root"],
        &[("DJANGO_SUPERUSER_PASSWORD", "x")],
    );
    assert_eq!(ran.code, Some(0));
    assert!(
        ran.out.contains("--noinput") && ran.err.is_empty(),
        "{ran:?}"
    );
    assert_eq!(site.files(), [""; 0]);
}

#[test]
fn a_refused_createsuperuser_leaves_an_empty_folder_empty() {
    let site = Site::new();
    for arguments in [
        &["--noinput"][..],
        &["--noinput", "--username", "root"],
        &[
            "--noinput",
            "--username",
            "no blanks",
            "--email",
            "a@b.example",
        ],
        &["--noinput", "--username", "root", "--email", "nonsense"],
    ] {
        assert_eq!(createsuperuser(&site, arguments, &[]).code, Some(1));
        assert_eq!(site.files(), [""; 0], "{arguments:?}");
    }
}

#[test]
fn createsuperuser_noinput_stores_what_django_does() {
    let site = Site::new();
    let arguments = ["--noinput", "--username", "root1", "--email", "r2@X.COM"];
    assert_eq!(createsuperuser(&site, &arguments, &[]).code, Some(0));
    let server = site.serve();
    // No password was given, so none fits, the empty one neither.
    assert_eq!(Browser::new(server.address).login("root1", "").status, 200);
    // The password is not judged: a bad one is taken.
    site.superuser("weak", "1");
    assert_eq!(Browser::new(server.address).login("weak", "1").status, 302);
}

#[test]
fn createsuperuser_asks_until_all_is_well() {
    let site = Site::new();
    site.superuser("taken", "correct horse");
    let mut terminal = Terminal::start(&site, "createsuperuser --username taken");
    terminal
        .expect("taken")
        .expect("Username (tester): ")
        .line("no blanks!");
    terminal
        .expect("Error")
        .expect("Username (tester): ")
        .line("");
    terminal.expect("Email address: ").line("nonsense");
    terminal
        .expect("Error")
        .expect("Email address: ")
        .line("t@example.com");
    terminal.expect("Password: ").line("one thing");
    terminal.expect("Password (again): ").line("another thing");
    terminal
        .expect("not the same")
        .expect("Password: ")
        .line("   ");
    terminal.expect("Password (again): ").line("   ");
    terminal.expect("blank").expect("Password: ").line("tester");
    terminal.expect("Password (again): ").line("tester");
    terminal.expect("[y/N]").line("n");
    terminal.expect("Password: ").line("12345");
    terminal.expect("Password (again): ").line("12345");
    terminal.expect("[y/N]").line("Y");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    for secret in ["one thing", "another thing", "12345"] {
        assert!(!screen.contains(secret), "{screen}");
    }
    let server = site.serve();
    assert_eq!(
        Browser::new(server.address).login("tester", "12345").status,
        302
    );
}

#[test]
fn ctrl_c_at_a_question_ends_with_1_and_the_terminal_echoes_again() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    for keys in ["\u{3}", "\u{4}"] {
        let mut terminal = Terminal::start_and_show_modes(
            &site,
            "createsuperuser --username other --email o@example.com",
        );
        terminal.expect("Password: ").keys(keys);
        let (code, screen) = terminal.end();
        assert_eq!(code, Some(1), "{screen}");
        assert!(screen.contains(" echo "), "typing is shown again: {screen}");
    }
}

#[test]
fn changepassword_ends_as_django_s() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    assert_eq!(site.run(&["changepassword", "nobody"]).code, Some(1));

    let mut tries = Terminal::start(&site, "changepassword root");
    for _ in 0..3 {
        tries.expect("Password: ").line("root");
        tries.expect("Password (again): ").line("root");
    }
    let (code, screen) = tries.end();
    assert_eq!(code, Some(1), "{screen}");

    let mut empty = Terminal::start(&site, "changepassword root");
    empty.expect("Password: ").line("");
    assert_eq!(empty.end().0, Some(1));

    let mut good = Terminal::start(&site, "changepassword root");
    good.expect("Password: ").line("battery staple 1");
    good.expect("Password (again): ").line("a slip");
    good.expect("Password: ").line("battery staple 1");
    good.expect("Password (again): ").line("battery staple 1");
    let (code, screen) = good.end();
    assert_eq!(code, Some(0), "{screen}");
    let server = site.serve();
    assert_eq!(
        Browser::new(server.address)
            .login("root", "correct horse")
            .status,
        200
    );
    assert_eq!(
        Browser::new(server.address)
            .login("root", "battery staple 1")
            .status,
        302
    );
}

#[test]
fn changepassword_ends_the_user_s_sessions() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    browser.login("root", "correct horse");
    assert_eq!(browser.get("/auth/verify").status, 200);
    let mut terminal = Terminal::start(&site, "changepassword root");
    terminal.expect("Password: ").line("battery staple 1");
    terminal
        .expect("Password (again): ")
        .line("battery staple 1");
    assert_eq!(terminal.end().0, Some(0));
    assert_eq!(browser.get("/auth/verify").status, 401);
}

#[test]
fn the_first_run_on_a_terminal_offers_a_superuser() {
    let site = Site::new();
    let mut terminal = Terminal::start(&site, "runserver 0");
    terminal.expect("[Y/n]").line("");
    terminal.expect("Username (tester): ").line("");
    terminal.expect("Email address: ").line("");
    terminal.expect("Password: ").line("battery staple 1");
    terminal
        .expect("Password (again): ")
        .line("battery staple 1");
    terminal.expect("djauth serves").keys("\u{3}");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(
        createsuperuser(
            &site,
            &["--noinput", "--username", "tester", "--email="],
            &[]
        )
        .code,
        Some(1)
    );
}

#[test]
fn clearsessions_deletes_what_has_ended_from_every_engine() {
    let redis = test_databases::TestRedis::new();
    for engine in ["db", "cached_db", "file"] {
        let site = Site::new()
            .with("SESSION_ENGINE", engine)
            .with("CACHE_URL", redis.url())
            .with("CACHE_KEY_PREFIX", redis.prefix());
        let folder = site.path("sessions");
        std::fs::create_dir(&folder).unwrap();
        let site = site
            .with("SESSION_FILE_PATH", folder.to_str().unwrap())
            .with("SESSION_COOKIE_AGE", "1");
        site.superuser("root", "correct horse");
        let stored = || match engine {
            "file" => std::fs::read_dir(&folder).unwrap().count(),
            _ => rows(&site),
        };
        let server = site.serve();
        let mut browser = Browser::new(server.address);
        assert_eq!(browser.login("root", "correct horse").status, 302);
        assert_eq!(stored(), 1, "{engine}");
        until("an ended session", || {
            browser.get("/auth/verify").status != 200
        });
        assert_eq!(site.run(&["clearsessions"]).code, Some(0), "{engine}");
        assert_eq!(stored(), 0, "{engine}");
    }
}

/// The rows of `django_session` in the site's database.
fn rows(site: &Site) -> usize {
    static COUNT: Sql = Sql::new("SELECT COUNT(*) FROM django_session");
    let url = format!("sqlite://{}?mode=ro", site.path("db.sqlite3").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let database = Database::connect(&url).await.unwrap();
        let count = database.fetch_optional(&COUNT, &[], |row| row.get::<i64>(0));
        let count = count.await.unwrap().unwrap();
        database.close().await;
        usize::try_from(count).unwrap()
    })
}

#[test]
fn rediss_is_refused_by_name() {
    let ran = Site::new()
        .with("CACHE_URL", "rediss://127.0.0.1:6379/0")
        .run(&["check"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("CACHE_URL") && ran.err.contains("rediss"),
        "{}",
        ran.err
    );
}

#[test]
fn clearsessions_keeps_what_has_not_ended() {
    let site = Site::new();
    site.superuser("root", "correct horse");
    let server = site.serve();
    let mut browser = Browser::new(server.address);
    browser.login("root", "correct horse");
    let ran = site.run(&["clearsessions"]);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (Some(0), "", "")
    );
    assert_eq!(browser.get("/auth/verify").status, 200);
}

/// Exit codes as of `manage.py check`: 1 from the level that counts as a failure, and for a tag that
/// no check has.
#[test]
fn checks_are_chosen_by_tag() {
    let site = Site::new();
    let tags = site.run(&["check", "--list-tags"]);
    assert_eq!(
        tags.out.lines().collect::<Vec<_>>(),
        ["database", "mail", "models", "security"]
    );
    let models = site.run(&[
        "check",
        "--deploy",
        "--tag",
        "models",
        "--fail-level",
        "WARNING",
    ]);
    assert_eq!((models.code, models.err.as_str()), (Some(0), ""));
    let security = ["check", "--deploy", "-t", "models", "-t", "security"];
    let found = site.run(&security);
    assert_eq!(found.code, Some(0));
    assert!(found.err.contains("security.W004"), "{}", found.err);
    let failed = site.run(&[&security[..], &["--fail-level", "WARNING"]].concat());
    assert_eq!(failed.code, Some(1));
    let unknown = site.run(&["check", "--tag", "nothing"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.starts_with("CommandError"), "{}", unknown.err);
}
