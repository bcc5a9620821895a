//! Twelve kinds of visitors at every page: what Django answered to each stands in `pages.json`.

use djauth::db::{Executor, Sql};
use djauth::{Auth, Group, User};
use serde_json::{Value as Json, json};

use crate::support::{
    AdminBrowser, Answer, Kind, PASSWORD, attributes, log_in_past_the_page, on_each_site, person,
};

/// The parts of the admin that are there.
const PARTS: [&str; 3] = ["site", "list", "form"];

fn vectors() -> Json {
    serde_json::from_str(include_str!("../data/pages.json")).expect("JSON")
}

/// Who asks, and what they ask about; the names stand in the requests.
struct Scene {
    me: Option<User>,
    other: User,
    group: Group,
    /// Told apart from those of the other scenes by this.
    number: usize,
}

impl Scene {
    async fn new(auth: &Auth, kind: &Json, number: usize) -> Self {
        // Lists show everybody: those of the scene before go.
        let (users, groups) = (auth.users(), auth.groups());
        users.delete_all(users.all()).await.expect("are deleted");
        groups.delete_all(groups.all()).await.expect("are deleted");
        let mut other = person(auth, &format!("olga{number}"), Kind::STAFF).await;
        other.date_joined -= chrono::TimeDelta::days(400);
        let joined = auth.users().save_fields(&other, &["date_joined"]).await;
        joined.expect("is saved");
        let mut group = Group::new(format!("g{number}"));
        auth.groups().save(&mut group).await.expect("is saved");
        let me = person_of(auth, kind, &format!("mia{number}")).await;
        Self {
            me: (!kind.is_null()).then_some(me),
            other,
            group,
            number,
        }
    }

    fn put_in(&self, text: &str) -> String {
        let me = self.me.as_ref().map_or(0, |me| me.id);
        text.replace("user/999/", &format!("user/{NOBODY}/"))
            .replace("<p>", "1")
            .replace("<o>", &self.other.id.to_string())
            .replace("<me>", &me.to_string())
            .replace("<g>", &self.group.id.to_string())
    }

    /// Names and keys as they are in the vectors.
    fn named(&self, text: &str) -> String {
        let mut text = text.replace(&format!("user/{NOBODY}/"), "user/999/");
        for name in NAMES {
            text = text.replace(&format!("{name}{}", self.number), name);
        }
        for (model, name, key) in [
            ("user", "<o>", Some(self.other.id)),
            ("user", "<me>", Some(self.me.as_ref().map_or(0, |me| me.id))),
            ("group", "<g>", Some(self.group.id)),
            ("r/2", "<o>", Some(self.other.id)),
        ] {
            if let Some(key) = key {
                text = replace_key(&text, &format!("{model}/{key}"), &format!("{model}/{name}"));
            }
        }
        new_key(text)
    }

    /// The value of a field: names of the vectors are this scene's.
    fn field(&self, value: &str) -> String {
        match value {
            "olga2" => format!("olga{}2", self.number),
            "OLGA" => format!("OLGA{}", self.number),
            value if NAMES.contains(&value) => format!("{value}{}", self.number),
            value => self.put_in(value),
        }
    }
}

/// The names of the vectors.
const NAMES: [&str; 6] = ["mia", "olga", "nora", "new", "g", "h"];
/// A key that nobody has, also when there are many users.
const NOBODY: u32 = 999_999;

/// A key that was made by the request.
fn new_key(text: String) -> String {
    for model in ["user", "group"] {
        let prefix = format!("/admin/auth/{model}/");
        let Some(rest) = text.strip_prefix(&prefix) else {
            continue;
        };
        let (key, rest) = rest.split_once('/').unwrap_or_default();
        if rest == "change/" && key.parse::<u32>().is_ok() {
            return format!("{prefix}<new>/change/");
        }
    }
    text
}

/// The names of the buttons of a page.
fn buttons(content: &str) -> Vec<String> {
    let tags = content.split("<button").skip(1);
    let tags = tags.filter_map(|tag| tag.split('>').next());
    let mut names: Vec<_> = tags.flat_map(|tag| attributes(tag, "name")).collect();
    names.sort();
    names
}

/// The levels of the messages that the page shows, or that wait for the next one.
async fn levels(browser: &mut AdminBrowser, answer: &Answer) -> Vec<String> {
    let shown = match browser.cookie("messages") {
        Some(_) => browser.get("/admin/").await.attributes("class"),
        None => answer.attributes("class"),
    };
    let levels = shown
        .iter()
        .filter_map(|class| class.strip_prefix("message "));
    levels.map(str::to_owned).collect()
}

/// Replaces a key, but not the beginning of a longer one.
fn replace_key(text: &str, key: &str, name: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(key) {
        replaced.push_str(before);
        let longer = after.starts_with(|c: char| c.is_ascii_digit());
        replaced.push_str(if longer { key } else { name });
        rest = after;
    }
    replaced + rest
}

async fn person_of(auth: &Auth, kind: &Json, name: &str) -> User {
    let flag = |flag: &str| kind[flag].as_bool().unwrap_or(false);
    let shape = Kind {
        staff: flag("staff"),
        active: kind.is_null() || flag("active"),
        superuser: flag("superuser"),
        perms: &[],
    };
    let user = person(auth, name, shape).await;
    let perms = kind["perms"].as_array().cloned().unwrap_or_default();
    let codenames: Vec<_> = perms.iter().filter_map(Json::as_str).collect();
    let all = auth.permissions().all().all().await.expect("permissions");
    let held = all
        .iter()
        .filter(|perm| codenames.contains(&&*perm.codename));
    let ids: Vec<_> = held.map(|perm| perm.id).collect();
    assert_eq!(ids.len(), codenames.len());
    let links = auth.users().user_permissions(&user).expect("permissions");
    links.add(&ids).await.expect("are granted");
    user
}

async fn ask(browser: &mut AdminBrowser, scene: &Scene, request: &Json) -> Answer {
    let path = request["path"].as_str().expect("a path");
    let path = format!("/admin/{}", scene.put_in(path));
    let method = request["method"].as_str().expect("a method");
    let Some(form) = request["form"].as_array() else {
        // The token counts for every method but those that change nothing.
        return match method {
            "GET" | "HEAD" => browser.send(method, &path, None).await,
            method => browser.send_with_token(method, &path).await,
        };
    };
    let pair = |pair: &Json| {
        let text = |at: usize| pair[at].as_str().expect("a text").to_owned();
        (text(0), scene.field(&text(1)))
    };
    let fields: Vec<_> = form.iter().map(pair).collect();
    let fields: Vec<_> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    browser.post(&path, &fields).await
}

fn content(answer: &Answer) -> String {
    let main = answer.text.split("<main").nth(1).unwrap_or_default();
    let main = main.split("</main>").next().unwrap_or_default();
    match main.split_once("<nav class=\"breadcrumbs\"") {
        Some((before, after)) => {
            let after = after.split_once("</nav>").map_or("", |(_, after)| after);
            format!("{before}{after}")
        }
        None => main.to_owned(),
    }
}

/// How the addresses end that Django's admin has not: `ONLY_OURS` of `interop/suite/admin_differences.py`.
const ONLY_OURS: [&str; 4] = [
    "/permissions/",
    "/auth/permission/",
    "/admin/log/",
    "/sessions/",
];

fn links(content: &str, scene: &Scene) -> Vec<String> {
    let links = attributes(content, "href").into_iter();
    let links = links.filter(|link| link.starts_with("/admin/"));
    let links = links.filter(|link| !ONLY_OURS.iter().any(|end| link.ends_with(end)));
    let mut links: Vec<_> = links.map(|link| scene.named(&link)).collect();
    links.sort();
    links.dedup();
    links
}

/// What the log gained by who asks.
async fn log(auth: &Auth, scene: &Scene) -> Json {
    let Some(me) = &scene.me else {
        return json!([]);
    };
    let sql = Sql::new(
        "SELECT action_flag, change_message, object_repr FROM django_admin_log WHERE user_id = ? ORDER BY id",
    );
    let params = [me.id.into()];
    let rows = auth.db().fetch(&sql, &params, |row| {
        let (flag, message, repr) = (
            row.get::<i64>(0)?,
            row.get::<String>(1)?,
            row.get::<String>(2)?,
        );
        Ok(json!([flag, message, scene.named(&repr)]))
    });
    Json::Array(rows.await.expect("the log"))
}

#[tokio::test]
async fn twelve_kinds_of_visitors_are_answered_as_django_answers_them() {
    let vectors = vectors();
    let requests = vectors["requests"].as_object().expect("requests");
    on_each_site(async |auth, browser| {
        let (mut number, mut differing) = (1000, Vec::new());
        for (name, request) in requests {
            if !PARTS.contains(&request["part"].as_str().expect("a part")) {
                continue;
            }
            for (kind, expected) in request["answers"].as_object().expect("answers") {
                number += 1;
                let scene = Scene::new(auth, &vectors["kinds"][kind], number).await;
                let mut browser = browser.clone();
                if let Some(me) = &scene.me {
                    log_in_past_the_page(auth, &mut browser, me).await;
                }
                let answer = ask(&mut browser, &scene, request).await;
                let mut ours = json!({ "status": answer.status() });
                if !answer.location().is_empty() {
                    ours["location"] = scene.named(answer.location()).into();
                }
                ours["log"] = log(auth, &scene).await;
                if let Some(expected) = expected.get("links") {
                    ours["links"] = links(&content(&answer), &scene).into();
                    ours["buttons"] = buttons(&content(&answer)).into();
                    assert!(expected.is_array());
                }
                ours["levels"] = levels(&mut browser, &answer).await.into();
                if ours != *expected {
                    differing.push(format!("{name}, by {kind}: {ours} for {expected}"));
                }
            }
        }
        assert!(differing.is_empty(), "{}", differing.join("\n"));
    })
    .await;
    assert_eq!(vectors["password"], PASSWORD);
}
