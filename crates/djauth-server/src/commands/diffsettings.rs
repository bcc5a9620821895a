//! `diffsettings`.

use djauth::settings::Draft;

use crate::output;

/// Shows what is set, with or without what is not. Needs neither key nor database.
pub(crate) fn run(draft: &Draft, all: bool) {
    let shown = draft.settings().diffsettings(all);
    // A random key stands in for one that is missing; it is no setting.
    let lines = shown
        .lines()
        .filter(|line| draft.has_secret_key() || !line.starts_with("SECRET_KEY = "));
    output::write(lines.map(|line| format!("{line}\n")).collect::<String>());
}
