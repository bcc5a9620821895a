//! What people see of the settings: `diffsettings` and the reference page.

use std::fmt;
use std::fmt::Write as _;

use djauth_signing::crypto::get_random_secret_key;

use super::table::startproject;
use super::{DEFINITIONS, Definition, Settings};

impl Settings {
    /// The lines of `diffsettings`: `NAME = value` in JSON, sorted by name; secrets are hidden.
    ///
    /// Only settings that differ from what `startproject` writes, or with `all` every one, those
    /// that do not differ behind `###`, as Django does.
    pub fn diffsettings(&self, all: bool) -> String {
        let defaults = startproject(get_random_secret_key());
        let mut definitions: Vec<_> = DEFINITIONS.iter().collect();
        definitions.sort_by_key(|definition| definition.name);
        let mut lines = String::new();
        for definition in definitions {
            let mark = match differs(definition, self, &defaults) {
                true => "",
                false if all => "### ",
                false => continue,
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                lines,
                "{mark}{} = {}",
                definition.name,
                (definition.show)(self)
            );
        }
        lines
    }
}

/// `SECRET_KEY` has no default, so it always differs.
fn differs(definition: &Definition, settings: &Settings, defaults: &Settings) -> bool {
    definition.name == "SECRET_KEY" || (definition.show)(settings) != (definition.show)(defaults)
}

impl fmt::Debug for Settings {
    /// Every setting as `diffsettings` shows it, so without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Settings");
        for definition in DEFINITIONS {
            out.field(
                definition.name,
                &format_args!("{}", (definition.show)(self)),
            );
        }
        out.finish()
    }
}

/// The page `docs/settings.md`.
pub fn reference() -> String {
    let defaults = startproject(get_random_secret_key());
    let mut page = String::from(INTRODUCTION);
    let mut section = "";
    for definition in DEFINITIONS {
        if definition.section != section {
            section = definition.section;
            let _ = write!(page, "\n## {section}\n");
        }
        let _ = write!(
            page,
            "\n### `{}`\n\n{}\n\n",
            definition.name,
            paragraph(definition.help)
        );
        let _ = writeln!(page, "- Expects {}.", definition.expected);
        let default = match definition.name {
            "SECRET_KEY" => "none".to_owned(),
            _ => format!("`{}`", (definition.show)(&defaults)),
        };
        let _ = writeln!(page, "- Default: {default}");
    }
    page
}

fn paragraph(help: &str) -> String {
    help.split_whitespace().collect::<Vec<_>>().join(" ")
}

const INTRODUCTION: &str = "\
# Settings

<!-- Made from crates/djauth/src/settings/table.rs: UPDATE_DOCS=1 cargo test -p djauth reference_page -->

Settings have Django's names. They come from a TOML file (`djauth --settings FILE …`, or the
variable `DJAUTH_SETTINGS`) and from the environment, which wins. In the environment, text is
written as it is, and everything else as JSON:

```sh
SECRET_KEY='…' ALLOWED_HOSTS='[\"example.com\"]' SESSION_COOKIE_SECURE=true djauth runserver
```

```toml
SECRET_KEY = \"…\"
ALLOWED_HOSTS = [\"example.com\"]
SESSION_COOKIE_SECURE = true
```

TOML has no null: leave the setting out, or write an empty string. A key in the file that is no
setting, and a wrong value anywhere, stop the program with an error that names it. What nobody
sets has the value that Django's `startproject` writes. `djauth diffsettings` shows what is set,
`djauth diffsettings --all` everything; secrets are never shown. Ages and timeouts are in seconds,
sizes in bytes.
";
