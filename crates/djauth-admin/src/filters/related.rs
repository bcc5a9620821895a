//! By a relation.

use djauth::i18n::field_name;

use super::{Choice, Filter, Scene};
use crate::model::{FieldSpec, Made, Relation, capfirst};

/// What stands in `list_filter` for a panel of the groups' names instead of their keys.
pub(crate) const GROUP_NAMES: &str = "groups__name";

pub(super) fn filter<'a>(
    scene: &'a Scene<'a>,
    field: &'a FieldSpec,
    relation: Relation,
) -> Made<'a, Option<Filter>> {
    Box::pin(async move {
        let rows = scene.model.listed.choices(relation).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let (exact, isnull) = (
            format!("{}__id__exact", field.name),
            format!("{}__isnull", field.name),
        );
        let mut choices = vec![Choice::new(scene.t("admin_list.all"), &[])];
        let row = |(key, name): (i32, String)| Choice::new(name, &[(&exact, &key.to_string())]);
        choices.extend(rows.into_iter().map(row));
        choices.push(Choice::new(
            scene.t("admin_list.none"),
            &[(&isnull, "True")],
        ));
        Ok(Some(Filter {
            title: scene.title(field),
            own: vec![exact, isnull],
            choices,
        }))
    })
}

/// Every name that a group has, as Django's `AllValuesFieldListFilter` of the other table.
pub(super) fn names<'a>(scene: &'a Scene<'a>) -> Made<'a, Option<Filter>> {
    Box::pin(async move {
        let groups = scene.model.listed.choices(Relation::Groups).await?;
        let mut choices = vec![Choice::new(scene.t("admin_list.all"), &[])];
        let choice = |(_, name): (i32, String)| Choice::new(&*name, &[(GROUP_NAMES, &name)]);
        choices.extend(groups.into_iter().map(choice));
        Ok((choices.len() > 1).then(|| Filter {
            title: capfirst(&field_name(scene.language, "name")),
            own: vec![GROUP_NAMES.to_owned()],
            choices,
        }))
    })
}
