use crate::{Error, ErrorKind};

/// The alphabet of salts and of the tail of unusable passwords, in Django's order.
pub const RANDOM_STRING_CHARS: &[u8; 62] =
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A string of `length` characters of [`RANDOM_STRING_CHARS`], each equally likely.
///
/// # Errors
/// [`ErrorKind::Random`].
pub fn get_random_string(length: usize) -> Result<String, Error> {
    let mut out = String::with_capacity(length);
    let mut pool = [0u8; 64];
    while out.len() < length {
        fill(&mut pool)?;
        // Bytes from 248 on would favour the first letters: 248 is the last multiple of 62.
        let fair = pool
            .iter()
            .filter(|byte| **byte < 248)
            .take(length - out.len());
        out.extend(fair.map(|byte| char::from(RANDOM_STRING_CHARS[usize::from(*byte % 62)])));
    }
    Ok(out)
}

pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes)
        .map_err(|e| Error::new(ErrorKind::Random, "getrandom").with_source(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_length_and_every_letter() {
        for length in [0, 1, 22, 40, 500] {
            assert_eq!(get_random_string(length).unwrap().len(), length);
        }
        let long = get_random_string(20_000).unwrap();
        assert!(
            RANDOM_STRING_CHARS
                .iter()
                .all(|c| long.as_bytes().contains(c))
        );
        assert!(long.bytes().all(|c| RANDOM_STRING_CHARS.contains(&c)));
    }
}
