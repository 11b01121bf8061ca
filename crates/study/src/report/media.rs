//! The images of a page: embedded up to a size limit, or by their addresses on a server.

use crate::manifest::Role;
use crate::results::{Image, ImageKind, Results};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

/// The limit for the total size of the images in a page, in bytes.
pub const MOST_BYTES: u64 = 24 << 20;

/// The limit for the size of one image, in bytes.
pub const LARGEST: u64 = 6 << 20;

/// The place of the images of a page.
#[derive(Debug)]
pub enum Media {
    /// In the page: the data, by run and image.
    Embedded(BTreeMap<(usize, usize), String>),
    /// On the server that the page comes from.
    Served,
}

impl Media {
    /// Embeds the images of targets, first those of one run of each task and method, then others, up to the limit.
    pub fn embed(results: &Results, most: u64) -> Self {
        let mut first = BTreeSet::new();
        let mut order = Vec::new();
        for (index, run) in results.runs.iter().enumerate().filter(|(_, run)| run.role == Role::Target) {
            let later = run.images.is_empty() || !first.insert((&run.tasks, &run.method, &run.source));
            order.push((later, index));
        }
        order.sort_unstable();
        let (mut budget, mut data) = (most, BTreeMap::new());
        for (_, run) in order {
            for (index, image) in results.runs[run].images.iter().enumerate() {
                if image.bytes > budget.min(LARGEST) {
                    continue;
                }
                if let Some(bytes) = read(image) {
                    budget = budget.saturating_sub(bytes.len() as u64);
                    data.insert((run, index), format!("data:{};base64,{}", mime(image.kind), STANDARD.encode(bytes)));
                }
            }
        }
        Self::Embedded(data)
    }

    /// The address of image `image` of run `run`; `None` if it is left out.
    pub fn address(&self, run: usize, image: usize, frames: u64) -> Option<String> {
        match self {
            Self::Embedded(data) => data.get(&(run, image)).cloned(),
            Self::Served => Some(format!("/media/{run}/{image}?{frames}")),
        }
    }
}

/// The bytes of an image; `None` if it cannot be read, is too large, or is not an image.
pub fn read(image: &Image) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    files::open_file(&image.path).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    let begins: &[u8] = match image.kind {
        ImageKind::Episode => b"GIF8",
        ImageKind::OpenLoop => b"\x89PNG",
    };
    (bytes.len() as u64 <= LARGEST && bytes.starts_with(begins)).then_some(bytes)
}

/// The media type for browsers.
pub fn mime(kind: ImageKind) -> &'static str {
    match kind {
        ImageKind::Episode => "image/gif",
        ImageKind::OpenLoop => "image/png",
    }
}
