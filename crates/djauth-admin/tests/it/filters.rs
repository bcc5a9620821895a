//! Filters and lookups of the address.

use djauth::admin::UserAdmin;
use djauth::http::urlencode;
use djauth::{Auth, Group, User};
use djauth_admin::AdminSite;
use proptest::prelude::{Strategy, prop};
use proptest::strategy::ValueTree;
use test_databases::TestDatabase;

use crate::change_list::{add, enter, names};
use crate::support::{AdminBrowser, Kind, app, connect, on_each_site, person, settings, site};

const USERS: &str = "/admin/auth/user/";

async fn found(browser: &mut AdminBrowser, query: &str) -> String {
    let page = browser.get(&format!("{USERS}?{query}")).await;
    match page.location() {
        "" => names(&page).join(" "),
        location => location.to_owned(),
    }
}

/// `ada` in both groups, `bob` in one, `cyd` in none and staff.
async fn people(auth: &Auth) -> (Group, Group, User) {
    let ada = add(auth, "ada", "ada@example.com").await;
    let bob = add(auth, "bob", "").await;
    person(auth, "cyd", Kind::STAFF).await;
    let (mut one, mut two) = (Group::new("one"), Group::new("two"));
    for group in [&mut one, &mut two] {
        auth.groups().save(group).await.expect("is saved");
    }
    for (user, groups) in [(&ada, vec![one.id, two.id]), (&bob, vec![one.id])] {
        let links = auth.users().groups(user).expect("groups");
        links.add(&groups).await.expect("are joined");
    }
    (one, two, ada)
}

#[tokio::test]
async fn the_address_filters() {
    on_each_site(async |auth, mut browser| {
        let (one, two, ada) = people(auth).await;
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        for (query, expected) in [
            ("is_staff__exact=1", "cyd zoe"),
            ("is_staff__exact=0", "ada bob"),
            ("is_staff=True&is_superuser=f", "cyd"),
            (&format!("groups__id__exact={}", one.id), "ada bob"),
            (&format!("groups={}", two.id), "ada"),
            (&format!("groups={}&groups={}", one.id, two.id), "ada bob"),
            (&format!("groups__in={},{}", one.id, two.id), "ada bob"),
            (&format!("groups={}&q=a&o=-1", one.id), "ada"),
            ("groups__id__exact=99999999999", ""),
            ("groups__isnull=True", "cyd zoe"),
            ("groups__isnull=0", "ada bob"),
            ("last_login__isnull=1", "ada bob cyd"),
            ("username__in=ada,cyd,", "ada cyd"),
            ("username=ada&username=bob", "ada bob"),
            ("username__startswith=a&e=1", "ada"),
            ("email__iexact=ADA@EXAMPLE.COM", "ada"),
            ("date_joined__year=2026", "ada bob cyd zoe"),
            ("date_joined__gte=2026-01-02", ""),
            ("date_joined__lt=2026-01-01T12:00:01Z", "ada bob cyd zoe"),
            (&format!("id={}", ada.id), "ada"),
            (&format!("pk__in={},99999999999", ada.id), "ada"),
            ("id__lt=99999999999", "ada bob cyd zoe"),
            ("id__gt=99999999999", ""),
        ] {
            assert_eq!(found(&mut browser, query).await, expected, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_filter_leads_to_the_plain_list() {
    on_each_site(async |auth, mut browser| {
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        for query in [
            "nosuch=1",
            "is_staff__exact=maybe",
            "is_staff__nosuch=1",
            "username__regex=.",
            "id=x",
            "id__in=1,x",
            "groups=x",
            "groups__isnull__x=1",
            "date_joined=yesterday",
            "date_joined__year=99999999999",
            "last_login__gte=+262143-01-01",
            "=x",
            "__=x",
        ] {
            let location = found(&mut browser, query).await;
            assert_eq!(location, format!("{USERS}?e=1"), "{query}");
            let page = browser.get(&format!("{USERS}?{query}&e=1")).await;
            assert_eq!(page.status(), 200, "{query}");
            assert!(page.shows("Something is wrong"), "{query}");
        }
    })
    .await;
}

/// CVE-2010-4534: who may see the list must not read hashes out of it, nor other tables.
#[tokio::test]
async fn cve_2010_4534() {
    on_each_site(async |auth, mut browser| {
        enter(
            auth,
            &mut browser,
            Kind::with(&["auth.view_user", "auth.view_group"]),
        )
        .await;
        for path in [
            "user/?password__startswith=md5",
            "user/?password=x",
            "user/?groups__permissions__codename=x",
            "user/?groups__name__startswith=a",
            "user/?user_permissions__codename__startswith=a",
            "group/?user__password__startswith=md5",
            "group/?permissions__codename__startswith=a",
        ] {
            let page = browser.get(&format!("/admin/auth/{path}")).await;
            assert_eq!(page.status(), 400, "{path}");
        }
    })
    .await;
}

/// CVE-2014-0483: `_to_field` must not name a field that the visitor may not read.
#[tokio::test]
async fn cve_2014_0483() {
    on_each_site(async |auth, mut browser| {
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        for (field, status) in [
            ("id", 200),
            ("username", 400),
            ("password", 400),
            ("x", 400),
        ] {
            let page = browser
                .get(&format!("{USERS}?_popup=1&_to_field={field}"))
                .await;
            assert_eq!(page.status(), status, "{field}");
        }
    })
    .await;
}

#[tokio::test]
async fn panels_lead_to_what_they_say_and_count_it() {
    on_each_site(async |auth, mut browser| {
        let (one, ..) = people(auth).await;
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let page = browser.get(&format!("{USERS}?is_staff__exact=0")).await;
        let by_group = format!("?groups__id__exact={}&is_staff__exact=0", one.id);
        for link in [
            "?is_staff__exact=1",
            "?",
            &by_group,
            "?groups__isnull=True&is_staff__exact=0",
            "?_facets=True&is_staff__exact=0",
        ] {
            assert!(page.leads_to(link), "{link}: {}", page.text);
        }
        assert!(!page.shows("<small>2</small>"));
        let page = browser
            .get(&format!("{USERS}?is_staff__exact=0&_facets=True"))
            .await;
        let counts: Vec<_> = page.text.split("<small>").skip(1).collect();
        let counts: Vec<_> = counts
            .iter()
            .filter_map(|rest| rest.split('<').next())
            .collect();
        // Staff: yes, no; superusers: yes, no; active: yes, no; one, two, none.
        assert_eq!(counts, ["2", "2", "0", "2", "2", "0", "2", "1", "0"]);
    })
    .await;
}

#[tokio::test]
async fn other_fields_have_panels_too() {
    on_each_site(async |auth, _| {
        people(auth).await;
        let users = UserAdmin {
            list_filter: vec!["last_login", "email", "user_permissions"],
            ..UserAdmin::default()
        };
        let admin = AdminSite::new(auth).users(users);
        let mut browser = AdminBrowser::new(app(auth, admin.router()));
        enter(auth, &mut browser, Kind::SUPERUSER).await;
        let page = browser.get(USERS).await;
        let today =
            "?last_login__gte=2026-01-01T00%3A00%3A00Z&last_login__lt=2026-01-02T00%3A00%3A00Z";
        for link in [
            "?last_login__isnull=True",
            "?email=ada%40example.com",
            "?email=",
        ] {
            assert!(page.leads_to(link), "{link}: {}", page.text);
        }
        assert!(
            page.attributes("href")
                .iter()
                .any(|link| link.starts_with("?last_login__gte="))
        );
        assert_eq!(found(&mut browser, &today[1..]).await, "zoe");
        assert_eq!(found(&mut browser, "email=ada%40example.com").await, "ada");
    })
    .await;
}

#[tokio::test]
async fn groups_are_filtered_by_their_names() {
    for database in TestDatabase::all() {
        let auth = connect(&database, settings()).await;
        let admin = UserAdmin {
            list_filter: vec!["groups__name"],
            ..UserAdmin::default()
        };
        let site = AdminSite::new(&auth).users(admin);
        let mut browser = AdminBrowser::new(app(&auth, site.router()));
        people(&auth).await;
        enter(&auth, &mut browser, Kind::SUPERUSER).await;
        for (query, expected) in [
            ("groups__name=one", "ada bob"),
            ("groups__name__exact=two", "ada"),
            ("groups__name__in=two,none", "ada"),
            ("groups__name=%27", ""),
            ("groups__name=a%00", ""),
            ("groups__name__isnull=1", "cyd zoe"),
            ("groups__name=one&q=b&_facets=1", "bob"),
            ("groups__name__lower=one", "/admin/auth/user/?e=1"),
        ] {
            assert_eq!(found(&mut browser, query).await, expected, "{query}");
        }
        let page = browser
            .get(&format!("{USERS}?groups__name=one&_facets=1"))
            .await;
        assert!(
            page.leads_to("?_facets=1&groups__name=two"),
            "{}",
            page.text
        );
        auth.db().close().await;
    }
}

/// Whatever is asked for: a list, another address, or a refusal, and never a failure.
#[tokio::test]
async fn any_lookup_is_answered() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    people(&auth).await;
    enter(&auth, &mut browser, Kind::SUPERUSER).await;
    let fields = [
        "username",
        "is_staff",
        "last_login",
        "date_joined",
        "id",
        "pk",
        "groups",
    ];
    let fields = prop::sample::select(fields.to_vec());
    let lookup = "(__(exact|i?contains|in|isnull|gte|lt|year|id|name|name__in|regex|x'\"?;--))?";
    let value = "['\"?;%_,\\\\0-9a-zA-Z:. \u{0}\u{e4}-]{0,24}";
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..400 {
        let tree = (fields.clone(), lookup, value).new_tree(&mut runner);
        let (field, lookup, value) = tree.expect("a case").current();
        let query = urlencode([(format!("{field}{lookup}"), value)]);
        let status = browser.get(&format!("{USERS}?{query}")).await.status();
        assert!(matches!(status, 200 | 302 | 400), "{status} for {query}");
    }
}
