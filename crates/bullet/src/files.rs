//! Private files for a loader that reads nothing else.

use std::ffi::CString;
use std::path::Path;

use crate::error::LoadError;

/// A file that a model's text refers to by name: a mesh, a material, a texture.
#[derive(Clone, Copy, Debug)]
pub struct Asset<'a> {
    /// The name in the model's text, without any folder.
    pub name: &'a str,
    /// The file's bytes.
    pub bytes: &'a [u8],
}

/// Folders for temporary files, tried in this order if the system's own cannot be used. The first is memory, not a disk.
const OTHER_FOLDERS: &[&str] = if cfg!(unix) { &["/dev/shm", "/tmp", "/var/tmp"] } else { &[] };

/// A folder that only this user can read, with the model and its assets; removed when dropped.
pub struct Files {
    folder: tempfile::TempDir,
    model: &'static str,
}

impl Files {
    /// Writes `text` as the file `model`, and every asset next to it.
    pub fn write(model: &'static str, text: &str, assets: &[Asset<'_>]) -> Result<Self, LoadError> {
        let own = std::env::temp_dir();
        let written = Self::write_in(&own, model, text, assets).or_else(|source| {
            // The folder that TMPDIR names may be gone, full or read-only, as in many containers.
            let others = OTHER_FOLDERS.iter().map(Path::new).filter(|other| *other != own);
            let mut others = others.filter_map(|other| Self::write_in(other, model, text, assets).ok());
            others.next().ok_or(source)
        });
        written.map_err(|source| LoadError::File { folder: own, source })
    }

    /// As [`Files::write`], in a new folder inside `parent`.
    fn write_in(parent: &Path, model: &'static str, text: &str, assets: &[Asset<'_>]) -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bullet-").tempdir_in(parent)?;
        std::fs::write(folder.path().join(model), text)?;
        for asset in assets {
            let name = Path::new(asset.name);
            assert!(name.file_name() == Some(name.as_os_str()), "asset {:?} must be a plain file name", asset.name);
            std::fs::write(folder.path().join(name), asset.bytes)?;
        }
        Ok(Self { folder, model })
    }

    /// The model's absolute path, for Bullet.
    pub fn path(&self) -> CString {
        let path = self.folder.path().join(self.model).into_os_string().into_encoded_bytes();
        CString::new(path).expect("a path that the system has accepted has no NUL")
    }
}
