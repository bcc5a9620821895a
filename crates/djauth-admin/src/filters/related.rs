//! By a relation.

use super::{Choice, Filter, Scene};
use crate::model::{FieldSpec, Made, Relation};

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
