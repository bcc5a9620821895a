//! Lookups of addresses, `field__lookup=value`, as conditions: `prepare_lookup_value` of
//! `django/contrib/admin/utils.py`, and what Django's fields make of a text.
//!
//! Whatever is no field, no lookup or no value of it is [`Incorrect`]; values are always bound.

use chrono::{DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use djauth::base_user::FieldKind;
use djauth::models::Q;
use djauth_db::Value;
use uuid::Uuid;

use crate::model::{FieldSpec, ModelInfo, Relation};

/// The address asks for what there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incorrect;

type Read<T> = Result<T, Incorrect>;

/// Rows for which the lookup has any of these values.
pub(crate) fn parse(info: &ModelInfo, zone: Tz, lookup: &str, values: &[String]) -> Read<Q> {
    let (name, rest) = lookup.split_once("__").unwrap_or((lookup, ""));
    let name = if name == "pk" { &info.pk } else { name };
    let field = info.field(name).ok_or(Incorrect)?;
    let parsed = values.iter().map(|value| match field.relation {
        Some(relation) => of_relation(relation, rest, value),
        None => of_column(field, zone, rest, value),
    });
    let mut parsed = parsed.collect::<Read<Vec<Q>>>()?;
    match parsed.len() {
        1 => parsed.pop().ok_or(Incorrect),
        _ => Ok(Q::any_of(parsed)),
    }
}

/// The relation and the key, if the lookup asks for just one.
pub(crate) fn driver(info: &ModelInfo, lookup: &str, values: &[String]) -> Option<(Relation, i32)> {
    let (name, rest) = lookup.split_once("__").unwrap_or((lookup, ""));
    let relation = info.field(name)?.relation?;
    let [value] = values else { return None };
    let key = value.trim().parse().ok()?;
    (key_lookup(rest) == Some("exact")).then_some((relation, key))
}

/// The lookup behind the key of a relation.
fn key_lookup(rest: &str) -> Option<&str> {
    let rest = match rest.split_once("__") {
        Some(("id" | "pk", rest)) => rest,
        None if matches!(rest, "id" | "pk" | "") => "exact",
        _ => rest,
    };
    matches!(rest, "exact" | "in" | "isnull").then_some(rest)
}

fn of_relation(relation: Relation, rest: &str, value: &str) -> Read<Q> {
    let name = relation.name();
    if let ("name", lookup) = rest.split_once("__").unwrap_or((rest, "")) {
        return by_name(relation, lookup, value);
    }
    match key_lookup(rest).ok_or(Incorrect)? {
        "isnull" if is_true(value) => Ok(!Q::has_any(name)),
        "isnull" => Ok(Q::has_any(name)),
        "in" => {
            let keys = value.split(',').map(key).collect::<Read<Vec<_>>>()?;
            Ok(Q::linked(name, keys.into_iter().flatten()))
        }
        _ => Ok(Q::linked(name, key(value)?)),
    }
}

/// `groups__name`.
fn by_name(relation: Relation, lookup: &str, value: &str) -> Read<Q> {
    match (relation, lookup) {
        (Relation::Groups, "" | "exact") => Ok(Q::in_group_named([value.to_owned()])),
        (Relation::Groups, "in") => Ok(Q::in_group_named(value.split(',').map(str::to_owned))),
        (Relation::Groups, "isnull") => of_relation(relation, "isnull", value),
        _ => Err(Incorrect),
    }
}

/// A number that no key can be is the key of nothing.
fn key(text: &str) -> Read<Option<i32>> {
    let number: i64 = text.trim().parse().map_err(|_| Incorrect)?;
    Ok(i32::try_from(number).ok())
}

/// Django's reading of `isnull`.
pub(crate) fn is_true(text: &str) -> bool {
    !matches!(text.to_lowercase().as_str(), "" | "false" | "0")
}

fn of_column(field: &FieldSpec, zone: Tz, rest: &str, text: &str) -> Read<Q> {
    let name = field.name.as_str();
    match rest {
        "isnull" => Ok(Q::isnull(name, is_true(text))),
        "in" => {
            let values = text.split(',').map(|text| value(field, zone, text));
            let values = values.collect::<Read<Vec<_>>>()?;
            Ok(Q::in_(
                name,
                values.into_iter().filter(|value| fits(field, value)),
            ))
        }
        "year" if field.kind == FieldKind::DateTime => year(name, zone, text),
        "" | "exact" | "gt" | "gte" | "lt" | "lte" => compared(field, zone, rest, text),
        _ if field.kind == FieldKind::Text => of_text(name, rest, text),
        _ => Err(Incorrect),
    }
}

fn compared(field: &FieldSpec, zone: Tz, lookup: &str, text: &str) -> Read<Q> {
    let name = field.name.as_str();
    let value = value(field, zone, text)?;
    if !fits(field, &value) {
        let is_large = matches!(value, Value::Int(number) if number > 0);
        let all = (is_large && lookup.starts_with('l')) || (!is_large && lookup.starts_with('g'));
        return Ok(if all { Q::all_of([]) } else { Q::any_of([]) });
    }
    Ok(match lookup {
        "gt" => Q::gt(name, value),
        "gte" => Q::gte(name, value),
        "lt" => Q::lt(name, value),
        "lte" => Q::lte(name, value),
        _ => Q::eq(name, value),
    })
}

/// Whether the column can hold the number; PostgreSQL refuses to compare it with any other.
fn fits(field: &FieldSpec, value: &Value<'static>) -> bool {
    match value {
        Value::Int(number) if field.kind == FieldKind::Int32 => i32::try_from(*number).is_ok(),
        _ => true,
    }
}

fn of_text(name: &str, lookup: &str, text: &str) -> Read<Q> {
    Ok(match lookup {
        "iexact" => Q::iexact(name, text),
        "contains" => Q::contains(name, text),
        "icontains" => Q::icontains(name, text),
        "startswith" => Q::startswith(name, text),
        "istartswith" => Q::istartswith(name, text),
        "endswith" => Q::endswith(name, text),
        "iendswith" => Q::iendswith(name, text),
        _ => return Err(Incorrect),
    })
}

/// What a field makes of a text.
pub(crate) fn value(field: &FieldSpec, zone: Tz, text: &str) -> Read<Value<'static>> {
    match field.kind {
        FieldKind::Text => Ok(text.to_owned().into()),
        FieldKind::Bool => boolean(text).map(Value::from).ok_or(Incorrect),
        FieldKind::Int32 | FieldKind::Int64 => {
            let number = text.trim().parse::<i64>();
            number.map(Value::from).map_err(|_| Incorrect)
        }
        FieldKind::Real => {
            let number = text.trim().parse::<f64>().map_err(|_| Incorrect)?;
            number.is_finite().then(|| number.into()).ok_or(Incorrect)
        }
        FieldKind::Uuid => Uuid::try_parse(text.trim())
            .map(Value::from)
            .map_err(|_| Incorrect),
        FieldKind::DateTime => moment(text, zone).map(Value::from).ok_or(Incorrect),
        _ => Err(Incorrect),
    }
}

/// Django's reading of a boolean.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "True" | "1" | "t" => Some(true),
        "False" | "0" | "f" => Some(false),
        _ => None,
    }
}

const FORMATS: [&str; 4] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
];

/// A moment; without an offset it is in the zone, and a date alone is its midnight.
fn moment(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Some(moment) = with_offset(text) {
        return Some(moment).filter(is_storable);
    }
    let naive = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
    let midnight = || {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    let moment = FORMATS.iter().find_map(naive).or_else(midnight)?;
    in_zone(moment, zone).filter(is_storable)
}

fn with_offset(text: &str) -> Option<DateTime<Utc>> {
    // In an address a `+` that nobody quoted is a blank.
    let text = match text.rsplit_once(' ') {
        Some((moment, offset)) if moment.contains([' ', 'T']) && offset.contains(':') => {
            format!("{moment}+{offset}")
        }
        _ => text.to_owned(),
    };
    let found = DateTime::parse_from_rfc3339(&text).ok();
    found.map(|moment| moment.to_utc())
}

/// Years that every database knows.
fn is_storable(moment: &DateTime<Utc>) -> bool {
    (1..=9999).contains(&moment.year())
}

/// The moment at which the clocks of a zone show this; the first of two, and of none the one after the gap.
pub(crate) fn in_zone(naive: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&naive) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment.to_utc()),
        LocalResult::None => Some(naive.and_utc()),
    }
}

fn year(name: &str, zone: Tz, text: &str) -> Read<Q> {
    let year: i32 = text.trim().parse().map_err(|_| Incorrect)?;
    let begin = |year: i32| {
        let day = NaiveDate::from_ymd_opt(year, 1, 1).filter(|_| (1..=9999).contains(&year));
        day.and_then(|day| in_zone(day.and_hms_opt(0, 0, 0)?, zone))
    };
    let (from, to) = begin(year)
        .zip(year.checked_add(1).and_then(begin))
        .ok_or(Incorrect)?;
    Ok(Q::gte(name, from).and(Q::lt(name, to)))
}
