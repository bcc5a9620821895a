//! When.

use chrono::{Datelike, Days, Months, NaiveDate, SecondsFormat};

use super::{Choice, Filter, Scene};
use crate::lookups::in_zone;
use crate::model::FieldSpec;

/// `None`: the calendar ends.
pub(super) fn filter(scene: &Scene<'_>, field: &FieldSpec) -> Option<Filter> {
    let [from, to, isnull] =
        ["gte", "lt", "isnull"].map(|lookup| format!("{}__{lookup}", field.name));
    let mut choices = vec![Choice::new(scene.t("admin_list.any_date"), &[])];
    for (key, first, end) in spans(scene.now.with_timezone(&scene.zone).date_naive())? {
        let (first, end) = (midnight(scene, first)?, midnight(scene, end)?);
        choices.push(Choice::new(scene.t(key), &[(&from, &first), (&to, &end)]));
    }
    if field.null {
        let (none, some) = (
            scene.t("admin_list.no_date"),
            scene.t("admin_list.has_date"),
        );
        choices.push(Choice::new(none, &[(&isnull, "True")]));
        choices.push(Choice::new(some, &[(&isnull, "False")]));
    }
    Some(Filter {
        title: scene.title(field),
        own: vec![from, to, isnull],
        choices,
    })
}

type Span = (&'static str, NaiveDate, NaiveDate);

/// From the first day to the one after the last.
fn spans(today: NaiveDate) -> Option<[Span; 4]> {
    let tomorrow = today.checked_add_days(Days::new(1))?;
    let week_ago = today.checked_sub_days(Days::new(7))?;
    let month = today.with_day(1)?;
    let next_month = month.checked_add_months(Months::new(1))?;
    let year = NaiveDate::from_ymd_opt(today.year(), 1, 1)?;
    let next_year = year.checked_add_months(Months::new(12))?;
    Some([
        ("admin_list.today", today, tomorrow),
        ("admin_list.past_7_days", week_ago, tomorrow),
        ("admin_list.this_month", month, next_month),
        ("admin_list.this_year", year, next_year),
    ])
}

fn midnight(scene: &Scene<'_>, day: NaiveDate) -> Option<String> {
    let moment = in_zone(day.and_hms_opt(0, 0, 0)?, scene.zone)?;
    Some(moment.to_rfc3339_opts(SecondsFormat::Secs, true))
}
