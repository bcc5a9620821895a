//! Reading protocols 2 to 5.

use super::MAX_BYTES;
use super::machine::{Machine, Node, class_name};
use crate::python::Value;

pub(super) fn loads(bytes: &[u8]) -> Option<Value> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let mut reader = Reader {
        bytes,
        at: 0,
        machine: Machine::default(),
    };
    reader.protocol()?;
    while reader.step()? {}
    // Every node costs 16 and one byte makes at most one node; sharing may unfold to some times that.
    reader
        .machine
        .finish(bytes.len().saturating_mul(64) + 65_536)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    machine: Machine,
}

impl<'a> Reader<'a> {
    fn protocol(&mut self) -> Option<()> {
        let header = self.take(2)?;
        (header[0] == 0x80 && (2..=5).contains(&header[1])).then_some(())
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn word(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.array()?)).ok()
    }

    fn long_word(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.array()?)).ok()
    }

    fn line(&mut self) -> Option<&'a str> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        let line = self.take(length + 1)?;
        std::str::from_utf8(&line[..length]).ok()
    }

    /// One opcode. False at the end of the pickle.
    fn step(&mut self) -> Option<bool> {
        let opcode = self.byte()?;
        match opcode {
            b'.' => return Some(false),
            0x80 => self.take(1).map(drop)?,
            0x95 => self.take(8).map(drop)?,
            b'(' => self.machine.mark(),
            b'0' => self.machine.pop_any()?,
            b'1' => self.machine.pop_mark().map(drop)?,
            b'2' => self.machine.duplicate()?,
            b'N' | 0x88 | 0x89 | b'K' | b'M' | b'J' | b'G' | 0x8a | 0x8b | b'I' | b'L' | b'F' => {
                self.scalar(opcode)?;
            }
            0x8c | b'X' | 0x8d | b'C' | b'B' | 0x8e => self.text_or_bytes(opcode)?,
            b']' | b'}' | b')' | b'a' | b'e' | b's' | b'u' | b't' | b'l' | b'd' | 0x85..=0x87 => {
                self.container(opcode)?;
            }
            0x94 | b'q' | b'r' | b'p' | b'h' | b'j' | b'g' => self.memo(opcode)?,
            other => self.object(other)?,
        }
        Some(true)
    }

    fn scalar(&mut self, opcode: u8) -> Option<()> {
        let value = match opcode {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Int(self.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.array()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.array()?).into()),
            b'G' => Value::Float(f64::from_be_bytes(self.array()?)),
            0x8a => return self.long_of_byte(),
            0x8b => return self.long_of_word(),
            b'I' => self.int_line()?,
            b'L' => crate::python::from_json(self.line()?.trim_end_matches('L')).filter(is_int)?,
            _ => Value::Float(self.line()?.parse().ok()?),
        };
        self.machine.push_value(value);
        Some(())
    }

    fn long_of_byte(&mut self) -> Option<()> {
        let length = self.byte()?;
        let bytes = self.take(length.into())?;
        self.machine.push_long(bytes)
    }

    fn long_of_word(&mut self) -> Option<()> {
        let length = self.word()?;
        let bytes = self.take(length)?;
        self.machine.push_long(bytes)
    }

    /// In the text opcodes `00` and `01` are the booleans.
    fn int_line(&mut self) -> Option<Value> {
        match self.line()? {
            "00" => Some(Value::Bool(false)),
            "01" => Some(Value::Bool(true)),
            digits => crate::python::from_json(digits).filter(is_int),
        }
    }

    fn text_or_bytes(&mut self, opcode: u8) -> Option<()> {
        let length = match opcode {
            0x8c | b'C' => self.byte()?.into(),
            b'X' | b'B' => self.word()?,
            _ => self.long_word()?,
        };
        let bytes = self.take(length)?;
        if matches!(opcode, 0x8c | b'X' | 0x8d) {
            return self.machine.push_str(bytes);
        }
        self.machine.push_value(Value::Bytes(bytes.to_vec()));
        Some(())
    }

    fn container(&mut self, opcode: u8) -> Option<()> {
        let machine = &mut self.machine;
        match opcode {
            b']' => machine.push(Node::List(Vec::new())),
            b'}' => machine.push(Node::Dict(Vec::new())),
            b')' => machine.push(Node::Tuple(Vec::new())),
            b'a' => {
                let value = machine.pop_many::<1>()?;
                machine.extend_top(value)?;
            }
            b'e' => {
                let values = machine.pop_mark()?;
                machine.extend_top(values)?;
            }
            b's' => {
                let pair = machine.pop_many::<2>()?;
                machine.set_items(&pair)?;
            }
            b'u' => {
                let pairs = machine.pop_mark()?;
                machine.set_items(&pairs)?;
            }
            _ => return self.closed_container(opcode),
        }
        Some(())
    }

    fn closed_container(&mut self, opcode: u8) -> Option<()> {
        let machine = &mut self.machine;
        let values = match opcode {
            0x85 => machine.pop_many::<1>()?,
            0x86 => machine.pop_many::<2>()?,
            0x87 => machine.pop_many::<3>()?,
            _ => machine.pop_mark()?,
        };
        match opcode {
            b'l' => machine.push(Node::List(values)),
            b'd' => {
                machine.push(Node::Dict(Vec::new()));
                machine.set_items(&values)?;
            }
            _ => machine.push(Node::Tuple(values)),
        }
        Some(())
    }

    fn memo(&mut self, opcode: u8) -> Option<()> {
        let limit = self.bytes.len();
        let slot = match opcode {
            0x94 => return self.machine.memoize(),
            b'q' | b'h' => self.byte()?.into(),
            b'r' | b'j' => self.word()?,
            _ => self.line()?.parse().ok()?,
        };
        match opcode {
            b'q' | b'r' | b'p' => self.machine.put(slot, limit),
            _ => self.machine.get(slot),
        }
    }

    /// Opcodes that name, call or fill something of Python: only their effect on the stack is followed.
    fn object(&mut self, opcode: u8) -> Option<()> {
        match opcode {
            b'c' => {
                let class = class_name(self.line()?, self.line()?);
                self.machine.push_opaque(class);
            }
            0x93 => {
                let names = self.machine.pop_many::<2>()?;
                let class = self.machine.global_name(names[0], names[1]);
                self.machine.push_opaque(class);
            }
            b'R' | 0x81 => self.call::<2>()?,
            0x92 => self.call::<3>()?,
            b'b' => {
                self.machine.pop()?;
                self.machine.build()?;
            }
            b'i' => {
                let class = class_name(self.line()?, self.line()?);
                self.machine.pop_mark()?;
                self.machine.push_opaque(class);
            }
            b'o' => {
                let parts = self.machine.pop_mark()?;
                let class = self.machine.opaque_name(*parts.first()?);
                self.machine.push_opaque(class);
            }
            _ => return self.rare_object(opcode),
        }
        Some(())
    }

    fn call<const N: usize>(&mut self) -> Option<()> {
        let parts = self.machine.pop_many::<N>()?;
        let class = self.machine.opaque_name(parts[0]);
        self.machine.push_opaque(class);
        Some(())
    }

    fn rare_object(&mut self, opcode: u8) -> Option<()> {
        match opcode {
            0x8f => self.machine.push_opaque("set"),
            0x90 => {
                let values = self.machine.pop_mark()?;
                self.machine.extend_top(values)?;
            }
            0x91 => {
                self.machine.pop_mark()?;
                self.machine.push_opaque("frozenset");
            }
            0x96 => {
                let length = self.long_word()?;
                self.take(length)?;
                self.machine.push_opaque("bytearray");
            }
            // Old byte strings (of Python 2) have no certain text; the text form of `str` is not written
            // by protocols from 2 on; persistent ids and extension codes mean nothing here.
            0x82..=0x84 => {
                self.take(1 << (opcode - 0x82))?;
                self.machine.push_opaque("extension");
            }
            b'Q' => {
                self.machine.pop()?;
                self.machine.push_opaque("persistent");
            }
            _ => return None,
        }
        Some(())
    }
}

fn is_int(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::BigInt(_))
}
