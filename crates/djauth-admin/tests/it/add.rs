//! The pages that add users and groups.

use crate::change::{form_of, log, send, with};
use crate::support::{Kind, on_each_site, person};

#[tokio::test]
async fn a_user_can_be_added_without_a_password() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let fields = [("username", "nora"), ("usable_password", "false")];
        let answer = browser.post("/admin/auth/user/add/", &fields).await;
        assert_eq!(answer.status(), 302, "{}", answer.text);
        let nora = auth.users().get_by_natural_key("nora").await;
        let nora = nora.expect("is read").expect("is there");
        assert!(!nora.base.has_usable_password());
        let path = format!("/admin/auth/user/{}/change/", nora.id);
        assert_eq!(answer.location(), path);
        let page = browser.get(answer.location()).await;
        assert!(
            page.shows("message success") && page.leads_to(&path),
            "{}",
            page.text
        );
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_and_kept_in_the_form() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let path = "/admin/auth/user/add/?username=pre";
        let page = browser.get(path).await;
        assert!(page.shows("value=\"pre\""), "{}", page.text);
        let form = with(&form_of(&page), "username", "ADA");
        let form = with(&form, "usable_password", "false");
        let answer = send(&mut browser, path, &form).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.shows("taken already") && answer.shows("value=\"ADA\""));
        assert_eq!(log(auth).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_group_is_added_with_its_permissions() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", Kind::SUPERUSER).await;
        browser.enter("ada").await;
        let page = browser.get("/admin/auth/group/add/?permissions=1,2").await;
        let form = with(&form_of(&page), "name", "editors");
        let chosen = form.iter().filter(|(name, _)| name == "permissions");
        assert_eq!(chosen.count(), 2, "{}", page.text);
        assert!(
            page.shows("<optgroup label=\"auth | group\">"),
            "{}",
            page.text
        );
        let form = with(&form, "_save", "1");
        let answer = send(&mut browser, "/admin/auth/group/add/", &form).await;
        assert_eq!(answer.location(), "/admin/auth/group/");
        let group = auth.groups().get_by_natural_key("editors").await;
        let group = group.expect("is read").expect("is there");
        let ids = auth.groups().permissions(&group).ids().await;
        assert_eq!(ids.expect("are read"), [1, 2]);
        let again = send(&mut browser, "/admin/auth/group/add/", &form).await;
        assert_eq!(again.status(), 200);
        assert!(again.shows("taken already"));
        let index = browser.get("/admin/").await;
        assert!(index.leads_to(&format!("/admin/auth/group/{}/change/", group.id)));
    })
    .await;
}
