//! Files that are read and written whole.
//!
//! Here: [`write_atomically`], the one way in which this project writes a whole file; [`create_folders`], the one way in which it makes
//! folders; [`read_bytes`] and [`read_text`], which never read more than they are allowed to, nor wait for ever; [`Checksums`];
//! [`path_text`], paths in files that hold only text; [`layout`], the names of files that several crates use. Not here: what any file
//! means, and files that grow by appending.

mod atomic;
mod bounded;
mod checksum;
mod folders;
pub mod layout;
pub mod path_text;

pub use atomic::{check_writable, is_partial, write_atomically};
pub use bounded::{ReadError, open_file, read_bytes, read_text};
pub use checksum::{Checksums, crc32_of_file, sha256};
pub use folders::{create_folders, sync_folder};
