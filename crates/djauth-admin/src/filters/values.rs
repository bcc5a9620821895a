//! By every value that occurs.

use super::{Choice, Filter, Scene};
use crate::model::{FieldSpec, Made};

/// More than nobody looks through.
const MANY: u64 = 1_000;

pub(super) fn filter<'a>(scene: &'a Scene<'a>, field: &'a FieldSpec) -> Made<'a, Option<Filter>> {
    Box::pin(async move {
        let texts = scene.model.listed.texts(&field.name, MANY).await?;
        let (exact, isnull) = (field.name.clone(), format!("{}__isnull", field.name));
        let mut choices = vec![Choice::new(scene.t("admin_list.all"), &[])];
        let choice = |text: String| {
            let label = match text.as_str() {
                "" => scene.model.options.empty_value_display.clone(),
                text => text.to_owned(),
            };
            Choice::new(label, &[(&exact, &text)])
        };
        choices.extend(texts.into_iter().map(choice));
        if field.null {
            choices.push(Choice::new(
                scene.t("admin_list.no_value"),
                &[(&isnull, "True")],
            ));
        }
        let title = scene.title(field);
        let own = vec![exact, isnull];
        Ok((choices.len() > 1).then_some(Filter {
            title,
            own,
            choices,
        }))
    })
}
