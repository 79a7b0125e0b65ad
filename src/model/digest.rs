//! The SHA-256 of a model, and the files of weights that lie outside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::{Error, ErrorKind, Result};

/// The hash of a model's bytes, in hex. With external data: the hash of the listing that
/// `(sha256sum < MODEL; sha256sum FILE...)` prints, run in the model's folder, the files sorted by name.
pub(super) fn digest(model: &[u8], external: &BTreeMap<String, Arc<[u8]>>) -> String {
    let own = hex(Sha256::digest(model).as_slice());
    if external.is_empty() {
        return own;
    }
    let mut listing = format!("{own}  -\n");
    for (name, data) in external {
        listing += &format!("{}  {name}\n", hex(Sha256::digest(data).as_slice()));
    }
    hex(Sha256::digest(listing.as_bytes()).as_slice())
}

/// The SHA-256 of bytes, in hex.
pub(super) fn of(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files that the model's tensors refer to, relative to the model. Reads just enough of the file's structure
/// (Protocol Buffers) to walk to every tensor.
///
/// # Errors
/// [`ErrorKind::Model`] if the bytes are not a whole model, or a file lies outside the model's folder.
pub(super) fn external_files(model: &[u8]) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    walk(model, Message::Model, 0, &mut found).map_err(|()| {
        Error::new(ErrorKind::Model, "the file is not an ONNX model, or is damaged or cut short").with_field("model")
    })?;
    for name in &found {
        if name.is_empty()
            || !Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        {
            let message = format!(
                "the model's external data {name:?} lies outside the model's folder: move it in, and save the model again"
            );
            return Err(Error::new(ErrorKind::Model, message).with_field("model"));
        }
    }
    Ok(found)
}

/// The messages on the way from a model to its tensors, as onnx.proto3 numbers their fields.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Function,
    Node,
    Attribute,
    SparseTensor,
    Tensor,
}

impl Message {
    fn child(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Some(Self::Graph),
            (Self::Model, 25) => Some(Self::Function),
            (Self::Graph, 1) | (Self::Function, 7) => Some(Self::Node),
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Some(Self::SparseTensor),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => Some(Self::Tensor),
            (Self::Node, 5) | (Self::Function, 11) => Some(Self::Attribute),
            _ => None,
        }
    }
}

/// Deeper than any graph that ONNX Runtime takes; bounds the recursion on hostile bytes.
const DEPTH: usize = 256;

fn walk(mut bytes: &[u8], message: Message, depth: usize, found: &mut BTreeSet<String>) -> Result<(), ()> {
    if depth > DEPTH {
        return Err(());
    }
    let (mut is_external, mut location) = (false, None);
    while !bytes.is_empty() {
        let (field, value) = next(&mut bytes)?;
        match (message, field, value) {
            (Message::Tensor, 14, Value::Number(number)) => is_external = number == 1,
            (Message::Tensor, 13, Value::Bytes(entry)) => location = location_of(entry)?.or(location),
            (_, _, Value::Bytes(inner)) => {
                if let Some(child) = message.child(field) {
                    walk(inner, child, depth + 1, found)?;
                }
            }
            _ => {}
        }
    }
    if is_external {
        found.insert(location.ok_or(())?);
    }
    Ok(())
}

/// The value of an entry whose key is `location`.
fn location_of(mut entry: &[u8]) -> Result<Option<String>, ()> {
    let (mut key, mut value) = (&[][..], &[][..]);
    while !entry.is_empty() {
        match next(&mut entry)? {
            (1, Value::Bytes(bytes)) => key = bytes,
            (2, Value::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    match key {
        b"location" => Ok(Some(String::from_utf8(value.to_vec()).map_err(|_| ())?)),
        _ => Ok(None),
    }
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Skipped,
}

/// Takes the next field off the front.
fn next<'a>(bytes: &mut &'a [u8]) -> Result<(u64, Value<'a>), ()> {
    let tag = varint(bytes)?;
    let value = match tag & 7 {
        0 => Value::Number(varint(bytes)?),
        1 => take(bytes, 8).map(|_| Value::Skipped)?,
        2 => {
            let length = usize::try_from(varint(bytes)?).map_err(|_| ())?;
            Value::Bytes(take(bytes, length)?)
        }
        5 => take(bytes, 4).map(|_| Value::Skipped)?,
        _ => return Err(()),
    };
    Ok((tag >> 3, value))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], ()> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(())?;
    *bytes = rest;
    Ok(taken)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, ()> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
    }

    fn external(location: &str) -> Vec<u8> {
        let entry = [field(1, b"location"), field(2, location.as_bytes())].concat();
        let tensor = [field(13, &entry), vec![14 << 3, 1]].concat();
        field(7, &field(5, &tensor))
    }

    #[test]
    fn external_files_are_found_and_kept_inside_the_folder() {
        let files = external_files(&external("weights.bin")).unwrap();
        assert_eq!(files.into_iter().collect::<Vec<_>>(), ["weights.bin"]);
        for outside in ["../weights.bin", "/weights.bin", "", "a/../../b"] {
            assert_eq!(external_files(&external(outside)).unwrap_err().kind(), ErrorKind::Model, "{outside:?}");
        }
        assert!(external_files(&[]).unwrap().is_empty());
    }

    #[test]
    fn damaged_bytes_are_refused_without_panic() {
        let whole = external("weights.bin");
        for cut in 1..whole.len() {
            assert!(external_files(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                let _ = external_files(&flipped);
            }
        }
        // A graph in an attribute in a node in a graph, without end.
        let mut deep = Vec::new();
        for _ in 0..60_000 {
            let mut wrapped = vec![1 << 3 | 2];
            let mut length = deep.len();
            while length >= 0x80 {
                wrapped.push((length & 0x7f) as u8 | 0x80);
                length >>= 7;
            }
            wrapped.push(length as u8);
            if deep.len() > 4096 {
                break;
            }
            wrapped.extend(&deep);
            deep = wrapped;
        }
        let _ = external_files(&deep);
    }

    #[test]
    fn digests_are_those_of_sha256sum() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b"", &BTreeMap::new()), empty);
        let listing = format!("{empty}  -\n{empty}  w\n");
        let expected = hex(Sha256::digest(listing.as_bytes()).as_slice());
        assert_eq!(digest(b"", &BTreeMap::from([("w".to_owned(), Arc::from([]))])), expected);
    }
}
