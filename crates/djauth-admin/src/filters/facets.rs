//! How many rows each choice has.

use djauth::Error;
use djauth::models::Q;

use super::{Choice, Filter, Scene};
use crate::lookups;
use crate::model::Made;

/// Counts the rows of each choice, one statement for each filter: under all conditions of the list but the
/// filter's own.
pub(crate) fn count<'a>(
    scene: &'a Scene<'a>,
    filters: &'a mut [Filter],
    conditions: &'a [(String, Q)],
) -> Made<'a, ()> {
    Box::pin(async move {
        for filter in filters {
            let without = filter.without_own(conditions);
            let asked: Vec<_> = filter.choices.iter().map(|c| asked(scene, c)).collect();
            let counts = scene.model.listed.facets(&without, &asked).await?;
            for (choice, count) in filter.choices.iter_mut().zip(counts) {
                // "All" is no choice among others.
                choice.count = (!choice.set.is_empty()).then_some(count);
            }
        }
        Ok::<_, Error>(())
    })
}

fn asked(scene: &Scene<'_>, choice: &Choice) -> Q {
    let set = choice.set.iter().map(|(name, value)| {
        let values = std::slice::from_ref(value);
        lookups::parse(&scene.model.info, scene.zone, name, values)
    });
    Q::all_of(set.map(|condition| condition.unwrap_or_else(|_| Q::any_of([]))))
}
