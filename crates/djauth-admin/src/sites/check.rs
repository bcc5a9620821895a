//! Whether the data of the admins names fields that exist; the numbers are Django's.

use djauth::{BaseUser, Error, Settings};

use super::AdminSite;
use crate::filters::related::GROUP_NAMES;
use crate::model::{ModelInfo, Options, Relation, Set};

/// The first mistake, if there is one.
pub(super) fn check<U: BaseUser>(site: &AdminSite<U>) -> Result<(), Error> {
    check_place(site)?;
    for (info, options) in site.described() {
        // A model that was written by hand does not say what its columns are.
        if info.fields.iter().any(|field| field.relation.is_none()) {
            check_model(&info, &options)?;
        }
    }
    Ok(())
}

/// The rule of `ADMIN_URL`, for a place that [`AdminSite::at`] named.
fn check_place<U: BaseUser>(site: &AdminSite<U>) -> Result<(), Error> {
    let mut settings = Settings::clone(site.auth.settings());
    settings.admin_url = site.prefix.trim_start_matches('/').to_owned();
    settings.validate().map_err(|error| {
        let place = &site.prefix;
        Error::improperly_configured(format!("the admin cannot be at {place:?}: {error}"))
    })
}

/// Names that stand somewhere, with Django's number of the check.
struct Place<'a> {
    info: &'a ModelInfo,
    name: &'static str,
    number: &'static str,
    names: &'a [String],
}

impl<'a> Place<'a> {
    fn of(
        info: &'a ModelInfo,
        name: &'static str,
        number: &'static str,
        names: &'a [String],
    ) -> Self {
        Self {
            info,
            name,
            number,
            names,
        }
    }

    fn check(&self, is_right: impl Fn(&str) -> bool) -> Result<(), Error> {
        let Some(wrong) = self.names.iter().find(|name| !is_right(name)) else {
            return Ok(());
        };
        let (app, model) = (&self.info.app_label, &self.info.object_name);
        let (name, number) = (self.name, self.number);
        Err(Error::improperly_configured(format!(
            "{name} of the admin of {app}.{model} names {wrong:?}, which cannot stand there ({number})"
        )))
    }

    /// That none of the names is a relation, which is no one value.
    fn refuse_relations(&self) -> Result<(), Error> {
        self.check(|name| !is_relation(self.info, field_of(name)))
    }
}

fn check_model(info: &ModelInfo, options: &Options) -> Result<(), Error> {
    check_list(info, options)?;
    let place = |name, number, names| Place::of(info, name, number, names);
    let in_form = |name: &str| is_in_form(info, name);
    place("readonly_fields", "admin.E035", &options.readonly_fields).check(in_form)?;
    place(
        "filter_horizontal",
        "admin.E020",
        &options.filter_horizontal,
    )
    .check(|name| is_relation(info, name))?;
    let check_set = |set: &Set| {
        let place = Place::of(info, "fieldsets", "admin.E012", &set.fields);
        place.check(in_form)
    };
    options.fieldsets.iter().try_for_each(check_set)
}

fn check_list(info: &ModelInfo, options: &Options) -> Result<(), Error> {
    let place = |name, number, names| Place::of(info, name, number, names);
    let is_column = |name: &str| {
        let computed = options.computed.iter().any(|(known, _)| *known == name);
        name == "__str__" || computed || is_field(info, name)
    };
    let is_shown = |name: &str| options.list_display.iter().any(|known| known == name);
    place("list_display", "admin.E108", &options.list_display).check(is_column)?;
    place("list_display", "admin.E109", &options.list_display).refuse_relations()?;
    place(
        "list_display_links",
        "admin.E111",
        &options.list_display_links,
    )
    .check(is_shown)?;
    place("list_filter", "admin.E116", &options.list_filter).check(|name| is_filter(info, name))?;
    place("ordering", "admin.E033", &options.ordering).check(|name| is_order(info, name))?;
    place("ordering", "admin.E033", &options.ordering).refuse_relations()?;
    let searched = place("search_fields", "admin.E126", &options.search_fields);
    searched.check(|name| is_field(info, field_of(name)))?;
    searched.refuse_relations()
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

fn is_relation(info: &ModelInfo, name: &str) -> bool {
    info.field(name)
        .is_some_and(|field| field.relation.is_some())
}

/// A field, or the names of the groups that users are in.
fn is_filter(info: &ModelInfo, name: &str) -> bool {
    let groups = || info.field("groups").and_then(|field| field.relation);
    is_field(info, name) || (name == GROUP_NAMES && groups() == Some(Relation::Groups))
}

/// `-name`, `^name`, `=name`, `@name`, `name__lookup`.
fn field_of(name: &str) -> &str {
    let name = name.trim_start_matches(['-', '^', '=', '@']);
    name.split("__").next().unwrap_or_default()
}
