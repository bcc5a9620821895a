//! The templates, under Django's names.

use djauth::templates::TemplateSet;

macro_rules! built_in {
    ($($name:literal,)+) => {
        &[$((
            concat!("admin/", $name),
            include_str!(concat!("../templates/admin/", $name)),
        ),)+]
    };
}

/// Each is found as `admin/<name>`, after those of `TEMPLATE_DIRS`.
pub(crate) static BUILT_IN: TemplateSet = built_in![
    "base.html",
    "base_site.html",
    "app_index.html",
    "app_list.html",
    "includes/messages.html",
    "index.html",
    "invalid_setup.html",
    "logged_out.html",
    "login.html",
    "password_change_done.html",
    "password_change_form.html",
    // Lists.
    "actions.html",
    "change_list.html",
    "change_list_results.html",
    "delete_selected_confirmation.html",
    "filter.html",
    "pagination.html",
    "search_form.html",
    // Forms, deletion, history.
    "auth/user/add_form.html",
    "auth/user/change_password.html",
    "change_form.html",
    "delete_confirmation.html",
    "includes/breadcrumbs.html",
    "includes/field.html",
    "includes/fieldset.html",
    "includes/object_delete_summary.html",
    "includes/picker.html",
    "object_history.html",
    "popup_response.html",
    "submit_line.html",
    // Beyond Django.
    "effective_permissions.html",
    "includes/reasons.html",
    "log.html",
    "permission_holders.html",
    "permission_list.html",
    "user_sessions.html",
];

/// The pages about one's own account, found under these names.
pub(crate) static ACCOUNT: TemplateSet = &[(
    "account/sessions.html",
    include_str!("../templates/account/sessions.html"),
)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_inline() {
        for (name, text) in BUILT_IN.iter().chain(ACCOUNT) {
            let attributes = text.split_whitespace().filter(|word| word.contains('='));
            let mut inline =
                attributes.filter(|word| word.starts_with("on") || word.starts_with("style="));
            assert_eq!(inline.next(), None, "{name}");
            let bare: String = text.split_whitespace().collect();
            for word in ["<style", "|safe", "autoescape", "javascript:", "srcdoc"] {
                assert!(!bare.contains(word), "{name}: {word}");
            }
            for script in text.split("<script").skip(1) {
                assert!(
                    script.contains(" src=") && script.contains("></script>"),
                    "{name}"
                );
            }
        }
    }
}
