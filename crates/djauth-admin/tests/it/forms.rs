//! Forms that are sent to the admin: what Django does with each stands in `forms.json`.

use std::collections::BTreeMap;

use chrono::{TimeZone, Utc};
use djauth::db::{Executor, Sql};
use djauth::i18n::{Language, gettext};
use djauth::{Auth, User};
use serde_json::{Map, Value as Json, json};

use crate::support::{
    AdminBrowser, Answer, Kind, PASSWORD, log_in_past_the_page, on_each_site, person, unescaped,
};

const NEW: &str = "battery staple 9";

/// Where ours says something else, with why.
const OTHERWISE: [(&str, &str); 4] = [
    (
        "user, the same group twice",
        "nothing changes, so the log names nothing",
    ),
    (
        "user, joined at no time",
        "the missing half of a moment is named",
    ),
    (
        "user, joined at nothing sensible",
        "the date is named first, the time when it is mended",
    ),
    (
        "user, several errors",
        "the missing half of a moment is named",
    ),
];

/// The names of the keys, with what they are of.
struct Scene {
    keys: Vec<(&'static str, &'static str, i32)>,
}

impl Scene {
    async fn new(auth: &Auth, browser: &mut AdminBrowser) -> Self {
        let (users, groups) = (auth.users(), auth.groups());
        users.delete_all(users.all()).await.expect("are deleted");
        groups.delete_all(groups.all()).await.expect("are deleted");
        let ada = person(auth, "ada", Kind::SUPERUSER).await;
        log_in_past_the_page(auth, browser, &ada).await;
        let (view, add) = (
            permission(auth, "view_user").await,
            permission(auth, "add_user").await,
        );
        let editors = groups.create("editors").await.expect("is made");
        let writers = groups.create("writers").await.expect("is made");
        let links = groups.permissions(&editors);
        links.add(&[view]).await.expect("is granted");
        let olga = somebody(auth, "olga", Some(PASSWORD)).await;
        let links = users.groups(&olga).expect("groups");
        links.add(&[editors.id]).await.expect("joins");
        let links = users.user_permissions(&olga).expect("permissions");
        links.add(&[view]).await.expect("is granted");
        let wim = somebody(auth, "wim", None).await;
        Self {
            keys: vec![
                ("<o>", "user", olga.id),
                ("<w>", "user", wim.id),
                ("<g>", "group", editors.id),
                ("<h>", "group", writers.id),
                ("<p>", "", view),
                ("<q>", "", add),
            ],
        }
    }

    fn put_in(&self, text: &str) -> String {
        let text = text.replace("user/9999/", "user/999999/");
        let put =
            |text: String, (name, _, key): &(&str, &str, i32)| text.replace(name, &key.to_string());
        self.keys.iter().fold(text, put)
    }

    /// The keys of an address by their names; another one was made by the form.
    fn named(&self, text: &str) -> String {
        let mut parts: Vec<String> = text.split('/').map(str::to_owned).collect();
        for at in 1..parts.len() {
            let Ok(key) = parts[at].parse::<i32>() else {
                continue;
            };
            let model = parts[at - 1].clone();
            let mut known = self.keys.iter();
            let known = known.find(|(_, of, known)| *of == model && *known == key);
            parts[at] = known.map_or("<new>", |(name, ..)| name).to_owned();
        }
        parts.join("/")
    }
}

async fn permission(auth: &Auth, codename: &str) -> i32 {
    let all = auth.permissions().choices().await.expect("permissions");
    let mut rows = all.iter();
    rows.find(|(row, ..)| row.codename == codename)
        .expect("is there")
        .0
        .id
}

async fn somebody(auth: &Auth, name: &str, password: Option<&str>) -> User {
    let is_olga = name == "olga";
    let fill = |user: &mut User| {
        user.first_name = if is_olga {
            "Olga".to_owned()
        } else {
            String::new()
        };
        user.is_staff = is_olga;
        user.date_joined = Utc
            .with_ymd_and_hms(2025, 5, 6, 7, 8, 9)
            .single()
            .expect("a moment");
    };
    let email = if is_olga { "olga@example.com" } else { "" };
    let made = auth.users().create_user_with(name, email, password, fill);
    made.await.expect("is made")
}

fn moment(at: chrono::DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Everything that a form could change, by names.
async fn picture(auth: &Auth) -> [BTreeMap<String, Json>; 2] {
    let codenames: BTreeMap<i32, String> = auth
        .permissions()
        .choices()
        .await
        .expect("permissions")
        .into_iter()
        .map(|(row, ..)| (row.id, row.codename))
        .collect();
    let sorted = |ids: Vec<i32>, names: &BTreeMap<i32, String>| {
        let mut found: Vec<_> = ids.iter().map(|id| names[id].clone()).collect();
        found.sort();
        found
    };
    let mut groups = BTreeMap::new();
    let mut names = BTreeMap::new();
    for group in auth.groups().all().all().await.expect("groups") {
        let ids = auth
            .groups()
            .permissions(&group)
            .ids()
            .await
            .expect("permissions");
        groups.insert(group.name.clone(), json!(sorted(ids, &codenames)));
        names.insert(group.id, group.name);
    }
    let mut users = BTreeMap::new();
    for mut user in auth.users().all().all().await.expect("users") {
        if user.username == "ada" {
            continue;
        }
        let in_groups = auth
            .users()
            .groups(&user)
            .expect("groups")
            .ids()
            .await
            .expect("groups");
        let direct = auth.users().user_permissions(&user).expect("permissions");
        let direct = direct.ids().await.expect("permissions");
        let joined = (user.username != "new").then(|| moment(user.date_joined));
        let password = password(auth, &mut user).await;
        let row = json!({
            "first_name": user.first_name, "last_name": user.last_name, "email": user.email,
            "active": user.is_active, "staff": user.is_staff,
            "superuser": user.permissions.is_superuser,
            "groups": sorted(in_groups, &names),
            "permissions": sorted(direct, &codenames),
            "password": password,
            "last_login": user.base.last_login.map(moment),
            "joined": joined,
        });
        users.insert(user.username, row);
    }
    [users, groups]
}

async fn password(auth: &Auth, user: &mut User) -> &'static str {
    if !user.base.has_usable_password() {
        return "off";
    }
    for (password, name) in [(PASSWORD, "old"), (NEW, "new")] {
        if auth
            .check_password(user, password)
            .await
            .expect("is checked")
        {
            return name;
        }
    }
    "another"
}

/// What there is now and was otherwise, and the names of what is gone.
fn difference(before: &BTreeMap<String, Json>, after: &BTreeMap<String, Json>) -> Json {
    let mut found = Map::new();
    for (name, row) in after {
        if before.get(name) != Some(row) {
            found.insert(name.clone(), row.clone());
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        found.insert(name.clone(), Json::Null);
    }
    found.into()
}

async fn log(auth: &Auth) -> Json {
    let sql = Sql::new(
        "SELECT action_flag, change_message, object_repr FROM django_admin_log ORDER BY id",
    );
    let rows = auth.db().fetch(&sql, &[], |row| {
        Ok(json!([
            row.get::<i64>(0)?,
            row.get::<String>(1)?,
            row.get::<String>(2)?
        ]))
    });
    rows.await.expect("the log").into()
}

/// The levels of the messages that wait for the next page.
async fn levels(browser: &mut AdminBrowser) -> Vec<String> {
    let page = browser.get("/admin/").await;
    let classes = page.attributes("class").into_iter();
    classes
        .filter_map(|class| Some(class.strip_prefix("message ")?.to_owned()))
        .collect()
}

/// The errors of a page, by field, in their texts.
fn errors(answer: &Answer) -> BTreeMap<String, Vec<String>> {
    let summary = answer
        .text
        .split("class=\"summary\"")
        .nth(1)
        .unwrap_or_default();
    let summary = summary.split("</div>").next().unwrap_or_default();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in summary.split("<li><a href=\"#id_").skip(1) {
        let (field, rest) = item.split_once("\">").expect("a field");
        let text = rest.split("</a>").next().expect("a text");
        let (_, text) = text.split_once(": ").expect("a label and a text");
        found
            .entry(field.to_owned())
            .or_default()
            .push(unescaped(text));
    }
    found
}

/// What our pages say for one of Django's codes.
fn texts(field: &str, code: &str) -> Vec<String> {
    let is_moment = matches!(field, "date_joined" | "last_login");
    let keys = match code {
        "invalid" if field == "username" => vec!["error.invalid_username"],
        "invalid" if field == "email" => vec!["error.invalid_email"],
        "invalid" if is_moment => vec!["error.invalid_date", "error.invalid_time"],
        "invalid_date" => vec!["error.invalid_date"],
        "invalid_time" => vec!["error.invalid_time"],
        "invalid_choice" => vec!["error.invalid_choice"],
        "invalid_pk_value" => vec!["error.invalid_pk_value"],
        "max_length" => vec!["error.max_length"],
        "null_characters_not_allowed" => vec!["error.null_characters_not_allowed"],
        "password_mismatch" => vec!["error.password_mismatch"],
        "required" => vec!["error.required"],
        "unique" => vec!["error.unique"],
        code => panic!("no text for {code}"),
    };
    let limit = if field == "email" { "254" } else { "150" };
    let params = [("limit_value", limit.to_owned())];
    keys.iter()
        .map(|key| gettext(Language::ENGLISH, key, &params))
        .collect()
}

/// Whether each error is one of Django's, in its order.
fn is_alike(expected: &Json, errors: &BTreeMap<String, Vec<String>>) -> bool {
    let expected = expected.as_object().expect("codes by field");
    let says = |field: &str, codes: &Json| {
        let Some(found) = errors.get(field) else {
            return false;
        };
        let codes = codes.as_array().expect("codes");
        let pairs = codes.iter().zip(found);
        codes.len() == found.len()
            && pairs
                .into_iter()
                .all(|(code, text)| texts(field, code.as_str().expect("a code")).contains(text))
    };
    expected.len() == errors.len() && expected.iter().all(|(field, codes)| says(field, codes))
}

async fn sent(browser: &mut AdminBrowser, scene: &Scene, case: &Json) -> Answer {
    let path = format!(
        "/admin/{}",
        scene.put_in(case["page"].as_str().expect("a path"))
    );
    let mut fields = Vec::new();
    for pair in case["post"].as_array().expect("fields") {
        let (name, value) = (
            pair[0].as_str().expect("a name"),
            pair[1].as_str().expect("a value"),
        );
        // Django's own memory of what the form had shown.
        if !name.starts_with("initial-") {
            fields.push((name.to_owned(), scene.put_in(value)));
        }
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    browser.post(&path, &fields).await
}

#[tokio::test]
async fn forms_do_what_they_do_in_django() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("../data/forms.json")).expect("JSON");
    assert!(cases.len() > 100);
    on_each_site(async |auth, browser| {
        let mut differing = Vec::new();
        for case in &cases {
            let name = case["name"].as_str().expect("a name");
            let mut browser = browser.clone();
            let scene = Scene::new(auth, &mut browser).await;
            let before = picture(auth).await;
            let answer = sent(&mut browser, &scene, case).await;
            let mut ours = json!({ "status": answer.status() });
            let mut theirs = json!({ "status": case["status"] });
            if !answer.location().is_empty() || case.get("location").is_some() {
                ours["location"] = scene.named(answer.location()).into();
                theirs["location"] = case["location"].clone();
            }
            ours["log"] = log(auth).await;
            theirs["log"] = case["log"].clone();
            let after = picture(auth).await;
            ours["after"] = json!({
                "users": difference(&before[0], &after[0]),
                "groups": difference(&before[1], &after[1]),
            });
            theirs["after"] = case["after"].clone();
            let is_redirect = answer.status() == 302;
            ours["levels"] = if is_redirect {
                levels(&mut browser).await.into()
            } else {
                json!([])
            };
            theirs["levels"] = case["levels"].clone();
            let errors = errors(&answer);
            let is_same = ours == theirs && is_alike(&case["codes"], &errors);
            let is_expected = OTHERWISE.iter().all(|(known, _)| *known != name);
            if is_same != is_expected {
                differing.push(format!(
                    "{name}: {ours} {errors:?}\n  for {theirs} {}",
                    case["codes"]
                ));
            }
        }
        assert!(differing.is_empty(), "{}", differing.join("\n"));
    })
    .await;
}
