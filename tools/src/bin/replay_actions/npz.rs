//! Arrays in npz files: a zip archive with one `.npy` file for each.

use std::fs::File;
use std::io::{BufWriter, Cursor, Write};
use std::path::Path;

use npyz::WriterBuilder;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::Error;

/// An axis of any length, where a shape is expected.
pub const ANY: usize = usize::MAX;

/// An npz file to read.
pub struct Reader {
    archive: ZipArchive<File>,
}

impl Reader {
    /// Opens the file at `path`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let archive = File::open(path)
            .map_err(Error::from)
            .and_then(|file| Ok(ZipArchive::new(file)?))
            .map_err(|error| format!("cannot read {} as an npz file: {error}", path.display()))?;
        Ok(Self { archive })
    }

    /// The shape of the array called `name`, if the file has it.
    pub fn shape(&mut self, name: &str) -> Result<Option<Vec<u64>>, Error> {
        Ok(self.file(name)?.map(|file| file.shape().to_vec()))
    }

    /// The array called `name`, which must be in C order and have the expected shape.
    pub fn array<T: npyz::Deserialize>(&mut self, name: &str, expected: &[usize]) -> Result<Vec<T>, Error> {
        let file = self.file(name)?.ok_or_else(|| format!("there is no array \"{name}\""))?;
        let shape = file.shape();
        let fits =
            shape.len() == expected.len() && shape.iter().zip(expected).all(|(&a, &b)| b == ANY || a == b as u64);
        if !fits || file.order() != npyz::Order::C {
            let axis = |&length: &usize| if length == ANY { "any".to_owned() } else { length.to_string() };
            let expected = expected.iter().map(axis).collect::<Vec<_>>().join(", ");
            return Err(format!("array \"{name}\" has shape {shape:?}, not [{expected}] in C order").into());
        }
        let kind = file.dtype().descr();
        Ok(file.into_vec().map_err(|error| format!("array \"{name}\" of type {kind}: {error}"))?)
    }

    fn file(&mut self, name: &str) -> Result<Option<npyz::NpyFile<impl std::io::Read>>, Error> {
        let entry = match self.archive.by_name(&format!("{name}.npy")) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(format!("cannot read array \"{name}\": {error}").into()),
        };
        let file = npyz::NpyFile::new(entry).map_err(|error| format!("array \"{name}\" is damaged: {error}"))?;
        Ok(Some(file))
    }
}

/// An npz file to write.
pub struct Writer {
    archive: ZipWriter<BufWriter<File>>,
}

impl Writer {
    /// Creates the file at `path`.
    pub fn create(path: &Path) -> Result<Self, Error> {
        Ok(Self { archive: ZipWriter::new(BufWriter::new(File::create(path)?)) })
    }

    /// Adds an array in C order.
    pub fn put<T: npyz::AutoSerialize>(&mut self, name: &str, shape: &[usize], values: Vec<T>) -> Result<(), Error> {
        let shape: Vec<u64> = shape.iter().map(|&length| length as u64).collect();
        let mut bytes = Cursor::new(vec![]);
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
        writer.extend(values)?;
        writer.finish()?;
        self.archive.start_file(format!("{name}.npy"), SimpleFileOptions::default())?;
        self.archive.write_all(&bytes.into_inner())?;
        Ok(())
    }

    /// Completes the file.
    pub fn finish(self) -> Result<(), Error> {
        self.archive.finish()?.flush()?;
        Ok(())
    }
}
