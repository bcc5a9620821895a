//! Which filters an address may ask for: a visitor who may see the list must not be able to read other
//! fields out of it, letter by letter.

/// What a model's field leads to, as far as it matters which other table is read.
enum Leads {
    /// To another model.
    To(&'static [(&'static str, Leads)]),
    /// To the key of its model, which the relation itself holds.
    Key,
    /// To a value.
    Value,
}

use Leads::{Key, To, Value};

const CONTENT_TYPE: &[(&str, Leads)] = &[
    ("id", Key),
    ("app_label", Value),
    ("model", Value),
    ("logentry", To(&[])),
    ("permission", To(&[])),
];

const PERMISSION: &[(&str, Leads)] = &[
    ("id", Key),
    ("name", Value),
    ("codename", Value),
    ("content_type", To(CONTENT_TYPE)),
    ("group", To(&[])),
    ("user", To(&[])),
];

const GROUP: &[(&str, Leads)] = &[
    ("id", Key),
    ("name", Value),
    ("permissions", To(PERMISSION)),
    ("user", To(&[])),
];

const LOG_ENTRY: &[(&str, Leads)] = &[
    ("id", Key),
    ("action_time", Value),
    ("user", To(&[])),
    ("content_type", To(CONTENT_TYPE)),
    ("object_id", Value),
    ("object_repr", Value),
    ("action_flag", Value),
    ("change_message", Value),
];

const USER: &[(&str, Leads)] = &[
    ("groups", To(GROUP)),
    ("user_permissions", To(PERMISSION)),
    ("logentry", To(LOG_ENTRY)),
];

/// Fields of the user itself may be asked for, and those of other tables that the list filters by.
pub(super) fn reads_only_the_list(lookup: &str, list_filter: &[&str]) -> bool {
    let (read, last) = tables_read(lookup);
    if read.len() <= 1 {
        return true;
    }
    let path = read.join("__");
    let longer = format!("{path}__{last}");
    list_filter
        .iter()
        .any(|filter| *filter == path || *filter == longer)
}

/// The steps of a lookup that leave a table, and the step at which the walk ended.
fn tables_read(lookup: &str) -> (Vec<&str>, &str) {
    let (mut model, mut read, mut last) = (USER, Vec::new(), "");
    for (depth, part) in lookup.split("__").enumerate() {
        last = part;
        let Some((_, leads)) = model.iter().find(|(name, _)| *name == part) else {
            // A field of the user, or no field at all: a way to compare, say.
            break;
        };
        if depth == 0 || !matches!(leads, Key) {
            read.push(part);
        }
        let To(next) = leads else { break };
        model = next;
    }
    (read, last)
}
