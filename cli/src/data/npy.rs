//! The .npy format (NumPy's NEP 1): a header that is a Python dictionary literal, then the elements.

use std::io::Read;

use smoothtopk::{Error, Result};

use super::array::{Array, DType};

/// A header longer than this is no array that we could use; numpy itself refuses more than 10,000 by default.
const MAX_HEADER: usize = 1 << 16;

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    dtype: DType,
    big_endian: bool,
    fortran: bool,
    shape: Vec<usize>,
}

/// Reads an array from `reader`, which can hold at most `available` bytes: a header that claims more is refused before
/// anything is allocated for it. `what` names the file in messages.
pub fn read(what: &str, mut reader: impl Read, available: u64) -> Result<Array> {
    let bad = |message: String| Error::data("data", format!("{what}: {message}"));
    let header = read_header(&mut reader).map_err(bad)?;
    let header = parse_header(&header).map_err(bad)?;
    let bytes = header
        .shape
        .iter()
        .try_fold(header.dtype.size(), |product, &length| product.checked_mul(length))
        .filter(|&bytes| bytes as u64 <= available)
        .ok_or_else(|| {
            bad(format!("the header claims an array of shape {:?}, more than the file holds; is it cut?", header.shape))
        })?;
    let mut data = Vec::new();
    data.try_reserve_exact(bytes).map_err(|_| bad(format!("there is no memory for its {bytes} bytes")))?;
    let damaged = |error: std::io::Error| bad(format!("damaged: {error}"));
    let read = reader.by_ref().take(bytes as u64).read_to_end(&mut data).map_err(damaged)?;
    if read != bytes {
        return Err(bad(format!("cut short: {read} bytes of elements where the header claims {bytes}")));
    }
    // A member of a zip is compared with its checksum where a read finds its end.
    if reader.take(1).read_to_end(&mut Vec::new()).map_err(damaged)? > 0 {
        return Err(bad(format!("more bytes follow the {bytes} of the array that the header claims; is it damaged?")));
    }
    Array::new(header.dtype, header.big_endian, header.fortran, header.shape, data).map_err(|e| bad(e.message().into()))
}

/// The header's text.
fn read_header(reader: &mut impl Read) -> Result<String, String> {
    let cut = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "cut short in its header".to_owned(),
        _ => format!("damaged: {error}"),
    };
    let mut start = [0u8; 8];
    reader.read_exact(&mut start).map_err(cut)?;
    if &start[..6] != b"\x93NUMPY" {
        return Err("not a .npy array".to_owned());
    }
    let length = match start[6] {
        1 => {
            let mut length = [0u8; 2];
            reader.read_exact(&mut length).map_err(cut)?;
            usize::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0u8; 4];
            reader.read_exact(&mut length).map_err(cut)?;
            u32::from_le_bytes(length) as usize
        }
        _ => return Err("a .npy version that is not 1, 2 or 3".to_owned()),
    };
    if length > MAX_HEADER {
        return Err("its header is too long for a plain array".to_owned());
    }
    let mut header = vec![0; length];
    reader.read_exact(&mut header).map_err(cut)?;
    String::from_utf8(header).map_err(|_| "its header is not text".to_owned())
}

/// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
fn parse_header(text: &str) -> Result<Header, String> {
    let malformed = || format!("malformed header {:?}", text.trim_end());
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    let mut rest = text.trim().strip_prefix('{').ok_or_else(malformed)?;
    loop {
        rest = rest.trim_start();
        if let Some(end) = rest.strip_prefix('}') {
            rest = end;
            break;
        }
        let (key, after) = quoted(rest).ok_or_else(malformed)?;
        let value = after.trim_start().strip_prefix(':').ok_or_else(malformed)?.trim_start();
        rest = match key {
            "descr" => {
                let Some((word, after)) = quoted(value) else {
                    return Err("its elements are records; only plain numbers can be read".into());
                };
                descr = Some(word);
                after
            }
            "fortran_order" => {
                let (word, after) = value.split_at(value.find([',', '}']).ok_or_else(malformed)?);
                fortran = Some(match word.trim() {
                    "True" => true,
                    "False" => false,
                    _ => return Err(malformed()),
                });
                after
            }
            "shape" => {
                let (inner, after) = value.strip_prefix('(').and_then(|v| v.split_once(')')).ok_or_else(malformed)?;
                let inner = inner.trim().trim_end_matches(',');
                let lengths = inner.split(',').filter(|_| !inner.trim().is_empty());
                shape = Some(
                    lengths.map(|l| l.trim().parse()).collect::<Result<Vec<usize>, _>>().map_err(|_| malformed())?,
                );
                after
            }
            _ => return Err(malformed()),
        };
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    let (Some(descr), Some(fortran), Some(shape), true) = (descr, fortran, shape, rest.trim().is_empty()) else {
        return Err(malformed());
    };
    let (order, kind) = descr.split_at_checked(1).ok_or_else(malformed)?;
    let dtype = DType::parse(kind).filter(|_| "<>|=".contains(order)).ok_or_else(|| {
        format!("its elements are {descr:?}; a number type is needed (bool, int, uint, float16, float32 or float64)")
    })?;
    Ok(Header { dtype, big_endian: order == ">", fortran, shape })
}

/// A quoted word at the start, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn message(bytes: &[u8]) -> String {
        read("x.npy", bytes, bytes.len() as u64).expect_err("must be refused").to_string()
    }

    #[test]
    fn headers_of_all_shapes_parse() {
        for (text, shape) in [("()", vec![]), ("(5,)", vec![5]), ("(2, 3)", vec![2, 3]), ("(2,3,)", vec![2, 3])] {
            let header = parse_header(&format!("{{'descr': '>f8', 'fortran_order': True, 'shape': {text}, }}   \n"));
            assert_eq!(header, Ok(Header { dtype: DType::F64, big_endian: true, fortran: true, shape }));
        }
        let header = parse_header("{\"shape\":(1,),\"fortran_order\":False,\"descr\":\"|u1\"}");
        assert_eq!(header, Ok(Header { dtype: DType::U8, big_endian: false, fortran: false, shape: vec![1] }));
    }

    #[test]
    fn malformed_headers_are_refused_without_a_panic() {
        let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
        for end in 0..good.len() {
            assert!(parse_header(&good[..end]).is_err(), "{:?}", &good[..end]);
        }
        for bad in [
            "{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': 'é', 'fortran_order': False, 'shape': ()}",
            "{'shape': (-1,)}",
            "{}",
            "{'descr': [('a', '<f4')]}",
        ] {
            assert!(parse_header(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_header_that_claims_more_than_the_file_holds_is_refused() {
        let huge = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999), }", &[0; 8]);
        assert!(message(&huge).contains("more than the file holds"));
        let large = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", &[0; 8]);
        assert!(message(&large).contains("more than the file holds"));
        let whole = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", &[0; 16]);
        assert!(read("x.npy", &whole[..], whole.len() as u64).is_ok());
        for end in 0..whole.len() {
            // The bound on what is there may be loose, as it is for a compressed member.
            let error = read("x.npy", &whole[..end], 1 << 20).expect_err("cut");
            assert!(error.to_string().contains("cut short"), "{end}: {error}");
        }
    }
}
