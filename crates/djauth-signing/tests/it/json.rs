//! JSON has the bytes of Python's `json.dumps` (`interop/vectors/signing.py --json`).

use djauth_signing::json;
use serde_json::Value;

fn data() -> Value {
    serde_json::from_str(include_str!("../data/json.json")).unwrap()
}

/// Python's `float.hex`: `-0x1.8p+3`, and `0x0.0…1p-1022` for subnormal numbers.
fn from_hex(text: &str) -> f64 {
    let (negative, text) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.strip_prefix("0x").unwrap().split_once('p').unwrap();
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent: i64 = exponent.parse().unwrap();
    let fraction = u64::from_str_radix(&format!("{fraction:0<13}"), 16).unwrap();
    let biased = if whole == "1" {
        u64::try_from(exponent + 1023).unwrap()
    } else {
        0
    };
    f64::from_bits(u64::from(negative) << 63 | biased << 52 | fraction)
}

#[test]
fn floats() {
    let data = data();
    let floats = data["floats"].as_array().unwrap();
    assert!(floats.len() > 500);
    for case in floats {
        let value = from_hex(case[0].as_str().unwrap());
        assert_eq!(json::to_string(&value).unwrap(), case[1].as_str().unwrap());
    }
}

#[test]
fn characters() {
    let data = data();
    let characters = data["characters"].as_array().unwrap();
    assert!(characters.len() > 300);
    for case in characters {
        let point = u32::try_from(case[0].as_u64().unwrap()).unwrap();
        let text = char::from_u32(point).unwrap().to_string();
        assert_eq!(
            json::to_string(&text).unwrap(),
            case[1].as_str().unwrap(),
            "{point:x}"
        );
    }
}
