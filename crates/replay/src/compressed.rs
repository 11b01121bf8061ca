//! An episode as the replay memory keeps it: each image is compressed by itself.
//!
//! Here: compressing, decompressing and counting bytes. Not here: which episodes are kept (`memory`).
//!
//! The codec is the LZ4 block format, because a window is decompressed for every gradient step: its decoder is faster
//! than the rest of a batch costs. Images do not refer to each other, so a window can begin anywhere.

use std::ops::Range;

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

use crate::{Arrays, Episode, IMAGE_BYTES, Sizes};

/// An [`Episode`] with compressed images. Decompressing gives back every byte.
#[derive(Clone, Debug, PartialEq)]
pub struct CompressedEpisode {
    task: Box<str>,
    sizes: Sizes,
    images: Images,
    vector: Box<[f32]>,
    action: Box<[f32]>,
    reward: Box<[f32]>,
    discount: Box<[f32]>,
}

/// Compressed images, one after the other.
#[derive(Clone, Debug, PartialEq)]
struct Images {
    bytes: Box<[u8]>,
    /// The end of each image in `bytes`. An image of [`IMAGE_BYTES`] bytes is stored as it is.
    ends: Box<[usize]>,
}

impl CompressedEpisode {
    /// Compresses an episode. Images that LZ4 does not make smaller are stored uncompressed.
    pub fn new(episode: Episode) -> Self {
        let Episode { task, sizes, arrays } = episode;
        let Arrays { image, vector, action, reward, discount } = arrays;
        Self {
            task: task.into_boxed_str(),
            sizes,
            images: Images::compress(&image),
            vector: vector.into_boxed_slice(),
            action: action.into_boxed_slice(),
            reward: reward.into_boxed_slice(),
            discount: discount.into_boxed_slice(),
        }
    }

    /// The episode that was compressed.
    pub fn decompress(&self) -> Episode {
        let mut image = vec![0; self.len() * self.sizes.image()];
        self.copy_images(0..self.len(), &mut image);
        let arrays = Arrays {
            image,
            vector: self.vector.to_vec(),
            action: self.action.to_vec(),
            reward: self.reward.to_vec(),
            discount: self.discount.to_vec(),
        };
        Episode { task: self.task.to_string(), sizes: self.sizes, arrays }
    }

    /// Decompresses the images of `transitions` into `images` `[N, 64, 64, 3]`, without allocating. An episode without images has
    /// none to copy.
    ///
    /// # Panics
    /// If the episode does not have these transitions, or `images` has another size.
    pub fn copy_images(&self, transitions: Range<usize>, images: &mut [u8]) {
        assert_eq!(images.len(), transitions.len() * self.sizes.image(), "one image for each transition");
        for (t, image) in transitions.zip(images.chunks_exact_mut(IMAGE_BYTES)) {
            self.images.decompress(t, image);
        }
    }

    /// The task's name.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The sizes of its transitions.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Vectors `[T+1, V]`; empty if it has none.
    pub fn vector(&self) -> &[f32] {
        &self.vector
    }

    /// Number of transitions, `T + 1`: at least 2.
    #[expect(clippy::len_without_is_empty, reason = "an episode is never empty")]
    pub fn len(&self) -> usize {
        self.reward.len()
    }

    /// Actions `[T+1, A]`, the first one zeros.
    pub fn action(&self) -> &[f32] {
        &self.action
    }

    /// Rewards `[T+1]`, the first one 0.
    pub fn reward(&self) -> &[f32] {
        &self.reward
    }

    /// Discounts `[T+1]`, the first one 1.
    pub fn discount(&self) -> &[f32] {
        &self.discount
    }

    /// Bytes of memory that the episode occupies.
    pub fn bytes(&self) -> u64 {
        let numbers = self.vector.len() + self.action.len() + self.reward.len() + self.discount.len();
        let arrays = self.images.bytes.len() + size_of_val(&*self.images.ends) + numbers * size_of::<f32>();
        (size_of::<Self>() + self.task.len() + arrays) as u64
    }
}

impl Images {
    fn compress(images: &[u8]) -> Self {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(images.len() / IMAGE_BYTES);
        let mut scratch = vec![0; get_maximum_output_size(IMAGE_BYTES)];
        for image in images.chunks_exact(IMAGE_BYTES) {
            let size = compress_into(image, &mut scratch).expect("the scratch buffer has LZ4's largest output size");
            bytes.extend_from_slice(if size < IMAGE_BYTES { &scratch[..size] } else { image });
            ends.push(bytes.len());
        }
        Self { bytes: bytes.into_boxed_slice(), ends: ends.into_boxed_slice() }
    }

    fn decompress(&self, t: usize, image: &mut [u8]) {
        let begin = if t == 0 { 0 } else { self.ends[t - 1] };
        let stored = &self.bytes[begin..self.ends[t]];
        if stored.len() == IMAGE_BYTES {
            image.copy_from_slice(stored);
            return;
        }
        let size = decompress_into(stored, image).expect("these bytes were compressed here");
        assert_eq!(size, IMAGE_BYTES, "only whole images are compressed");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An episode with these images and distinct numbers everywhere else.
    fn episode(images: &[Vec<u8>]) -> Episode {
        let length = images.len();
        let numbers: Vec<f32> = (0..length).map(|t| t as f32 / 1024.0).collect();
        Episode::new("ant", 1, images.concat(), numbers.clone(), numbers, vec![1.0; length]).unwrap()
    }

    fn noise(seed: u64) -> Vec<u8> {
        let mut random = random::Stream::new(seed, "noise");
        (0..IMAGE_BYTES).map(|_| random.below(256) as u8).collect()
    }

    /// Any image: `pattern` repeated, with a stretch of noise at a random place.
    fn image() -> impl Strategy<Value = Vec<u8>> {
        let pattern = prop::collection::vec(any::<u8>(), 1..400);
        (pattern, any::<u64>(), 0..=IMAGE_BYTES, 0..=IMAGE_BYTES).prop_map(|(pattern, seed, a, b)| {
            let mut image: Vec<u8> = pattern.into_iter().cycle().take(IMAGE_BYTES).collect();
            let range = a.min(b)..a.max(b);
            image[range.clone()].copy_from_slice(&noise(seed)[range]);
            image
        })
    }

    #[test]
    fn noise_is_stored_as_it_is_and_flat_images_are_small() {
        let images = [noise(1), vec![255; IMAGE_BYTES], noise(2), vec![0; IMAGE_BYTES]];
        let kept = CompressedEpisode::new(episode(&images));
        let ends = &kept.images.ends;
        let sizes: Vec<usize> = (0..4).map(|t| ends[t] - if t == 0 { 0 } else { ends[t - 1] }).collect();
        assert_eq!([sizes[0], sizes[2]], [IMAGE_BYTES; 2]);
        assert!(sizes[1] < 100 && sizes[3] < 100, "{sizes:?}");
        assert_eq!(kept.decompress(), episode(&images));
        let overhead = size_of::<CompressedEpisode>() + "ant".len() + 4 * size_of::<usize>() + 4 * 3 * size_of::<f32>();
        assert_eq!(kept.bytes(), (sizes.iter().sum::<usize>() + overhead) as u64);
    }

    #[test]
    fn memory_that_an_array_does_not_use_is_given_back() {
        let mut images = Vec::with_capacity(1 << 20);
        images.resize(2 * IMAGE_BYTES, 3);
        let mut reward = Vec::with_capacity(1 << 20);
        reward.extend([0.0, 1.0]);
        let episode = Episode::new("ant", 1, images, vec![0.0, 1.0], reward, vec![1.0; 2]).unwrap();
        assert!(CompressedEpisode::new(episode).bytes() < 500);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn every_image_comes_back_bit_by_bit(images in prop::collection::vec(image(), 2..6)) {
            let episode = episode(&images);
            let kept = CompressedEpisode::new(episode.clone());
            prop_assert_eq!(&kept.decompress(), &episode);
            for from in 0..images.len() {
                for to in from..=images.len() {
                    let mut window = vec![7; (to - from) * IMAGE_BYTES];
                    kept.copy_images(from..to, &mut window);
                    prop_assert_eq!(&window[..], &episode.image()[from * IMAGE_BYTES..to * IMAGE_BYTES]);
                }
            }
        }
    }
}
