//! Writing the file of an agent without a copy of it in memory: an agent of 200 million parameters has a checkpoint of 2.4 GB.
//!
//! Here: the layout of a safetensors file, whose header the library `safetensors` makes. Not here: what the file of an agent
//! holds, and reading it (`checkpoint`, `policy_file`).

use crate::DreamerError;
use crate::checkpoint::{ENTRY, Metadata};
use safetensors::tensor::{Dtype, Metadata as Header, TensorInfo};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// A tensor's name, shape and numbers.
pub(crate) type Tensor<'a> = (String, &'a [usize], &'a [f32]);

/// Numbers that are turned into bytes at once.
const AT_ONCE: usize = 16_384;

/// Writes the file of an agent and syncs it to the disk. Tensors are ordered by name, so that equal agents give equal bytes.
///
/// # Errors
/// [`DreamerError::Io`] if the file cannot be written.
pub(crate) fn write(path: &Path, mut tensors: Vec<Tensor<'_>>, metadata: &Metadata) -> Result<(), DreamerError> {
    tensors.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let header = header(&tensors, metadata);
    files::write_atomically(path, |out| {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        let mut bytes = Vec::with_capacity(AT_ONCE * size_of::<f32>());
        for (.., numbers) in &tensors {
            for some in numbers.chunks(AT_ONCE) {
                bytes.clear();
                bytes.extend(some.iter().flat_map(|number| number.to_le_bytes()));
                out.write_all(&bytes)?;
            }
        }
        Ok(())
    })
    .map_err(|source| DreamerError::Io { path: path.to_owned(), source })
}

/// The header: JSON, which spaces make as long as a multiple of eight bytes.
fn header(tensors: &[Tensor<'_>], metadata: &Metadata) -> Vec<u8> {
    let mut end = 0;
    let places = tensors.iter().map(|(name, shape, numbers)| {
        let begin = end;
        end += size_of_val(*numbers);
        (name.clone(), TensorInfo { dtype: Dtype::F32, shape: shape.to_vec(), data_offsets: (begin, end) })
    });
    let metadata = serde_json::to_string(metadata).expect("plain data");
    let header = Header::new(Some(HashMap::from([(ENTRY.to_owned(), metadata)])), places.collect())
        .expect("distinct names and whole tensors");
    let mut text = serde_json::to_vec(&header).expect("plain data");
    text.resize(text.len().next_multiple_of(8), b' ');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Agent, AgentConfig};
    use safetensors::SafeTensors;
    use safetensors::tensor::TensorView;

    #[test]
    fn files_are_those_of_the_library() {
        let config = AgentConfig {
            depth: 2,
            stoch: 3,
            deter: 8,
            hidden: 8,
            units: 70,
            reward_layers: 3,
            ..AgentConfig::default()
        };
        let agent = Agent::new(&config, 2, 7).expect("an agent");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.safetensors");
        agent.save(&path).expect("a file");
        let written = std::fs::read(&path).expect("the file");
        let (_, header) = SafeTensors::read_metadata(&written).expect("a header");
        let read = SafeTensors::deserialize(&written).expect("a safetensors file");
        let views = read.tensors().into_iter().map(|(name, tensor)| {
            (name, TensorView::new(Dtype::F32, tensor.shape().to_vec(), tensor.data()).expect("a view"))
        });
        let again = safetensors::serialize(views, header.metadata().clone()).expect("bytes");
        assert!(written == again);
    }
}
