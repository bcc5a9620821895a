use proc_macro2::TokenStream;
use quote::quote;

use super::base_user;

/// The refusal's text and the source text it points at.
fn refusal(input: &TokenStream) -> (String, String) {
    // Through text, so that spans know their source.
    let input = syn::parse_str(&input.to_string()).expect("a struct");
    let error = base_user(&input).expect_err("must be refused");
    (
        error.to_string(),
        error.span().source_text().unwrap_or_default(),
    )
}

#[test]
fn a_model_needs_an_application() {
    let (text, at) =
        refusal(&quote! { struct Account { id: i32, base: AbstractBaseUser, username: String } });
    assert!(text.contains("app_label"), "{text}");
    assert_eq!(at, "Account");
}

#[test]
fn a_wrong_username_field_is_refused_at_its_literal() {
    let (text, at) = refusal(&quote! {
        #[django(app_label = "accounts", USERNAME_FIELD = "mail")]
        struct Account { id: i32, base: AbstractBaseUser, email: String }
    });
    assert!(
        text.contains("no field `mail`") && text.contains("id, email"),
        "{text}"
    );
    assert_eq!(at, "\"mail\"");
}

#[test]
fn a_wrong_required_field_is_refused_at_its_literal() {
    let (_, at) = refusal(&quote! {
        #[django(app_label = "accounts", USERNAME_FIELD = "email", REQUIRED_FIELDS("email", "nmae"))]
        struct Account { id: i32, base: AbstractBaseUser, email: String, name: String }
    });
    assert_eq!(at, "\"nmae\"");
}

#[test]
fn an_unknown_attribute_is_refused_where_it_stands() {
    let (text, at) = refusal(&quote! {
        #[django(app_label = "accounts", USERNAME = "email")]
        struct Account { id: i32, base: AbstractBaseUser, email: String }
    });
    assert!(text.contains("USERNAME_FIELD"), "{text}");
    assert_eq!(at, "USERNAME");
    let (_, at) = refusal(&quote! {
        #[django(app_label = "accounts")]
        struct Account { id: i32, base: AbstractBaseUser, #[django(uniqe)] username: String }
    });
    assert_eq!(at, "uniqe");
}

#[test]
fn an_attribute_is_given_once() {
    let (text, at) = refusal(&quote! {
        #[django(app_label = "a", app_label = "b")]
        struct Account { id: i32, base: AbstractBaseUser, username: String }
    });
    assert_eq!(
        (text.as_str(), at.as_str()),
        ("given twice", "app_label = \"b\"")
    );
}

#[test]
fn key_password_and_login_field_must_exist() {
    for (input, wanted) in [
        (
            quote! { #[django(app_label = "a")] struct A { base: AbstractBaseUser, username: String } },
            "no key",
        ),
        (
            quote! { #[django(app_label = "a")] struct A { id: i32, username: String } },
            "no password",
        ),
        (
            quote! { #[django(app_label = "a")] struct A { id: i32, base: AbstractBaseUser } },
            "no field `username`",
        ),
    ] {
        let (text, at) = refusal(&input);
        assert!(text.contains(wanted), "{text}");
        assert_eq!(at, "A");
    }
}

#[test]
fn only_plain_structs_are_models() {
    for input in [
        quote! { #[django(app_label = "a")] struct A(i32); },
        quote! { #[django(app_label = "a")] enum A { B } },
        quote! { #[django(app_label = "a")] struct A<T> { id: T } },
    ] {
        refusal(&input);
    }
}

#[test]
fn the_table_gets_the_names_that_were_given() {
    let input = syn::parse_str(
        "#[django(app_label = \"crm\", db_table = \"people\", EMAIL_FIELD = \"address\", USERNAME_FIELD = \"address\")]
         struct Person { #[django(primary_key)] uuid: Uuid, base: AbstractBaseUser,
         #[django(max_length = 80, unique, column = \"mail\")] address: String }",
    )
    .expect("a struct");
    let code = base_user(&input).expect("a model").to_string();
    for wanted in [
        "const MODEL_NAME : & 'static str = \"person\"",
        "Some (\"people\")",
        "const ID_COLUMN : & 'static str = \"uuid\"",
        "row . get (\"address\")",
        ". column (\"mail\") . max_length (80) . unique (true) . null (false) . blank (false)",
    ] {
        assert!(code.contains(wanted), "{wanted} in {code}");
    }
}

#[test]
fn a_marked_field_answers_for_a_flag() {
    let code = |fields: &str| {
        let text = format!(
            "#[django(app_label = \"a\")] struct A {{ id: i32, base: AbstractBaseUser, username: String, {fields} }}"
        );
        let input = syn::parse_str(&text).expect("a struct");
        base_user(&input).expect("a model").to_string()
    };
    let marked = code("is_staff: bool, #[django(is_staff)] is_admin: bool");
    assert!(
        marked.contains("fn is_staff (& self) -> bool { self . is_admin }"),
        "{marked}"
    );
    assert!(
        marked.contains("IS_STAFF : & 'static str = \"is_admin\""),
        "{marked}"
    );
    assert_eq!(marked.matches("fn is_staff").count(), 1);
    assert!(code("is_active: bool").contains("fn is_active (& self) -> bool { self . is_active }"));
    assert!(!code("").contains("fn is_staff"));
}
