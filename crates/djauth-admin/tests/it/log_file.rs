//! The log of logins and changes as a file.

use std::collections::BTreeSet;

use axum::body::Bytes;
use futures_util::StreamExt;

use crate::log::{READER, VISIT, Visit, add_change, add_visit, rows, run};
use crate::support::{on_each_site, person};

/// Names that would run, break out of their cell or turn the text around.
#[tokio::test]
async fn hostile_names_do_nothing_in_page_and_file() {
    on_each_site(async |auth, mut browser| {
        let ada = person(auth, "ada", READER).await;
        browser.enter("ada").await;
        let names = [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\t=1", "'\t'=1"),
            ("a;=cmd|@x", "a;'=cmd|'@x"),
            ("a\r\n=1", "a\r\n'=1"),
            ("a, \"+1", "a, \"'+1"),
            ("a\"b,c\r\nd", "a\"b,c\r\nd"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("\u{202e}gnp.exe", "\u{202e}gnp.exe"),
            ("👩‍👩‍👧", "👩‍👩‍👧"),
        ];
        for (name, _) in names {
            add_visit(
                auth,
                true,
                Visit {
                    name,
                    agent: name,
                    ..VISIT
                },
            )
            .await;
            add_change(auth, ada.id, (name, name), 2, VISIT.at).await;
        }
        let page = browser.get("/admin/log/").await;
        assert!(
            !page.shows("<script>alert") && page.shows("&lt;script&gt;alert"),
            "{}",
            page.text
        );
        assert!(page.shows("<bdi>\u{202e}gnp.exe</bdi>"));
        let file = browser.get("/admin/log/export/").await.text;
        let found = rows(&file);
        let cells: BTreeSet<&str> = found.iter().flatten().map(String::as_str).collect();
        for (name, marked) in names {
            assert!(cells.contains(marked), "{name:?}");
        }
        let formula = |cell: &&str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        assert_eq!(cells.iter().copied().find(formula), None);
        // However a spreadsheet splits it, and whatever it makes of the quotes.
        let pieces = file.split([',', ';', '|', '\t', '\r', '\n']);
        let mut pieces = pieces.map(|piece| piece.trim_start_matches(['"', ' ']));
        assert_eq!(pieces.find(|piece| formula(piece)), None);
        assert!(found.iter().all(|row| row.len() == 12));
    })
    .await;
}

/// Ends of lines in a part of a body.
fn lines(part: Option<Result<Bytes, axum::Error>>) -> usize {
    let part = part.expect("a part").expect("comes");
    part.iter().filter(|byte| **byte == b'\n').count()
}

/// The file comes in parts as it is read, each of them small, and whoever goes away ends it.
#[tokio::test]
async fn a_file_is_never_in_memory_as_a_whole() {
    on_each_site(async |auth, mut browser| {
        person(auth, "ada", READER).await;
        browser.enter("ada").await;
        for n in 0..10 {
            let name = format!("name-{n}");
            add_visit(auth, true, Visit { name: &name, ..VISIT }).await;
        }
        let columns = "user_agent, username, http_accept, path_info, attempt_time, ip_address, locked_out";
        for _ in 0..9 {
            run(auth, &format!("INSERT INTO axes_accessfailurelog ({columns}) SELECT {columns} FROM axes_accessfailurelog")).await;
        }
        let mut parts = browser.body("/admin/log/export/?kind=failure").await.into_data_stream();
        let (mut rows, mut largest, mut count) = (0, 0, 0);
        while let Some(part) = parts.next().await {
            let part = part.expect("comes");
            largest = largest.max(part.len());
            rows += lines(Some(Ok(part)));
            count += 1;
        }
        assert_eq!(rows, 5120 + 1);
        assert!(count > 10 && largest < 100_000, "{count} parts, {largest} bytes");
        let mut parts = browser.body("/admin/log/export/?kind=failure").await.into_data_stream();
        let mut rows = lines(parts.next().await);
        run(auth, "DELETE FROM axes_accessfailurelog").await;
        while let Some(part) = parts.next().await {
            rows += lines(Some(part));
        }
        assert!((1..=1501).contains(&rows), "{rows} rows: nobody asked for them");
    })
    .await;
}
