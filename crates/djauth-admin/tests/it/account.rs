//! One's own account.

use crate::sessions::{browser, is_in, offered, visitor};
use crate::support::{Kind, on_each_site, person, site};

const PAGE: &str = "/accounts/sessions/";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const NOBODY: Kind = Kind {
    staff: false,
    ..Kind::STAFF
};

#[tokio::test]
async fn somebody_ends_their_own_sessions() {
    on_each_site(async |auth, _| {
        person(auth, "ann", NOBODY).await;
        person(auth, "bob", NOBODY).await;
        let mut bobs = visitor(auth, "bob", FIREFOX).await;
        let mut elsewhere = visitor(auth, "ann", "curl/8.16.0").await;
        let mut third = visitor(auth, "ann", "MyApp 1.0").await;
        let mut here = visitor(auth, "ann", FIREFOX).await;
        assert!(here.get("/accounts/profile/").await.leads_to(PAGE));
        let page = here.get(PAGE).await;
        for text in [
            "Firefox 145 on Linux",
            "curl 8",
            "MyApp 1.0",
            "192.0.2.7",
            "This session",
        ] {
            assert!(page.shows(text), "{text}: {}", page.text);
        }
        let rows = offered(&page.text);
        assert_eq!(rows.len(), 3, "not those of others");
        // Newest first: here, third, elsewhere.
        let answer = here.post(PAGE, &[("end", &rows[2])]).await;
        assert_eq!((answer.status(), answer.location()), (302, PAGE));
        assert!(!is_in(&mut elsewhere).await && is_in(&mut third).await);
        assert!(here.get(PAGE).await.shows("1 session was ended."));
        assert!(!here.get(PAGE).await.shows("was ended"), "it is said once");
        let of_bob = offered(&bobs.get(PAGE).await.text);
        here.post(PAGE, &[("end", &of_bob[0])]).await;
        assert!(is_in(&mut bobs).await);
        here.post(PAGE, &[("end_others", "1")]).await;
        assert!(!is_in(&mut third).await && is_in(&mut here).await && is_in(&mut bobs).await);
        let answer = here.post(PAGE, &[("end", &rows[0])]).await;
        assert_eq!(
            (answer.status(), answer.location()),
            (302, "/accounts/login/")
        );
        assert!(!is_in(&mut here).await);
        let answer = here.get(PAGE).await;
        assert_eq!(
            answer.location(),
            "/accounts/login/?next=/accounts/sessions/"
        );
        assert_eq!(here.post(PAGE, &[("end_all", "1")]).await.status(), 302);
    })
    .await;
}

#[tokio::test]
async fn the_page_is_as_the_others_of_the_account() {
    let (_database, auth, _) = site(|_| ()).await;
    person(&auth, "ann", NOBODY).await;
    let mut here = visitor(&auth, "ann", FIREFOX).await;
    let page = here.get(PAGE).await;
    assert!(page.header("cache-control").contains("no-store"));
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert!(
        !page.shows(" style=") && !page.shows("<script"),
        "{}",
        page.text
    );
    let slash = here.get("/accounts/sessions").await;
    assert_eq!((slash.status(), slash.location()), (301, PAGE));
    assert_eq!(here.post(PAGE, &[("end", "x")]).await.status(), 400);
    // A look at the head alone leaves the message.
    visitor(&auth, "ann", FIREFOX).await;
    here.post(PAGE, &[("end_others", "1")]).await;
    assert_eq!(here.send("HEAD", PAGE, None).await.status(), 200);
    assert!(here.get(PAGE).await.shows("1 session was ended."));
    let mut stranger = browser(&auth, FIREFOX);
    assert_eq!(stranger.get(PAGE).await.status(), 302);
    assert!(!stranger.get("/accounts/profile/").await.leads_to(PAGE));
}
