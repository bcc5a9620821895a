//! Templates of a site's own in the place of ours.

use crate::support::{Kind, person, site};

#[tokio::test]
async fn a_folder_takes_the_place_of_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let admin = folder.path().join("admin/auth");
    std::fs::create_dir_all(&admin).unwrap();
    let text = "{% extends \"admin/base_site.html\" %}{% block content %}own {{ app_label }}{% endblock %}";
    std::fs::write(admin.join("app_index.html"), text).unwrap();
    let dirs = vec![folder.path().to_owned()];
    let (_database, auth, mut browser) = site(|settings| settings.template_dirs = dirs).await;
    person(&auth, "ada", Kind::SUPERUSER).await;
    browser.enter("ada").await;
    let page = browser.get("/admin/auth/").await;
    assert!(
        page.shows("own auth") && page.shows("<bdi>ada</bdi>"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn pages_are_in_the_language_of_their_reader() {
    let (_database, auth, mut browser) = site(|_| ()).await;
    person(&auth, "ada", Kind::STAFF).await;
    browser
        .headers
        .insert("accept-language", "ar".parse().unwrap());
    let page = browser.get("/admin/login/").await;
    assert!(page.shows("<html lang=\"ar\" dir=\"rtl\">"));
    assert_eq!(page.header("content-language"), "ar");
}
