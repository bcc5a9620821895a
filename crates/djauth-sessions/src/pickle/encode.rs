//! Writing protocol 5.

use crate::error::{Error, Result};
use crate::python::{BigInt, MAX_DEPTH, Value};

/// Python writes long lists and dicts in parts of this many items.
const BATCH: usize = 1000;
const MEMOIZE: u8 = 0x94;

pub(super) fn dumps(value: &Value) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    push(&mut body, value, 0)?;
    body.push(b'.');
    let mut pickle = vec![0x80, 5];
    // Python leaves the frame out where it costs more than it holds.
    if body.len() >= 4 {
        pickle.push(0x95);
        pickle.extend_from_slice(&(body.len() as u64).to_le_bytes());
    }
    pickle.append(&mut body);
    Ok(pickle)
}

fn push(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::not_carried(
            "the session nests its values too deeply",
        ));
    }
    match value {
        Value::None => out.push(b'N'),
        Value::Bool(true) => out.push(0x88),
        Value::Bool(false) => out.push(0x89),
        Value::Int(number) => push_int(out, *number),
        Value::BigInt(number) => push_long(out, number),
        Value::Float(number) => {
            out.push(b'G');
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Str(text) => push_sized(out, [0x8c, b'X', 0x8d], text.as_wtf8()),
        Value::Bytes(bytes) => push_sized(out, [b'C', b'B', 0x8e], bytes),
        Value::List(values) => push_list(out, values, depth)?,
        Value::Tuple(values) => push_tuple(out, values, depth)?,
        Value::Dict(entries) => push_dict(out, entries, depth)?,
        Value::Opaque(class) => {
            return Err(Error::not_carried(format!(
                "the session holds an object of Python that is only kept ({class})"
            )));
        }
    }
    Ok(())
}

fn push_int(out: &mut Vec<u8>, number: i64) {
    if let Ok(byte) = u8::try_from(number) {
        out.extend_from_slice(&[b'K', byte]);
    } else if let Ok(short) = u16::try_from(number) {
        out.push(b'M');
        out.extend_from_slice(&short.to_le_bytes());
    } else if let Ok(word) = i32::try_from(number) {
        out.push(b'J');
        out.extend_from_slice(&word.to_le_bytes());
    } else if let Some(number) = BigInt::from_le_bytes(&number.to_le_bytes()) {
        push_long(out, &number);
    }
}

fn push_long(out: &mut Vec<u8>, number: &BigInt) {
    let bytes = number.as_le_bytes();
    match u8::try_from(bytes.len()) {
        Ok(length) => out.extend_from_slice(&[0x8a, length]),
        Err(_) => {
            out.push(0x8b);
            out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

/// A string or bytes: the opcode for lengths of one, four or eight bytes.
fn push_sized(out: &mut Vec<u8>, opcodes: [u8; 3], bytes: &[u8]) {
    if let Ok(length) = u8::try_from(bytes.len()) {
        out.extend_from_slice(&[opcodes[0], length]);
    } else if let Ok(length) = u32::try_from(bytes.len()) {
        out.push(opcodes[1]);
        out.extend_from_slice(&length.to_le_bytes());
    } else {
        out.push(opcodes[2]);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    }
    out.extend_from_slice(bytes);
    out.push(MEMOIZE);
}

fn push_list(out: &mut Vec<u8>, values: &[Value], depth: usize) -> Result<()> {
    out.extend_from_slice(&[b']', MEMOIZE]);
    if let [only] = values {
        push(out, only, depth + 1)?;
        out.push(b'a');
        return Ok(());
    }
    for batch in values.chunks(BATCH) {
        out.push(b'(');
        batch
            .iter()
            .try_for_each(|value| push(out, value, depth + 1))?;
        out.push(b'e');
    }
    Ok(())
}

fn push_tuple(out: &mut Vec<u8>, values: &[Value], depth: usize) -> Result<()> {
    if values.len() > 3 {
        out.push(b'(');
    }
    values
        .iter()
        .try_for_each(|value| push(out, value, depth + 1))?;
    match values.len() {
        0 => out.push(b')'),
        1 => out.extend_from_slice(&[0x85, MEMOIZE]),
        2 => out.extend_from_slice(&[0x86, MEMOIZE]),
        3 => out.extend_from_slice(&[0x87, MEMOIZE]),
        _ => out.extend_from_slice(&[b't', MEMOIZE]),
    }
    Ok(())
}

fn push_dict(out: &mut Vec<u8>, entries: &[(Value, Value)], depth: usize) -> Result<()> {
    out.extend_from_slice(&[b'}', MEMOIZE]);
    let push_entry = |out: &mut Vec<u8>, (key, value): &(Value, Value)| {
        push(out, key, depth + 1)?;
        push(out, value, depth + 1)
    };
    if let [only] = entries {
        push_entry(out, only)?;
        out.push(b's');
        return Ok(());
    }
    for batch in entries.chunks(BATCH) {
        out.push(b'(');
        batch.iter().try_for_each(|entry| push_entry(out, entry))?;
        out.push(b'u');
    }
    Ok(())
}
