//! Short texts that stand where they are used.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// The longest key of a session, in bytes.
const SHORT: usize = 40;

/// Bytes, short ones without memory of their own: what every request compares or copies is fetched along with what
/// stands beside it, where another fetch would take longer than all the rest.
#[derive(Clone, Debug)]
pub(super) enum Inline {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl Inline {
    /// What it takes besides its place.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Short { .. } => 0,
            Self::Long(bytes) => bytes.len(),
        }
    }
}

impl From<&str> for Inline {
    fn from(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(text.as_bytes());
                Self::Short { len, bytes }
            }
            _ => Self::Long(text.as_bytes().into()),
        }
    }
}

impl Deref for Inline {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => &bytes[..usize::from(*len)],
            Self::Long(bytes) => bytes,
        }
    }
}

/// For tables, which are asked with bytes: it is hashed and compared as they are.
impl Borrow<[u8]> for Inline {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Inline {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Inline {}

impl Hash for Inline {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_text_is_found_by_its_bytes_whatever_its_length() {
        let texts: Vec<_> = (0..100).map(|length| "k".repeat(length)).collect();
        let found: HashSet<Inline> = texts.iter().map(|text| text.as_str().into()).collect();
        assert_eq!(found.len(), texts.len());
        for text in &texts {
            assert!(found.contains(text.as_bytes()), "{}", text.len());
            assert_eq!(*Inline::from(text.as_str()), *text.as_bytes());
        }
        assert!(!found.contains("K".repeat(32).as_bytes()) && !found.contains(&[b'k'; 100][..]));
    }
}
