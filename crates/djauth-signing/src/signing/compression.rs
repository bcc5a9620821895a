//! zlib (RFC 1950), with a bound on what comes out.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use crate::{Error, ErrorKind, Result};

/// The most bytes that compressed signed data may inflate to: 16 MiB.
///
/// Django has no such limit. Only data with a good signature is ever inflated, so the bound holds
/// even when a key is known to others.
pub const MAX_UNCOMPRESSED_SIZE: usize = 16 * 1024 * 1024;

/// The compressed form when it is worth its mark, as Django decides: at least two bytes shorter.
pub(super) fn compress_if_shorter(data: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() + 1 < data.len()).then_some(compressed)
}

/// Straight into the answer: a stream with a window of its own costs several times as much for the few
/// hundred bytes of a session.
pub(super) fn decompress(data: &[u8]) -> Result<Vec<u8>> {
    decompress_to_vec_zlib_with_limit(data, MAX_UNCOMPRESSED_SIZE).map_err(|error| {
        match error.status {
            TINFLStatus::HasMoreOutput => ErrorKind::TooLarge.into(),
            // Not the error itself: it holds what was inflated so far.
            _ => Error::with_source(ErrorKind::Unreadable, "the compressed data is broken"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_refused() {
        let bomb = compress_if_shorter(&vec![b'a'; MAX_UNCOMPRESSED_SIZE + 1]).unwrap();
        assert!(bomb.len() < 100_000);
        assert_eq!(decompress(&bomb).unwrap_err().kind(), ErrorKind::TooLarge);
        let largest = compress_if_shorter(&vec![b'a'; MAX_UNCOMPRESSED_SIZE]).unwrap();
        assert_eq!(decompress(&largest).unwrap().len(), MAX_UNCOMPRESSED_SIZE);
    }

    #[test]
    fn what_is_not_zlib_is_refused() {
        let good = compress_if_shorter(&[b'a'; 100]).unwrap();
        let mut wrong_sum = good.clone();
        *wrong_sum.last_mut().unwrap() ^= 1;
        for data in [
            &b""[..],
            b"x",
            b"hello",
            &good[..good.len() - 1],
            &wrong_sum,
        ] {
            assert_eq!(decompress(data).unwrap_err().kind(), ErrorKind::Unreadable);
        }
    }
}
