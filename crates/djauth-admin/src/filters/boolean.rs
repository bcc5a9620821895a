//! Yes or no.

use super::{Choice, Filter, Scene};
use crate::model::FieldSpec;

pub(super) fn filter(scene: &Scene<'_>, field: &FieldSpec) -> Filter {
    let (exact, isnull) = (
        format!("{}__exact", field.name),
        format!("{}__isnull", field.name),
    );
    let mut choices = vec![
        Choice::new(scene.t("admin_list.all"), &[]),
        Choice::new(scene.t("admin_list.yes"), &[(&exact, "1")]),
        Choice::new(scene.t("admin_list.no"), &[(&exact, "0")]),
    ];
    if field.null {
        choices.push(Choice::new(
            scene.t("admin_list.unknown"),
            &[(&isnull, "True")],
        ));
    }
    Filter {
        title: scene.title(field),
        own: vec![exact, isnull],
        choices,
    }
}
