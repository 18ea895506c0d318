//! Changes to protobuf messages that leave them messages: fields are altered, doubled, dropped and exchanged, and all
//! lengths stay right. Bytes that are changed blindly rarely come past the parser.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

/// A field of a message, known only by its encoding.
#[derive(Clone, Debug)]
struct Field {
    number: u64,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

/// Levels of messages that are looked into: a model's graph, its nodes, their attributes, their tensors.
const DEPTH: usize = 7;

/// Integers that are likely to be handled wrongly.
const EDGES: [i64; 16] = [
    0,
    1,
    2,
    3,
    4,
    7,
    -1,
    -2,
    255,
    1 << 16,
    (1 << 31) - 1,
    1 << 31,
    -(1 << 31),
    (1 << 62) + 1,
    i64::MAX,
    i64::MIN,
];

/// One to four changes to `bytes`, drawn by `seed`.
pub fn mutate(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let Some(mut message) = parse(bytes, DEPTH) else {
        let mut bytes = bytes.to_vec();
        alter_bytes(&mut bytes, &mut rng);
        return bytes;
    };
    for _ in 0..rng.random_range(1..=4) {
        alter(&mut message, &mut rng);
    }
    let mut out = Vec::with_capacity(bytes.len());
    encode(&message, &mut out);
    out
}

fn parse(mut bytes: &[u8], depth: usize) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut bytes)?),
            1 => Value::Fixed64(take(&mut bytes, 8)?.try_into().ok()?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let inner = take(&mut bytes, length)?;
                // Names parse as messages now and then, which does no harm.
                match (depth > 0).then(|| parse(inner, depth - 1)).flatten() {
                    Some(fields) if !fields.is_empty() => Value::Message(fields),
                    _ => Value::Bytes(inner.to_vec()),
                }
            }
            5 => Value::Fixed32(take(&mut bytes, 4)?.try_into().ok()?),
            _ => return None,
        };
        fields.push(Field { number: key >> 3, value });
    }
    Some(fields)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(head)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = *take(bytes, 1)? else { return None };
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn encode(fields: &[Field], out: &mut Vec<u8>) {
    for Field { number, value } in fields {
        let mut block = |kind: u64, bytes: &[u8]| {
            put_varint(number << 3 | kind, out);
            if kind == 2 {
                put_varint(bytes.len() as u64, out);
            }
            out.extend_from_slice(bytes);
        };
        match value {
            Value::Varint(value) => {
                let mut bytes = Vec::new();
                put_varint(*value, &mut bytes);
                block(0, &bytes);
            }
            Value::Fixed64(bytes) => block(1, bytes),
            Value::Fixed32(bytes) => block(5, bytes),
            Value::Bytes(bytes) => block(2, bytes),
            Value::Message(fields) => {
                let mut bytes = Vec::new();
                encode(fields, &mut bytes);
                block(2, &bytes);
            }
        }
    }
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// One change, more often deep inside than not.
fn alter(fields: &mut Vec<Field>, rng: &mut impl Rng) {
    if fields.is_empty() {
        return;
    }
    let index = rng.random_range(0..fields.len());
    let inner = match &mut fields[index].value {
        Value::Message(inner) if rng.random_bool(0.9) => return alter(inner, rng),
        value => value,
    };
    match rng.random_range(0..8) {
        0 => drop(fields.remove(index)),
        1 => fields.insert(rng.random_range(0..=fields.len()), fields[index].clone()),
        2 => {
            let other = rng.random_range(0..fields.len());
            fields.swap(index, other);
        }
        // Another field's value: a node reads another tensor, an axis is another size.
        3 | 4 => {
            let other = rng.random_range(0..fields.len());
            fields[index].value = fields[other].value.clone();
        }
        5 => fields[index].number = rng.random_range(1..24),
        _ => match inner {
            Value::Varint(value) => *value = altered(*value as i64, rng) as u64,
            Value::Fixed64(bytes) => *bytes = altered(i64::from_le_bytes(*bytes), rng).to_le_bytes(),
            Value::Fixed32(bytes) => {
                let floats = [0.0, -0.0, 1.0, -1.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, f32::NAN];
                *bytes = floats[rng.random_range(0..floats.len())].to_le_bytes();
            }
            Value::Bytes(bytes) => alter_bytes(bytes, rng),
            Value::Message(inner) => inner.truncate(rng.random_range(0..inner.len().max(1))),
        },
    }
}

fn altered(value: i64, rng: &mut impl Rng) -> i64 {
    match rng.random_range(0..4) {
        0 => value.wrapping_add(1),
        1 => value.wrapping_neg(),
        2 => value.wrapping_mul(2),
        _ => EDGES[rng.random_range(0..EDGES.len())],
    }
}

/// A byte, or an integer of eight bytes, as shapes are stored; or fewer or more of them.
fn alter_bytes(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    match rng.random_range(0..4) {
        0 if bytes.len() >= 8 => {
            let start = rng.random_range(0..bytes.len() / 8) * 8;
            let mut value = [0; 8];
            value.copy_from_slice(&bytes[start..start + 8]);
            bytes[start..start + 8].copy_from_slice(&altered(i64::from_le_bytes(value), rng).to_le_bytes());
        }
        1 => bytes.truncate(bytes.len() / 2),
        2 => bytes.extend_from_within(..bytes.len().min(8)),
        _ if !bytes.is_empty() => {
            let index = rng.random_range(0..bytes.len());
            bytes[index] = rng.random();
        }
        _ => bytes.push(rng.random()),
    }
}
