//! `GroupAdmin`.

/// How groups are listed and changed; mirrors Django's `GroupAdmin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupAdmin {
    /// The fields that a search looks into.
    pub search_fields: Vec<&'static str>,
    /// The order of the list.
    pub ordering: Vec<&'static str>,
    /// The relations that are chosen in two panes side by side.
    pub filter_horizontal: Vec<&'static str>,
}

impl Default for GroupAdmin {
    fn default() -> Self {
        Self {
            search_fields: vec!["name"],
            ordering: vec!["name"],
            filter_horizontal: vec!["permissions"],
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
