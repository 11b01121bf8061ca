//! Paths as text, for JSON and TOML, which hold nothing but Unicode.
//!
//! A path that is UTF-8 is its own text. Any other is `bytes:`, followed by its bytes as in an URL: letters, digits and `/._-` as they
//! are, each other byte as `%` and two hexadecimal digits. Reading gives the same path again.

use serde::de::{Deserialize, Deserializer};
use serde::ser::Serializer;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The beginning of the text of a path that cannot stand for itself.
const MARK: &str = "bytes:";

/// The text of a path.
pub fn encode(path: &Path) -> Cow<'_, str> {
    if let Some(text) = path.to_str().filter(|text| !text.starts_with(MARK)) {
        return Cow::Borrowed(text);
    }
    let mut text = MARK.to_owned();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02x}"));
        }
    }
    Cow::Owned(text)
}

/// The path of a text. A text that [`encode`] does not write stands for itself.
pub fn decode(text: &str) -> PathBuf {
    text.strip_prefix(MARK).and_then(bytes).map_or_else(|| text.into(), |bytes| OsStr::from_bytes(&bytes).into())
}

/// The bytes of an encoded path, without its mark.
fn bytes(encoded: &str) -> Option<Vec<u8>> {
    let mut parts = encoded.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

/// Writes a path as its text.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encode(path))
}

/// Reads a path from its text.
///
/// # Errors
/// Those of the deserializer.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Ok(decode(&String::deserialize(deserializer)?))
}

/// The same for a path that may be missing.
pub mod option {
    use super::{Deserialize, Deserializer, PathBuf, Serializer, decode, encode};

    /// Writes a path as its text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
        match path {
            Some(path) => serializer.serialize_some(&*encode(path)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a path from its text.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.as_deref().map(decode))
    }
}

/// The same for a list of paths.
pub mod list {
    use super::{Deserialize, Deserializer, PathBuf, Serializer, decode, encode};

    /// Writes paths as their texts.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().map(|path| encode(path)))
    }

    /// Reads paths from their texts.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        Ok(Vec::<String>::deserialize(deserializer)?.iter().map(|text| decode(text)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_a_text_that_gives_it_back() {
        let paths: [(&[u8], &str); 6] = [
            (b"runs/hopper/small/0", "runs/hopper/small/0"),
            ("\u{e9} %41".as_bytes(), "\u{e9} %41"),
            (b"a\xffb", "bytes:a%ffb"),
            (b"/x \xc3/\n%", "bytes:/x%20%c3/%0a%25"),
            (b"bytes:a%ffb", "bytes:bytes%3aa%25ffb"),
            (b"", ""),
        ];
        for (bytes, text) in paths {
            let path = Path::new(OsStr::from_bytes(bytes));
            assert_eq!((&*encode(path), &*decode(text)), (text, path));
        }
        for text in ["bytes:%", "bytes:%f", "bytes:%zz", "bytes:a%\u{e9}"] {
            assert_eq!(decode(text), Path::new(text));
        }
    }

    #[test]
    fn paths_are_read_as_they_were_written() {
        #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        struct Paths {
            #[serde(with = "super")]
            one: PathBuf,
            #[serde(with = "super::option")]
            perhaps: Option<PathBuf>,
            #[serde(with = "super::list")]
            many: Vec<PathBuf>,
        }
        let odd = || PathBuf::from(OsStr::from_bytes(b"\xfe"));
        let paths = Paths { one: odd(), perhaps: Some(odd()), many: vec![odd(), "a".into()] };
        let text = serde_json::to_string(&paths).unwrap();
        assert_eq!(text, r#"{"one":"bytes:%fe","perhaps":"bytes:%fe","many":["bytes:%fe","a"]}"#);
        assert_eq!(serde_json::from_str::<Paths>(&text).unwrap(), paths);
        let none = r#"{"one":"a","perhaps":null,"many":[]}"#;
        assert_eq!(serde_json::from_str::<Paths>(none).unwrap().perhaps, None);
    }
}
