//! The header of numpy's `.npy` format, versions 1 to 3: type, order and shape of an array.
//!
//! Here: reading a header from any bytes in bounded memory, and writing one. Not here: the array's data.
//! Source: numpy's documentation of `numpy.lib.format`.

use std::io::Read;

/// The six bytes every file begins with.
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// The longest header that is read: a hundred times as long as the arrays of an episode need.
const LONGEST_HEADER: usize = 8192;
/// Most dimensions that are read.
const MOST_DIMENSIONS: usize = 32;

/// Type and shape of an array in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Numpy's description of the type, like `<f4`.
    pub descr: String,
    /// The shape; empty for a single value.
    pub shape: Vec<u64>,
}

impl Header {
    /// The header's bytes in version 1: their number is a multiple of 64.
    pub fn bytes(&self) -> Vec<u8> {
        let shape: String = match self.shape.as_slice() {
            [one] => format!("{one},"),
            many => many.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
        };
        let mut text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}", self.descr);
        let prefix = MAGIC.len() + 4;
        while !(prefix + text.len() + 1).is_multiple_of(64) {
            text.push(' ');
        }
        text.push('\n');
        let length = u16::try_from(text.len()).expect("a header of a few dimensions is a few hundred bytes");
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend(length.to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    /// Reads a header and leaves `source` at the array's first byte.
    ///
    /// # Errors
    /// A description of the problem.
    pub fn read(source: &mut impl Read) -> Result<Self, String> {
        let mut fixed = [0; 8];
        fill(source, &mut fixed)?;
        if fixed[..6] != *MAGIC {
            return Err("it does not start like a NumPy array".to_owned());
        }
        let length = match fixed[6] {
            1 => {
                let mut length = [0; 2];
                fill(source, &mut length)?;
                usize::from(u16::from_le_bytes(length))
            }
            2 | 3 => {
                let mut length = [0; 4];
                fill(source, &mut length)?;
                u32::from_le_bytes(length) as usize
            }
            version => {
                return Err(format!("it has NumPy format version {version}, but this program reads versions 1 to 3"));
            }
        };
        if length > LONGEST_HEADER {
            return Err(format!("it claims {length} bytes, more than the limit of {LONGEST_HEADER}"));
        }
        let mut text = vec![0; length];
        fill(source, &mut text)?;
        let text = str::from_utf8(&text).map_err(|_| "it is not text".to_owned())?;
        parse(text).ok_or_else(|| format!("{:?} does not describe an array in C order", cut(text.trim_end())))
    }
}

fn fill(source: &mut impl Read, bytes: &mut [u8]) -> Result<(), String> {
    source.read_exact(bytes).map_err(|error| error.to_string())
}

/// At most the first 200 characters, for a message.
fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Reads the Python dictionary of a header: its three keys in any order, once each.
fn parse(text: &str) -> Option<Header> {
    let mut rest = Rest(text);
    let (mut descr, mut c_order, mut shape) = (None, None, None);
    rest.expect("{")?;
    while !rest.accept("}") {
        let key = rest.quoted()?;
        rest.expect(":")?;
        match key {
            "descr" if descr.is_none() => descr = Some(rest.quoted()?.to_owned()),
            "fortran_order" if c_order.is_none() => {
                rest.expect("False")?;
                c_order = Some(());
            }
            "shape" if shape.is_none() => shape = Some(rest.tuple()?),
            _ => return None,
        }
        if !rest.accept(",") {
            rest.expect("}")?;
            break;
        }
    }
    c_order?;
    rest.0.trim().is_empty().then_some(())?;
    Some(Header { descr: descr?, shape: shape? })
}

/// The text that is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn accept(&mut self, token: &str) -> bool {
        match self.0.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Option<()> {
        self.accept(token).then_some(())
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let quote = if self.accept("'") { '\'' } else { self.expect("\"").map(|()| '"')? };
        let (inside, rest) = self.0.split_once(quote)?;
        self.0 = rest;
        (!inside.contains('\\')).then_some(inside)
    }

    fn tuple(&mut self) -> Option<Vec<u64>> {
        let mut numbers = Vec::new();
        self.expect("(")?;
        while !self.accept(")") {
            numbers.push(self.number()?);
            if !self.accept(",") {
                self.expect(")")?;
                // Python reads (5) as a number: a tuple of one has a comma.
                return (numbers.len() > 1).then_some(numbers);
            }
            if numbers.len() > MOST_DIMENSIONS {
                return None;
            }
        }
        Some(numbers)
    }

    fn number(&mut self) -> Option<u64> {
        let text = self.0.trim_start();
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        self.0 = &text[end..];
        text[..end].parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Header, String> {
        Header::read(&mut &bytes[..])
    }

    fn version_1(text: &str) -> Vec<u8> {
        [MAGIC, &[1, 0][..], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
    }

    #[test]
    fn a_header_is_the_bytes_that_numpy_writes() {
        let bytes = Header { descr: "<f4".into(), shape: vec![501] }.bytes();
        let mut expected =
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (501,), }".to_vec();
        expected.resize(127, b' ');
        expected.push(b'\n');
        assert_eq!(bytes, expected);
    }

    #[test]
    fn all_versions_and_ways_to_write_a_dictionary_are_read() {
        let expected = Header { descr: "|u1".into(), shape: vec![2, 3] };
        for text in [
            "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n",
            "{'shape':(2,3,),\"descr\":\"|u1\",'fortran_order':False}",
        ] {
            assert_eq!(read(&version_1(text)).unwrap(), expected);
            for version in [2, 3] {
                let length = (text.len() as u32).to_le_bytes();
                let bytes = [MAGIC, &[version, 0][..], &length, text.as_bytes()].concat();
                assert_eq!(read(&bytes).unwrap(), expected);
            }
        }
        let scalar = version_1("{'descr': '<U6', 'fortran_order': False, 'shape': (), }");
        assert_eq!(read(&scalar).unwrap(), Header { descr: "<U6".into(), shape: vec![] });
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (5), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-5,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), } more",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), 'more': 1}",
            "{'descr': '<f4', 'fortran_order': False, 'descr': '<f4', 'shape': (5,)}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (5,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (5,)",
            "{'descr': '<f4', 'shape': (5,)}",
        ] {
            assert!(read(&version_1(text)).is_err(), "{text}");
        }
        let many = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", "1, ".repeat(33));
        assert!(read(&version_1(&many)).is_err());
        let claim = [MAGIC, &[2, 0, 0xff, 0xff, 0xff, 0xff][..]].concat();
        assert!(read(&claim).unwrap_err().contains("4294967295 bytes"));
        assert!(read(b"\x93NUMPY\x04\x00\x00\x00").unwrap_err().contains("version 4"));
        assert!(read(b"PK\x03\x04 and so on").is_err());
    }

    proptest! {
        #[test]
        fn headers_round_trip(descr in "[<|>][a-zA-Z][0-9]{1,3}", shape in prop::collection::vec(any::<u64>(), 0..5)) {
            let header = Header { descr, shape };
            let bytes = header.bytes();
            prop_assert_eq!(bytes.len() % 64, 0);
            prop_assert_eq!(read(&bytes).unwrap(), header);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[{}()',: 0-9a-z\\\\PC]{0,80}") {
            let _ = read(&version_1(&text));
        }
    }
}
