use std::collections::HashSet;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use flate2::read::GzDecoder;

use super::{PasswordUser, PasswordValidator};
use crate::http::strip;
use crate::i18n::{Language, gettext};
use crate::validators::ValidationError;
use crate::{Error, ErrorKind};

/// Django's list, made by Royce Williams; `data/LICENSE-django` is its licence.
static BUILT_IN: &[u8] = include_bytes!("../../data/common-passwords.txt.gz");

/// The most that a list of the site's own may unpack to: 64 MiB.
const LARGEST_LIST: u64 = 64 * 1024 * 1024;

/// Not one of a list of common passwords, compared in lower case and stripped.
#[derive(Clone)]
pub struct CommonPasswordValidator {
    passwords: Arc<HashSet<Box<str>>>,
}

impl Default for CommonPasswordValidator {
    /// Django's list of 19,640 passwords.
    fn default() -> Self {
        static LIST: OnceLock<Arc<HashSet<Box<str>>>> = OnceLock::new();
        let passwords = LIST.get_or_init(|| Arc::new(built_in()));
        Self {
            passwords: passwords.clone(),
        }
    }
}

impl CommonPasswordValidator {
    /// A list of the site's own: one password a line, in lower case, plain or gzip, in UTF-8.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            let text = format!("password_list_path {}: {error}", path.display());
            Error::caused(ErrorKind::ImproperlyConfigured, text, error)
        };
        let content = std::fs::read(path).map_err(failed)?;
        let text = unpack(&content).map_err(failed)?;
        Ok(Self {
            passwords: Arc::new(lines(&text)),
        })
    }
}

fn built_in() -> HashSet<Box<str>> {
    lines(&unpack(BUILT_IN).unwrap_or_default())
}

fn unpack(content: &[u8]) -> std::io::Result<String> {
    let mut text = String::new();
    if content.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(content)
            .take(LARGEST_LIST)
            .read_to_string(&mut text)?;
    } else {
        content.take(LARGEST_LIST).read_to_string(&mut text)?;
    }
    Ok(text)
}

fn lines(text: &str) -> HashSet<Box<str>> {
    text.lines().map(|line| strip(line).into()).collect()
}

impl PasswordValidator for CommonPasswordValidator {
    fn validate(
        &self,
        password: &str,
        _user: Option<&dyn PasswordUser>,
    ) -> Result<(), ValidationError> {
        if !self.passwords.contains(strip(&password.to_lowercase())) {
            return Ok(());
        }
        Err(ValidationError::of("password_too_common"))
    }

    fn get_help_text(&self, language: Language) -> String {
        gettext(language, "help.password_too_common", &[])
    }
}

impl std::fmt::Debug for CommonPasswordValidator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommonPasswordValidator")
            .field("passwords", &self.passwords.len())
            .finish()
    }
}
