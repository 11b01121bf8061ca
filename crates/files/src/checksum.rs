//! Checksums that other tools compute too.

use crate::open_file;
use sha2::{Digest, Sha256};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Size and checksums of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksums {
    /// Its size.
    pub bytes: u64,
    /// SHA-256, as `sha256sum` prints it.
    pub sha256: String,
    /// CRC-32, as zip and png use it.
    pub crc32: u32,
}

impl Checksums {
    /// Those of the file at `path`, which is read piece by piece.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let (mut sha256, mut crc32, mut bytes) = (Sha256::new(), crc32fast::Hasher::new(), 0);
        for_each_piece(path, |piece| {
            sha256.update(piece);
            crc32.update(piece);
            bytes += piece.len() as u64;
        })?;
        Ok(Self { bytes, sha256: hexadecimal(&sha256.finalize()), crc32: crc32.finalize() })
    }
}

/// Size and CRC-32 of the file at `path`: many times faster than SHA-256.
///
/// # Errors
/// If the file cannot be read.
pub fn crc32_of_file(path: &Path) -> io::Result<(u64, u32)> {
    let (mut crc32, mut bytes) = (crc32fast::Hasher::new(), 0);
    for_each_piece(path, |piece| {
        crc32.update(piece);
        bytes += piece.len() as u64;
    })?;
    Ok((bytes, crc32.finalize()))
}

/// The SHA-256 of bytes in memory, as `sha256sum` prints it.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn for_each_piece(path: &Path, mut work: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = open_file(path)?;
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => work(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_published_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let sums = Checksums::of_file(&path).unwrap();
        assert_eq!((sums.bytes, sums.crc32), (3, 0x352441c2));
        assert_eq!(crc32_of_file(&path).unwrap(), (3, 0x352441c2));
        // FIPS 180-2, appendix B.1.
        assert_eq!(sums.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha256(b"abc"), sums.sha256);
    }

    #[test]
    fn pieces_make_no_difference() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        let bytes: Vec<u8> = (0..200_000u32).map(|x| x as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let sums = Checksums::of_file(&path).unwrap();
        assert_eq!((sums.bytes, sums.sha256), (200_000, sha256(&bytes)));
    }
}
