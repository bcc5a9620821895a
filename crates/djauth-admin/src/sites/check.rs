//! Whether the data of the admins names fields that exist; the numbers are Django's.

use djauth::{BaseUser, Error};

use super::AdminSite;
use crate::model::{ModelInfo, Options, Set};

/// The first mistake, if there is one.
pub(super) fn check<U: BaseUser>(site: &AdminSite<U>) -> Result<(), Error> {
    for (info, options) in site.described() {
        // A model that was written by hand does not say what its columns are.
        if info.fields.iter().any(|field| field.relation.is_none()) {
            check_model(&info, &options)?;
        }
    }
    Ok(())
}

fn check_model(info: &ModelInfo, options: &Options) -> Result<(), Error> {
    let is_column = |name: &str| {
        let computed = options.computed.iter().any(|(known, _)| *known == name);
        name == "__str__" || computed || is_field(info, name)
    };
    let linked = |name: &str| options.list_display.iter().any(|known| known == name);
    let is_relation = |name: &str| info.field(name).is_some_and(|f| f.relation.is_some());
    let places: [(&str, &str, &[String], &dyn Fn(&str) -> bool); 6] = [
        (
            "list_display",
            "admin.E108",
            &options.list_display,
            &is_column,
        ),
        (
            "list_display_links",
            "admin.E111",
            &options.list_display_links,
            &linked,
        ),
        ("list_filter", "admin.E116", &options.list_filter, &|name| {
            is_field(info, name)
        }),
        ("ordering", "admin.E033", &options.ordering, &|name| {
            is_order(info, name)
        }),
        (
            "readonly_fields",
            "admin.E035",
            &options.readonly_fields,
            &|name| is_in_form(info, name),
        ),
        (
            "filter_horizontal",
            "admin.E019",
            &options.filter_horizontal,
            &is_relation,
        ),
    ];
    for (place, number, names, is_right) in places {
        all_right(info, place, number, names, is_right)?;
    }
    let searched = |name: &str| is_searched(info, name);
    all_right(
        info,
        "search_fields",
        "admin.E126",
        &options.search_fields,
        &searched,
    )?;
    check_sets(info, &options.fieldsets)
}

fn check_sets(info: &ModelInfo, sets: &[Set]) -> Result<(), Error> {
    sets.iter().try_for_each(|set| {
        let is_right = |name: &str| is_in_form(info, name);
        all_right(info, "fieldsets", "admin.E012", &set.fields, &is_right)
    })
}

fn all_right(
    info: &ModelInfo,
    place: &str,
    number: &str,
    names: &[String],
    is_right: &dyn Fn(&str) -> bool,
) -> Result<(), Error> {
    let Some(wrong) = names.iter().find(|name| !is_right(name)) else {
        return Ok(());
    };
    let (app, model) = (&info.app_label, &info.object_name);
    Err(Error::improperly_configured(format!(
        "{place} of the admin of {app}.{model} names {wrong:?}, which does not exist there ({number})"
    )))
}

fn is_field(info: &ModelInfo, name: &str) -> bool {
    name == "pk" || info.field(name).is_some()
}

fn is_in_form(info: &ModelInfo, name: &str) -> bool {
    name == "password" || is_field(info, name)
}

fn is_order(info: &ModelInfo, name: &str) -> bool {
    is_field(info, name.strip_prefix('-').unwrap_or(name))
}

/// `^name`, `=name`, `@name`, `name__lookup`.
fn is_searched(info: &ModelInfo, name: &str) -> bool {
    let name = name.trim_start_matches(['^', '=', '@']);
    is_field(info, name.split("__").next().unwrap_or_default())
}
