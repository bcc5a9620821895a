//! Holders are the same whichever way they are found.

use std::collections::BTreeSet;

use djauth::backends::WithPerm;
use djauth::{Auth, SecretKey, Settings, User};
use test_databases::TestDatabase;

use super::holding::{BOUNDS, Bounds};
use super::{AskedHolders, Held, HolderPage, Named, Why, named};
use crate::beyond::Users;
use crate::model::{Object, Start};

const PERM: &str = "sessions.view_session";
const PEOPLE: usize = 60;

/// Pages of seven. By these nobody is sorted, and a page may end after few users.
const WALKED: Bounds = Bounds {
    page: 7,
    sorted: 3,
    keys: 2,
    first_window: 2,
    window: 5,
    walked: 12,
};
/// Windows that end where pages do, too.
const IN_SEVENS: Bounds = Bounds {
    first_window: 7,
    window: 7,
    walked: 21,
    ..WALKED
};
/// All are sorted, a few keys at a time.
const SORTED: Bounds = Bounds {
    sorted: 1_000,
    ..WALKED
};
/// More hold it than are sorted, but fewer are inactive.
const BETWEEN: Bounds = Bounds {
    sorted: 20,
    ..WALKED
};

async fn connected(database: &TestDatabase) -> Users<User> {
    let key = SecretKey::new("for tests only, ".repeat(4)).expect("is long enough");
    let auth = Auth::connect(database.url(), Settings::new(key)).await;
    let auth: Auth = auth.expect("connects");
    auth.migrate().await.expect("migrates");
    Users { auth }
}

async fn permission(users: &Users<User>) -> Named {
    let all = named(&users.auth).await.expect("permissions");
    let found = all.into_iter().find(|named| named.perm() == PERM);
    found.expect("is there")
}

/// Sixty users whose names are in another order than their keys. Most have the permission, of the last
/// names alone nobody: a user's own, by one group or by several, and some are inactive or superusers.
async fn people(users: &Users<User>, permission: i32) {
    let auth = &users.auth;
    let mut groups = Vec::new();
    for name in ["editors", "authors"] {
        let group = auth.groups().create(name).await.expect("is made");
        let links = auth.groups().permissions(&group);
        links.add(&[permission]).await.expect("is granted");
        groups.push(group.id);
    }
    for number in 0..PEOPLE {
        let place = number * 37 % PEOPLE;
        let flags = |user: &mut User| {
            user.is_active = !place.is_multiple_of(5);
            user.permissions.is_superuser = place.is_multiple_of(11);
        };
        let name = format!("u{place:02}");
        let made = auth.users().create_user_with(&name, "", None, flags).await;
        let user = made.expect("is made");
        let own: &[i32] = if place.is_multiple_of(3) {
            &[permission]
        } else {
            &[]
        };
        let links = auth.users().user_permissions(&user).expect("permissions");
        if place < 40 || place == 58 {
            links.add(own).await.expect("is granted");
            let links = auth.users().groups(&user).expect("groups");
            links.add(&groups[..place % 4 % 3]).await.expect("joins");
        }
    }
}

/// The names on a page with the reasons, and where the pages beside it begin.
fn read(page: &HolderPage) -> Vec<(String, Why)> {
    let rows = page.rows.iter();
    rows.map(|row| (row.user.repr.clone(), row.why.clone()))
        .collect()
}

fn beside(
    users: &Users<User>,
    end: Option<&Object>,
    is_there: bool,
    turned: bool,
) -> Option<Start> {
    is_there.then(|| users.next_to(end.expect("an end"), turned))
}

/// Every page from the first to the last.
async fn forwards(
    users: &Users<User>,
    asked: &mut AskedHolders<'_>,
    bounds: Bounds,
) -> Vec<HolderPage> {
    let mut pages = Vec::new();
    asked.start = Start::First;
    loop {
        let page = users.found(asked, bounds).await.expect("a page");
        let next = beside(users, page.ends(&asked.start).1, page.is_followed, false);
        pages.push(page);
        match next {
            Some(next) => asked.start = next,
            None => return pages,
        }
    }
}

/// From what comes before the last page back to the first, in the order of the list.
async fn backwards(
    users: &Users<User>,
    asked: &mut AskedHolders<'_>,
    bounds: Bounds,
    last: &HolderPage,
) -> Vec<(String, Why)> {
    let mut found = read(last);
    let mut before = beside(users, last.ends(&asked.start).0, last.is_preceded, true);
    while let Some(start) = before {
        asked.start = start;
        let page = users.found(asked, bounds).await.expect("a page");
        found = [read(&page), found].concat();
        before = beside(users, page.ends(&asked.start).0, page.is_preceded, true);
    }
    found
}

async fn with_perm(users: &Users<User>, asked: &AskedHolders<'_>) -> BTreeSet<String> {
    let with = WithPerm::named(PERM).is_active(asked.is_active);
    let with = with.include_superusers(asked.superusers);
    let found = users.auth.users().with_perm(with, None).await;
    let found = found.expect("users").into_iter();
    found.map(|user| user.username).collect()
}

async fn all_ways_agree(users: &Users<User>, asked: &mut AskedHolders<'_>) {
    asked.start = Start::First;
    let plain = users.found(asked, BOUNDS).await.expect("a page");
    let expected = read(&plain);
    let names: Vec<_> = expected.iter().map(|(name, _)| name.clone()).collect();
    let sorted = with_perm(users, asked).await.into_iter();
    assert_eq!(names, sorted.collect::<Vec<_>>());
    assert_eq!(plain.held, Held::Exactly(names.len() as u64));
    for bounds in [WALKED, IN_SEVENS, SORTED, BETWEEN] {
        let pages = forwards(users, asked, bounds).await;
        let context = format!("{:?} {} {bounds:?}", asked.is_active, asked.superusers);
        let found: Vec<_> = pages.iter().flat_map(read).collect();
        assert_eq!(found, expected, "{context}");
        assert!(pages.iter().all(|page| page.rows.len() <= 7), "{context}");
        let last = pages.last().expect("a page");
        let back = backwards(users, asked, bounds, last).await;
        assert_eq!(back, expected, "back: {context}");
    }
}

#[tokio::test]
async fn every_way_finds_the_same_holders_in_the_same_order() {
    for database in TestDatabase::all() {
        let users = connected(&database).await;
        let permission = permission(&users).await;
        people(&users, permission.id.expect("a row")).await;
        for is_active in [None, Some(true), Some(false)] {
            for superusers in [false, true] {
                let mut asked = AskedHolders {
                    permission: &permission,
                    is_active,
                    superusers,
                    start: Start::First,
                };
                all_ways_agree(&users, &mut asked).await;
            }
        }
        users.auth.db().close().await;
    }
}

/// What each way says of the number, and that a page ends where enough users were looked at.
#[tokio::test]
async fn the_way_is_chosen_by_what_can_be_bounded() {
    let database = TestDatabase::sqlite();
    let users = connected(&database).await;
    let permission = permission(&users).await;
    people(&users, permission.id.expect("a row")).await;
    let of = async |is_active, bounds| {
        let asked = AskedHolders {
            permission: &permission,
            is_active,
            superusers: false,
            start: Start::First,
        };
        let all = with_perm(&users, &asked).await.len() as u64;
        (users.found(&asked, bounds).await.expect("a page"), all)
    };
    for (is_active, bounds, expected) in [
        (None, SORTED, None),
        (None, BETWEEN, Some(Held::MoreThan(20))),
        (Some(false), BETWEEN, None),
        (Some(true), BETWEEN, Some(Held::MoreOfAnyActivity(20))),
        (Some(false), WALKED, Some(Held::MoreOfAnyActivity(3))),
    ] {
        let (page, all) = of(is_active, bounds).await;
        let expected = expected.unwrap_or(Held::Exactly(all));
        assert_eq!(page.held, expected, "{is_active:?} {bounds:?}");
    }
    let (page, _) = of(Some(false), WALKED).await;
    assert!(page.rows.len() < 7 && page.is_followed);
    assert_eq!(page.early().expect("ends early").looked, 12);
    let (page, _) = of(None, WALKED).await;
    assert_eq!((page.rows.len(), page.early().is_none()), (7, true));
    users.auth.db().close().await;
}
