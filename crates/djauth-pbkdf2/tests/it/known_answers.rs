use djauth_pbkdf2::{Hash, Job, Kernel, Sha1, Sha256};

fn derive<H: Hash>(kernel: Kernel, password: &[u8], salt: &[u8], iterations: u64) -> H::Output {
    let mut job = Job::<H>::new(password, salt, iterations);
    while !job.is_done() {
        kernel.advance(&mut [&mut job], 1_000);
    }
    job.output()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The vectors of RFC 6070 with one block of output or less than one.
#[test]
fn rfc_6070() {
    let vectors: [(&[u8], &[u8], u64, &str); 4] = [
        (
            b"password",
            b"salt",
            1,
            "0c60c80f961f0e71f3a9b524af6012062fe037a6",
        ),
        (
            b"password",
            b"salt",
            2,
            "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
        ),
        (
            b"password",
            b"salt",
            4096,
            "4b007901b765489abead49d926f721d065a429c1",
        ),
        (
            b"pass\0word",
            b"sa\0lt",
            4096,
            "56fa6aa75548099dcc37d7f03425e0c3",
        ),
    ];
    for kernel in Kernel::all() {
        for (password, salt, iterations, expected) in vectors {
            let key = hex(derive::<Sha1>(kernel, password, salt, iterations));
            assert!(key.starts_with(expected), "{kernel:?} {iterations}: {key}");
        }
    }
}

/// The first block of the vectors of RFC 7914, section 11, and those of RFC 6070 with SHA-256, whose
/// answers are OpenSSL's.
#[test]
fn sha_256() {
    let vectors: [(&[u8], &[u8], u64, &str); 5] = [
        (
            b"passwd",
            b"salt",
            1,
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
        ),
        (
            b"Password",
            b"NaCl",
            80_000,
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
        ),
        (
            b"password",
            b"salt",
            1,
            "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b",
        ),
        (
            b"password",
            b"salt",
            2,
            "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43",
        ),
        (
            b"password",
            b"salt",
            4096,
            "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a",
        ),
    ];
    for kernel in Kernel::all() {
        for (password, salt, iterations, expected) in vectors {
            let key = hex(derive::<Sha256>(kernel, password, salt, iterations));
            assert_eq!(key, expected, "{kernel:?} {iterations}");
        }
    }
}
