//! `GroupAdmin`.

use super::Fieldset;

/// How groups are listed and changed; mirrors Django's `GroupAdmin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupAdmin {
    /// The columns of the list; `__str__` is the name.
    pub list_display: Vec<&'static str>,
    /// The columns that lead to the group; empty: the first one.
    pub list_display_links: Vec<&'static str>,
    /// What the list can be filtered by.
    pub list_filter: Vec<&'static str>,
    /// The fields that a search looks into.
    pub search_fields: Vec<&'static str>,
    /// The order of the list.
    pub ordering: Vec<&'static str>,
    /// What is said beside the search: a key of the catalogue, or words.
    pub search_help_text: Option<&'static str>,
    /// How many groups a page of the list has.
    pub list_per_page: u64,
    /// Up to how many the list can be shown as one page.
    pub list_max_show_all: u64,
    /// The relations that are chosen in two panes side by side.
    pub filter_horizontal: Vec<&'static str>,
    /// The fields of a group's page.
    pub fieldsets: Vec<Fieldset>,
    /// The fields that are shown and cannot be changed.
    pub readonly_fields: Vec<&'static str>,
    /// What stands where there is no value.
    pub empty_value_display: &'static str,
    /// How many of the objects that a deletion takes along are listed by name.
    pub delete_confirmation_max_display: u64,
}

impl Default for GroupAdmin {
    fn default() -> Self {
        Self {
            list_display: vec!["__str__"],
            list_display_links: Vec::new(),
            list_filter: Vec::new(),
            search_fields: vec!["name"],
            ordering: vec!["name"],
            search_help_text: None,
            list_per_page: 100,
            list_max_show_all: 200,
            filter_horizontal: vec!["permissions"],
            fieldsets: vec![Fieldset::new(None, &["name", "permissions"])],
            readonly_fields: Vec::new(),
            empty_value_display: "-",
            delete_confirmation_max_display: 100,
        }
    }
}

impl GroupAdmin {
    /// The relations to load together with the choices of a field: the text of a permission names its
    /// content type, which would otherwise be one query each.
    pub fn formfield_for_manytomany(&self, field: &str) -> &'static [&'static str] {
        match field {
            "permissions" => &["content_type"],
            _ => &[],
        }
    }
}
