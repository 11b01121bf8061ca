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

/// A folder that only this user can read, with the model and its assets; removed when dropped.
pub struct Files {
    folder: tempfile::TempDir,
    model: &'static str,
}

impl Files {
    /// Writes `text` as the file `model`, and every asset next to it.
    pub fn write(model: &'static str, text: &str, assets: &[Asset<'_>]) -> Result<Self, LoadError> {
        let failed = |source| LoadError::File { folder: std::env::temp_dir(), source };
        let folder = tempfile::Builder::new().prefix("bullet-").tempdir().map_err(failed)?;
        std::fs::write(folder.path().join(model), text).map_err(failed)?;
        for asset in assets {
            let name = Path::new(asset.name);
            assert!(name.file_name() == Some(name.as_os_str()), "asset {:?} must be a plain file name", asset.name);
            std::fs::write(folder.path().join(name), asset.bytes).map_err(failed)?;
        }
        Ok(Self { folder, model })
    }

    /// The model's absolute path, for Bullet.
    pub fn path(&self) -> CString {
        let path = self.folder.path().join(self.model).into_os_string().into_encoded_bytes();
        CString::new(path).expect("a path that the system has accepted has no NUL")
    }
}
