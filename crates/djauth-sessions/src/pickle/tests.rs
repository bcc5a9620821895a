use super::*;
use crate::ErrorKind;
use crate::python::{BigInt, PyStr};
use proptest::prelude::*;

fn text(value: &str) -> Value {
    Value::Str(value.into())
}

fn spec_dict() -> (Value, Vec<u8>) {
    let value = Value::Dict(vec![
        (text("_auth_user_id"), text("1")),
        (text("n"), Value::Int(3)),
    ]);
    let mut bytes = vec![
        0x80, 0x05, 0x95, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0x7d, 0x94, 0x28, 0x8c, 0x0d,
    ];
    bytes.extend_from_slice(b"_auth_user_id");
    bytes.extend_from_slice(&[
        0x94, 0x8c, 1, b'1', 0x94, 0x8c, 1, b'n', 0x94, 0x4b, 3, 0x75, 0x2e,
    ]);
    (value, bytes)
}

#[test]
fn the_bytes_that_django_stores() {
    let (value, bytes) = spec_dict();
    assert_eq!(bytes.len(), 42);
    assert_eq!(dumps(&value).unwrap(), bytes);
    assert_eq!(loads(&bytes), Some(value));
}

#[test]
fn truncated_anywhere_is_refused() {
    let (_, bytes) = spec_dict();
    (0..bytes.len()).for_each(|end| assert_eq!(loads(&bytes[..end]), None));
}

#[test]
fn objects_are_named_and_never_made() {
    // os.system("id"), the classic: class looked up by name, called with a tuple.
    let pickle = b"\x80\x02cos\nsystem\n(X\x02\x00\x00\x00idtR.";
    assert_eq!(loads(pickle), Some(Value::Opaque("os.system".into())));
    let error = dumps(&loads(pickle).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotCarried);
}

#[test]
fn a_list_inside_itself_is_refused() {
    assert_eq!(loads(b"\x80\x02]q\x00h\x00a."), None);
}

#[test]
fn sharing_does_not_explode() {
    // Each level holds the level below ten times: 10^30 values if unfolded.
    let mut pickle = b"\x80\x04]\x94".to_vec();
    for level in 0..30u8 {
        pickle.extend_from_slice(b"0](");
        (0..10).for_each(|_| pickle.extend_from_slice(&[b'h', level]));
        pickle.extend_from_slice(b"e\x94");
    }
    pickle.push(b'.');
    assert_eq!(loads(&pickle), None);
}

#[test]
fn deep_nesting_is_refused() {
    let mut pickle = b"\x80\x04".to_vec();
    pickle.extend(std::iter::repeat_n(b']', 100_000));
    pickle.extend(std::iter::repeat_n(b'a', 99_999));
    pickle.push(b'.');
    assert_eq!(loads(&pickle), None);
}

#[test]
fn false_lengths_and_slots_are_refused() {
    for bad in [
        &b"\x80\x05\x8d\xff\xff\xff\xff\xff\xff\xff\xff."[..],
        b"\x80\x05X\xff\xff\xff\x7fabc.",
        b"\x80\x05Nr\xff\xff\xff\xff.",
        b"\x80\x05h\x00.",
        b"\x80\x05}(Nu.",
        b"\x80\x05(.",
        b"\x80\x05.",
        b"\x80\x06N.",
        b"\x80\x01N.",
        b"N.",
        b"",
        b"\x80\x05\x8c\x02\xff\xfe.",
    ] {
        assert_eq!(loads(bad), None, "{bad:02x?}");
    }
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-300i64..70_000).prop_map(Value::Int),
        any::<f64>()
            .prop_filter("equal to itself", |f| !f.is_nan())
            .prop_map(Value::Float),
        "[1-9][0-9]{20,60}"
            .prop_map(|digits| Value::BigInt(BigInt::from_decimal(&digits).unwrap())),
        "\\PC{0,12}".prop_map(|string| Value::Str(string.as_str().into())),
        Just(Value::Str(PyStr::from_wtf8(b"\xed\xa0\x80").unwrap())),
        proptest::collection::vec(any::<u8>(), 0..8).prop_map(Value::Bytes),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Tuple),
            proptest::collection::vec((scalar(), inner), 0..6).prop_map(Value::Dict),
        ]
    })
}

proptest! {
    #[test]
    fn values_round_trip(value in value()) {
        prop_assert_eq!(loads(&dumps(&value).unwrap()), Some(value));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = loads(&bytes);
    }

    /// Random opcodes get further into the machine than random bytes.
    #[test]
    fn any_opcodes_are_survived(
        opcodes in proptest::collection::vec(
            proptest::sample::select(&b"()]}.aesutld0125NKMJGIFLXBCqrhjpgcRbioQ\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8f\x90\x91\x92\x93\x94\x95\n0"[..]),
            0..64,
        )
    ) {
        let mut pickle = vec![0x80, 4];
        pickle.extend(opcodes);
        pickle.push(b'.');
        let _ = loads(&pickle);
    }

    /// One byte of a good pickle changed: refused, or another value; never a panic.
    #[test]
    fn flipped_bytes_are_survived(value in value(), at in any::<proptest::sample::Index>(), to in any::<u8>()) {
        let mut pickle = dumps(&value).unwrap();
        let at = at.index(pickle.len());
        pickle[at] = to;
        let _ = loads(&pickle);
    }
}
