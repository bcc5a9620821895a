use std::collections::HashMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use uuid::Uuid;

use super::{BaseUser, Columns, UserId, normalize_email, normalize_username};
use crate::db::Value;
use crate::models::User;

#[test]
fn keys_are_read_as_django_reads_them() {
    assert_eq!(i32::parse(" 7 "), Some(7));
    assert_eq!(i32::parse("2147483648"), None);
    assert_eq!(i64::parse("2147483648"), Some(2_147_483_648));
    assert_eq!(i32::parse("7.0"), None);
    let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    for text in [id.hyphenated().to_string(), id.simple().to_string()] {
        assert_eq!(<Uuid as UserId>::parse(&text), Some(id));
    }
    assert_eq!(<Uuid as UserId>::parse("é"), None);
}

#[test]
fn a_new_user_is_active_and_unsaved() {
    let user = User::default();
    assert!(user.is_active && !user.is_staff && !user.is_superuser());
    assert_eq!(user.pk(), None);
    assert_eq!(User::label(), "auth.user");
    assert_eq!(User::db_table(), "auth_user");
}

#[test]
fn a_user_is_made_of_given_values() {
    let values = HashMap::from([("username".to_owned(), Value::from("alice"))]);
    let user = User::read(&mut Columns::map(&values)).expect("values of the right types");
    assert_eq!((user.username.as_str(), user.is_active), ("alice", true));
    let values = HashMap::from([("username".to_owned(), Value::Int(1))]);
    let error = User::read(&mut Columns::map(&values)).expect_err("a number is no name");
    assert!(error.to_string().contains("username"), "{error}");
}

#[test]
fn names_are_joined_and_trimmed() {
    let mut user = User::default();
    assert_eq!(user.get_full_name(), "");
    user.last_name = "Other".to_owned();
    assert_eq!(user.get_full_name(), "Other");
    user.first_name = "Ann".to_owned();
    assert_eq!(
        (user.get_full_name().as_str(), user.get_short_name()),
        ("Ann Other", "Ann")
    );
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(text in any::<String>()) {
        let once = normalize_username(&text);
        prop_assert_eq!(normalize_username(&once), once);
        let once = normalize_email(&text);
        prop_assert_eq!(once.contains('@'), text.contains('@'));
    }

    #[test]
    fn keys_of_any_text_do_not_panic(text in any::<String>()) {
        i32::parse(&text);
        i64::parse(&text);
        <Uuid as UserId>::parse(&text);
    }
}

/// A described model says nothing by its constants: code for any user model asks `UserMeta`.
#[test]
fn generic_code_asks_the_meta_and_not_the_constants() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = root.join("src/base_user");
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    // The program's own are there in the workspace.
    let program = root.join("../djauth-server/src");
    if program.is_dir() {
        rust_files(&program, &mut files);
    }
    let (inside, outside): (Vec<_>, Vec<_>) = files.iter().partition(|path| path.starts_with(&own));
    assert!(inside.iter().any(|path| !asked(path).is_empty()));
    let wrong: Vec<_> = outside.iter().flat_map(|path| asked(path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The lines that ask a type parameter for what its struct says.
fn asked(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let asks = |line: &&str| {
        let code = !line.trim_start().starts_with("//");
        let constant = |rest: &str| {
            let mut letters = rest.chars();
            letters.next().is_some_and(|c| c.is_ascii_uppercase())
                && letters
                    .next()
                    .is_some_and(|c| c.is_ascii_uppercase() || c == '_')
        };
        let asks = |rest: &str| {
            constant(rest) || rest.starts_with("db_table(") || rest.starts_with("label(")
        };
        code && (line.contains("declared::<U>") || line.split("U::").skip(1).any(asks))
    };
    let lines = text.lines().filter(asks);
    lines
        .map(|line| format!("{}: {}", path.display(), line.trim()))
        .collect()
}
