//! `user`, `perms` and `render_password_as_hash` in templates.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use djauth::backends::{Backend, BackendResult, Context as BackendContext, ModelBackend, Object};
use djauth::templates::{Value, context};
use djauth::{Auth, Credentials, Error, ErrorKind, Request, User};
use minijinja::value::merge_maps;
use minijinja::{Environment, UndefinedBehavior};
use test_databases::TestDatabase;

use crate::auth_support::{logged_in, on_each_auth, request, settings};
use crate::layer::{alice, ask, page};

async fn render(auth: &Auth, request: &Request, source: &str) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.add_template_owned("page", source.to_owned())?;
    let own = context! { year => 2026 };
    let asking = auth.context(request);
    let made = asking.render(|values| {
        let values = merge_maps([own.clone(), values]);
        environment.get_template("page")?.render(values)
    });
    made.await
}

async fn bob(auth: &Auth) -> User {
    let users = auth.users();
    let bob = users.create_user("bob", "bob@example.com", Some("secret"));
    bob.await.unwrap()
}

async fn grant(auth: &Auth, user: &User, codename: &str) {
    let found = auth
        .permissions()
        .get_by_natural_key(codename, "auth", "group");
    let id = found.await.unwrap().unwrap().id;
    let own = auth.users().user_permissions(user).unwrap();
    own.add(&[id]).await.unwrap();
}

#[tokio::test]
async fn a_template_knows_who_is_there() {
    on_each_auth(async |database, auth, _| {
        let at = database.name();
        let key = logged_in(&auth, &bob(&auth).await).await;
        let source = "{{ user }} {{ user.username }} {{ user.email }} {{ user.is_authenticated }} \
                      {{ user.is_anonymous }} {{ user.is_staff }} [{{ user.password }}] \
                      {{ user.get_username() }} {{ user.date_joined is defined }} {{ year }} \
                      {% if user %}there{% endif %}";
        let visit = request(&auth, Some(&key));
        assert_eq!(
            render(&auth, &visit, source).await.unwrap(),
            "bob bob bob@example.com True False False [] bob True 2026 there",
            "{at}"
        );
        let nobody = request(&auth, None);
        assert_eq!(
            render(&auth, &nobody, source).await.unwrap(),
            "AnonymousUser   False True False []  False 2026 there",
            "{at}"
        );
    })
    .await;
}

const QUESTIONS: &str = "{% if perms.auth %}auth {% endif %}{% if perms.auth.view_group %}view {% endif %}\
    {% if perms.auth.add_group %}add {% endif %}{% if 'auth' in perms %}in {% endif %}\
    {% if 'auth.view_group' in perms %}in-view {% endif %}\
    {% if 'auth.add_group' in perms %}in-add {% endif %}\
    {% if 'view_group' in perms.auth %}in-auth {% endif %}\
    {% if 'add_group' in perms.auth %}in-auth-add {% endif %}\
    {% if perms.nothing %}nothing {% endif %}{% if 'nothing' in perms %}nothing {% endif %}\
    {% if perms.nothing.at_all %}nothing {% endif %}\
    {% if not perms.auth.delete_group %}not-delete{% endif %}";

#[tokio::test]
async fn a_template_knows_what_they_may_do() {
    on_each_auth(async |database, auth, _| {
        let at = database.name();
        let mut user = bob(&auth).await;
        let key = logged_in(&auth, &user).await;
        let visit = async || {
            let visit = request(&auth, Some(&key));
            render(&auth, &visit, QUESTIONS).await.unwrap()
        };
        assert_eq!(visit().await, "not-delete", "{at}");
        grant(&auth, &user, "view_group").await;
        assert_eq!(
            visit().await,
            "auth view in in-view in-auth not-delete",
            "{at}"
        );
        let nobody = request(&auth, None);
        let text = render(&auth, &nobody, QUESTIONS).await.unwrap();
        assert_eq!(text, "not-delete", "{at}");
        user.permissions.is_superuser = true;
        auth.users().save(&mut user).await.unwrap();
        let all = visit().await;
        assert!(
            all.starts_with("auth view add in in-view in-add"),
            "{at}: {all}"
        );
        assert!(!all.contains("not-delete"), "{at}: {all}");
        user.is_active = false;
        auth.users().save(&mut user).await.unwrap();
        assert_eq!(visit().await, "not-delete", "{at}");
    })
    .await;
}

/// What a branch asks once another question is answered is answered too.
#[tokio::test]
async fn answers_lead_to_further_questions() {
    let database = TestDatabase::sqlite();
    let auth = Auth::connect(database.url(), settings()).await.unwrap();
    auth.migrate().await.unwrap();
    let user = bob(&auth).await;
    for codename in ["view_group", "add_group", "change_group"] {
        grant(&auth, &user, codename).await;
    }
    let key = logged_in(&auth, &user).await;
    let nested = "{% if user.is_authenticated %}{% if perms.auth.view_group %}\
        {% if 'auth.add_group' in perms %}{% if perms.auth.change_group %}deep{% endif %}{% endif %}{% endif %}{% endif %}";
    let visit = request(&auth, Some(&key));
    assert_eq!(render(&auth, &visit, nested).await.unwrap(), "deep");
}

#[tokio::test]
async fn neither_can_be_gone_through() {
    let database = TestDatabase::sqlite();
    let auth = Auth::connect(database.url(), settings()).await.unwrap();
    auth.migrate().await.unwrap();
    let user = bob(&auth).await;
    grant(&auth, &user, "view_group").await;
    let key = logged_in(&auth, &user).await;
    for what in ["perms", "perms.auth", "user"] {
        let source = format!("{{% for x in {what} %}}{{{{ x }}}}{{% endfor %}}");
        let visit = request(&auth, Some(&key));
        let error = render(&auth, &visit, &source).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::ImproperlyConfigured, "{what}");
    }
}

/// Without `user` and `perms`: no query, and no `Vary: Cookie`. With them both.
#[tokio::test]
async fn a_template_that_asks_nothing_costs_nothing() {
    let database = TestDatabase::sqlite();
    let (auth, live) = alice(&database).await;
    async fn plain(auth: Auth, request: Request) -> Result<Response, djauth::Rejection> {
        let values = context! { heading => "H", text => "T", status => 200 };
        Ok(auth.context(&request).page("error.html", values).await?)
    }
    async fn asking(auth: Auth, request: Request) -> Result<String, djauth::Rejection> {
        Ok(render(&auth, &request, "{{ user }}").await?)
    }
    let (first, second) = (auth.clone(), auth.clone());
    let app = Router::new()
        .route("/plain", get(move |request| plain(first.clone(), request)))
        .route(
            "/asking",
            get(move |request| asking(second.clone(), request)),
        )
        .layer(auth.layer());
    let vary = |response: &Response| response.headers().get("vary").is_some();
    let asked = ask(&app, "/asking", Some(&live)).await;
    assert!(vary(&asked));
    assert_eq!(page(asked).await, "alice");
    let quiet = ask(&app, "/plain", Some(&live)).await;
    assert!(!vary(&quiet), "{:?}", quiet.headers());
    auth.db().close().await;
    assert_eq!(ask(&app, "/plain", Some(&live)).await.status(), 200);
    assert_eq!(ask(&app, "/asking", Some(&live)).await.status(), 503);
}

/// Templates in the place of the built-in ones know both, as under Django's context processor.
#[tokio::test]
async fn pages_of_auth_urls_tell_their_templates() {
    let folder = tempfile::tempdir().unwrap();
    let registration = folder.path().join("registration");
    std::fs::create_dir(&registration).unwrap();
    let text = "{{ user }} {{ user.is_authenticated }} {{ perms.auth.view_group }}";
    for name in ["login.html", "password_change_form.html", "profile.html"] {
        std::fs::write(registration.join(name), text).unwrap();
    }
    let still = "{{ title }}";
    std::fs::write(registration.join("password_reset_form.html"), still).unwrap();
    let own = |settings: &mut djauth::Settings| {
        settings.template_dirs = vec![folder.path().into()];
        // The language comes from a cookie too.
        settings.use_accept_language = false;
    };
    let (_database, auth, mut browser) = crate::pages::site(own).await;
    let alice = auth.users().get_by_natural_key("alice").await.unwrap();
    let alice = alice.unwrap();
    grant(&auth, &alice, "view_group").await;
    for path in ["/", "/accounts/login/"] {
        let shown = browser.get(path).await;
        assert_eq!(shown.text, "AnonymousUser False ", "{path}");
        assert!(shown.header("vary").contains("Cookie"), "{path}");
    }
    let quiet = browser.get("/accounts/password_reset/").await;
    assert!(!quiet.header("vary").contains("Cookie"), "nobody asked");
    let key = logged_in(&auth, &alice).await;
    browser.cookies.push(("sessionid".into(), key));
    for path in ["/", "/accounts/login/", "/accounts/password_change/"] {
        assert_eq!(browser.get(path).await.text, "alice True True", "{path}");
    }
    auth.db().close().await;
    assert_eq!(browser.get("/accounts/password_reset/").await.status(), 200);
    assert_eq!(browser.get("/accounts/login/").await.status(), 503);
}

/// A backend that grants something to everybody, and answers each question by itself.
struct Doors;

impl Backend<User> for Doors {
    fn path(&self) -> &str {
        "tests.Doors"
    }

    async fn authenticate(
        &self,
        _: BackendContext<'_, User>,
        _: &Credentials,
    ) -> BackendResult<Option<User>> {
        Ok(None)
    }

    async fn get_anonymous_permissions(
        &self,
        _: BackendContext<'_, User>,
        _: Option<&Object>,
    ) -> BackendResult<std::collections::HashSet<String>> {
        Ok(["doors.knock".to_owned()].into())
    }
}

#[tokio::test]
async fn nobody_has_what_a_backend_grants_to_everybody() {
    let database = TestDatabase::sqlite();
    let builder = Auth::builder(settings())
        .backend(ModelBackend::new())
        .backend(Doors);
    let auth = builder.connect(database.url()).await.unwrap();
    auth.migrate().await.unwrap();
    let source = "{% if perms.doors %}a{% endif %}{% if perms.doors.knock %}b{% endif %}\
        {% if perms.doors.open %}c{% endif %}{% if 'doors.knock' in perms %}d{% endif %}";
    let visit = request(&auth, None);
    assert_eq!(render(&auth, &visit, source).await.unwrap(), "abd");
}

#[tokio::test]
async fn a_stored_password_is_shown_masked() {
    let database = TestDatabase::sqlite();
    let folder = database.folder().unwrap();
    let source = "{{ render_password_as_hash(password) }}";
    std::fs::write(folder.join("hash.html"), source).unwrap();
    let mut settings = settings();
    settings.template_dirs = vec![folder.to_owned()];
    settings.password_hashers = vec!["django.contrib.auth.hashers.PBKDF2PasswordHasher".into()];
    let auth = Auth::connect(database.url(), settings).await.unwrap();
    let shown = |password: Value| {
        let values = context! { password };
        auth.templates().render("hash.html", values).unwrap()
    };
    let stored = "pbkdf2_sha256$1000$abcdefghij$c2VjcmV0c2VjcmV0<script>";
    assert_eq!(
        shown(stored.into()),
        "<p><strong>algorithm</strong>: <bdi>pbkdf2_sha256</bdi> \
         <strong>iterations</strong>: <bdi>1000</bdi> \
         <strong>salt</strong>: <bdi>abcdef****</bdi> \
         <strong>hash</strong>: <bdi>c2VjcmV0c2VjcmV0&lt;script&gt;</bdi></p>"
            .replace("c2VjcmV0c2VjcmV0&lt;script&gt;", "c2Vjcm******************")
    );
    let markup = shown("pbkdf2_sha256$1000$<b>&abcd$<i>hash".into());
    for escaped in ["&lt;b&gt;&amp;ab**</bdi>", "&lt;i&gt;has*</bdi>"] {
        assert!(markup.contains(escaped), "{markup}");
    }
    let unusable = ["", "!abc"].map(|stored| shown(stored.into()));
    assert_eq!(unusable[0], unusable[1]);
    assert_eq!(shown(().into()), unusable[0]);
    for unknown in [
        "md5$salt$0123456789abcdef",
        "plain text",
        "pbkdf2_sha256$1000",
    ] {
        let text = shown(unknown.into());
        assert!(!text.contains("0123") && !text.contains("plain"), "{text}");
        assert_ne!(text, unusable[0]);
    }
}
