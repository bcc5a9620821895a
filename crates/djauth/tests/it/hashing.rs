//! For whom passwords are hashed: what one client sends does not keep out another.

use std::sync::mpsc;

use djauth::backends::Context;
use djauth::forms::{AdminPasswordChangeForm, SetPasswordForm, Standard, UserCreationForm};
use djauth::hashing;
use djauth::http::{QueryDict, Request};
use djauth::{Auth, Error, User};
use test_databases::TestDatabase;
use tokio::task::{JoinError, JoinSet};

use crate::auth_support::{password, request, settings, soon, until};
use crate::rate_limit::from;
use crate::weaknesses::Log;

/// One thread, and so many places to wait for it.
const QUEUE: usize = 12;

async fn site(database: &TestDatabase) -> Auth {
    let mut settings = settings();
    (settings.hashing_threads, settings.hashing_queue) = (1, QUEUE as u64);
    settings.auth_password_validators.clear();
    settings.login_rate_limit_per_username = None;
    let auth = Auth::connect(database.url(), settings).await.unwrap();
    auth.migrate().await.unwrap();
    auth
}

/// How many run, and how many wait.
type Jobs = (u64, u64);

fn jobs(auth: &Auth) -> Jobs {
    let now = auth.hashing().stats();
    (now.running, now.waiting)
}

/// On the thread, and on the one that helps where nothing gets ahead.
const RUN: u64 = 2;

const FULL: Jobs = (RUN, QUEUE as u64);

/// Takes the threads and all places, for nobody in particular, until what comes back is dropped.
async fn fill(auth: &Auth) -> Vec<mpsc::Sender<()>> {
    // A job that is done may be running for a moment more.
    until("nothing to do", || jobs(auth), |now| *now == (0, 0)).await;
    let mut releases = Vec::new();
    for number in 1..=FULL.0 + FULL.1 {
        let (release, held) = mpsc::channel::<()>();
        let pool = auth.hashing().clone();
        tokio::spawn(async move { pool.run(move |_| held.recv().is_err()).await });
        releases.push(release);
        // They are counted one after the other, so that one that moves may be seen twice or not at all.
        let expected = (number.min(RUN), number.saturating_sub(RUN));
        until("one job more", || jobs(auth), |now| *now == expected).await;
    }
    releases
}

fn sent(form: &str) -> QueryDict {
    QueryDict::parse(form.as_bytes(), 10).unwrap()
}

fn context<'a>(auth: &'a Auth, request: &'a Request) -> Context<'a, User> {
    Context::new(auth, Some(request))
}

async fn set_password(auth: Auth, request: Request, user: User) -> Result<User, Error> {
    let sent = sent("new_password1=fresh&new_password2=fresh");
    let mut form = SetPasswordForm::new(&auth, user, Some(&sent));
    assert!(
        form.clean_with(&context(&auth, &request), &Standard)
            .await?
    );
    form.save(&auth).await
}

async fn set_password_once(auth: Auth, request: Request, user: User) -> Result<User, Error> {
    let sent = sent("new_password1=fresh&new_password2=fresh");
    let mut form = SetPasswordForm::new(&auth, user, Some(&sent));
    assert!(
        form.clean_with(&context(&auth, &request), &Standard)
            .await?
    );
    Ok(form.save_unless_changed(&auth).await?.expect("saved"))
}

async fn set_password_as_admin(auth: Auth, request: Request, user: User) -> Result<User, Error> {
    let sent = sent("password1=fresh&password2=fresh&usable_password=true");
    let mut form = AdminPasswordChangeForm::new(&auth, user, Some(&sent));
    assert!(
        form.clean_with(&context(&auth, &request), &Standard)
            .await?
    );
    form.save(&auth).await
}

async fn create(auth: Auth, request: Request) -> Result<User, Error> {
    let sent = sent("username=carol&password1=fresh&password2=fresh");
    let mut form = UserCreationForm::new(&auth, Some(&sent))?;
    assert!(
        form.clean_with(&context(&auth, &request), &Standard)
            .await?
    );
    form.save(&auth).await
}

async fn sign_up(auth: Auth, request: Request) -> Result<User, Error> {
    let made = auth.users().create_user("dora", "", Some("fresh"));
    hashing::on_behalf_of(&request, made).await
}

/// A crowd that nobody named holds all places; whoever sets a password from some network gets one.
#[tokio::test]
async fn new_passwords_wait_among_those_of_their_network() {
    let database = TestDatabase::sqlite();
    let site = site(&database).await;
    let mut users = Vec::new();
    for name in ["alice", "bob", "eve"] {
        let user = site.users().create_user(name, "", Some("old"));
        users.push(user.await.unwrap());
    }
    let mut user = users.into_iter();
    let mut user = || user.next().expect("another");
    let releases = fill(&site).await;
    let before = site.hashing().stats().refused;
    let mut saves = JoinSet::new();
    for number in 1..=5 {
        let request = from(&site, &format!("192.0.{number}.1"));
        let auth = site.clone();
        match number {
            1 => saves.spawn(create(auth, request)),
            2 => saves.spawn(sign_up(auth, request)),
            3 => saves.spawn(set_password(auth, request, user())),
            4 => saves.spawn(set_password_once(auth, request, user())),
            _ => saves.spawn(set_password_as_admin(auth, request, user())),
        };
        let see = || {
            if let Some(saved) = saves.try_join_next() {
                is_saved(saved);
            }
            (jobs(&site), site.hashing().stats().refused)
        };
        // Each takes the place of one that nobody named.
        let expected = (FULL, before + number);
        until("a place for it", see, |now| *now == expected).await;
    }
    drop(releases);
    while let Some(saved) = soon("a saved user", saves.join_next()).await {
        is_saved(saved);
    }
}

fn is_saved(answer: Result<Result<User, Error>, JoinError>) {
    let user = answer.expect("no panic").expect("no 503");
    assert!(user.base.has_usable_password());
}

/// What is logged while somebody logs in.
async fn log_of(auth: &Auth, requests: &[Option<Request>]) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let guard = tracing::subscriber::set_default(subscriber.finish());
    let given = password("nobody", "x");
    for request in requests {
        let nobody = auth.authenticate(request.as_ref(), &given);
        assert!(nobody.await.unwrap().is_none());
    }
    drop(guard);
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_server_that_gives_no_addresses_on_is_told_once_which_line_is_missing() {
    const LINE: &str = "app.into_make_service_with_connect_info::<SocketAddr>()";
    let database = TestDatabase::sqlite();
    let mut told = 0;
    // A line that another test reaches at the same moment for the first time may be taken for one that
    // nobody listens to.
    for _ in 0..20 {
        let auth = site(&database).await;
        let known = [None, Some(from(&auth, "192.0.2.1"))];
        assert!(!log_of(&auth, &known).await.contains(LINE));
        let unknown = [(); 3].map(|()| Some(request(&auth, None)));
        told = log_of(&auth, &unknown).await.matches(LINE).count();
        if told > 0 {
            break;
        }
    }
    assert_eq!(told, 1);
}

#[test]
fn programs_that_are_shown_give_the_addresses_on() {
    for program in [
        include_str!("../../../../README.md"),
        include_str!("../../src/docs/front.md"),
        include_str!("../../../../examples/embed/src/main.rs"),
        include_str!("../../../../examples/beside-django/src/main.rs"),
        include_str!("../../../../examples/email-login/src/main.rs"),
    ] {
        let line = "into_make_service_with_connect_info::<SocketAddr>()";
        assert!(program.contains(line), "{program}");
    }
}
