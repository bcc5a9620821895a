//! The stored password as the admin shows it: `ReadOnlyPasswordHashField` and its widget.

use super::field::{Field, FieldKind};
use super::text::Text;

/// A field that shows a stored password and takes none; mirrors `ReadOnlyPasswordHashField`. It is
/// disabled: what is sent under its name is ignored.
#[derive(Clone, Copy, Debug)]
pub struct ReadOnlyPasswordHashField;

impl ReadOnlyPasswordHashField {
    /// The field, for a user whose password is usable or not.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a field is data; Django's class makes one"
    )]
    pub fn new(name: &str, usable: bool) -> Field {
        let help = if usable {
            "form.password_not_shown"
        } else {
            "form.password_turned_off"
        };
        let field = Field::new(name, FieldKind::ReadOnlyPasswordHash);
        let mut field = field.help_text(Text::Key(help)).optional();
        field.disabled = true;
        field
    }
}

/// What stands beside it; mirrors `ReadOnlyPasswordHashWidget`.
#[derive(Clone, Copy, Debug)]
pub struct ReadOnlyPasswordHashWidget;

impl ReadOnlyPasswordHashWidget {
    /// The words of the button that leads to another password.
    pub fn button_label(usable: bool) -> Text {
        Text::Key(if usable {
            "form.reset_password"
        } else {
            "form.set_password"
        })
    }
}
