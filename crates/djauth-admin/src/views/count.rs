//! How many rows there are, exactly or about.

use crate::model::{Count, Registered};
use crate::request::AdminRequest;

impl Count {
    /// The number, if it is known exactly.
    pub(crate) fn exact(self) -> Option<u64> {
        (!self.more).then_some(self.known)
    }
}

/// `17 users`, `more than 10000 users`, `about 1050000 users`.
pub(crate) fn count_text(request: &AdminRequest, model: &Registered, count: Count) -> String {
    let number = count.estimate.unwrap_or(count.known);
    let name = match number {
        1 => &model.info.verbose_name,
        _ => &model.info.verbose_name_plural,
    };
    let params = [
        ("count", number.to_string()),
        ("models", name.in_language(request.language)),
    ];
    match (count.more, count.estimate) {
        (false, _) => request.t("admin_list.count", &params),
        (true, None) => request.t("admin_list.count_more", &params),
        (true, Some(_)) => request.t("admin_list.count_about", &params),
    }
}
