//! Bitwise identity: any number of threads, any batch, any way to the embeddings; and no allocation.

use super::ALLOCATIONS;
use super::kinds::{batch, in_pool, projecting, tiny, weighing, weights, with_images, with_options, with_vectors};
use dreamer::{ActMode, Agent, AgentConfig, ImageNetwork, Precision};
use environment::Observation;
use random::Stream;

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let vectors = AgentConfig { images: false, ..with_vectors() };
    let images = [ImageNetwork::V3Pool, ImageNetwork::V3Strided].map(with_images);
    let all = [tiny(false), tiny(true), with_vectors(), vectors, with_options(), projecting(), weighing()];
    for config in all.into_iter().chain(images) {
        let data = batch(&config, 2);
        let run = |threads| {
            in_pool(threads, || {
                let mut agent = Agent::new(&config, 2, 7).unwrap();
                let metrics: Vec<_> = (0..4).map(|_| agent.learn(&data).unwrap()).collect();
                (metrics, weights(&agent))
            })
        };
        let one = run(1);
        assert!(one.0.iter().all(|metrics| metrics.not_finite().is_none()));
        for threads in [2, 3, 8] {
            let many = run(threads);
            assert_eq!(one.0, many.0);
            assert!(one.1 == many.1, "weights differ on {threads} threads");
        }
    }
}

#[test]
fn an_embedding_is_bitwise_identical_in_any_batch() {
    for precision in [Precision::F32, Precision::Bf16] {
        // Not only the tiny sizes: larger ones are computed in other tiles.
        let agents = [2, 8].map(|depth| AgentConfig { depth, ..tiny(false) });
        let images = [ImageNetwork::V3Pool, ImageNetwork::V3Strided].map(with_images);
        for config in agents.into_iter().chain(images) {
            let config = AgentConfig { precision, frozen_encoder: true, ..config };
            let (data, size) = (batch(&config, 2), config.embed());
            let mut agent = Agent::new(&config, 2, 7).unwrap();
            assert_eq!(agent.embedding_size(), Some(size));
            let pixels = 64 * 64 * 3;
            let mut embed = |images: &[u8], threads| {
                let mut all = vec![0.0; images.len() / pixels * size];
                in_pool(threads, || agent.embed(images, &mut all));
                all
            };
            let images = data.image.repeat(3);
            let together = embed(&images, 2);
            for part in [1, 2, 7, 33] {
                for (index, images) in images.chunks(part * pixels).enumerate() {
                    let alone = embed(images, 1);
                    assert_eq!(
                        alone,
                        together[index * part * size..][..alone.len()],
                        "{part} at a time, {precision:?}"
                    );
                }
            }
        }
    }
    assert_eq!(Agent::new(&tiny(false), 2, 7).unwrap().embedding_size(), None);
}

#[test]
fn known_embeddings_change_nothing_but_the_work() {
    for precision in [Precision::F32, Precision::Bf16] {
        let config = AgentConfig { depth: 8, precision, frozen_encoder: true, ..tiny(true) };
        let unknown = batch(&config, 2);
        let run = |known: bool| {
            let mut agent = Agent::new(&config, 2, 7).unwrap();
            let mut data = unknown.clone();
            if known {
                data.embedding = vec![0.0; config.batch * config.length * config.embed()];
                agent.embed(&data.image, &mut data.embedding);
            }
            let metrics: Vec<_> = (0..3).map(|_| agent.learn(&data).unwrap()).collect();
            (metrics, weights(&agent))
        };
        let (computed, known) = (run(false), run(true));
        assert_eq!(computed.0, known.0);
        assert!(computed.1 == known.1, "weights differ in {precision:?}");
    }
}

#[test]
fn tf32_is_f32_on_the_cpu() {
    let run = |precision| {
        let config = AgentConfig { depth: 8, precision, ..tiny(false) };
        let mut agent = Agent::new(&config, 2, 7).unwrap();
        (agent.learn(&batch(&config, 2)).unwrap(), weights(&agent))
    };
    assert!(run(Precision::Tf32) == run(Precision::F32));
}

#[test]
fn a_step_allocates_nothing_after_the_first() {
    let images = [ImageNetwork::V3Pool, ImageNetwork::V3Strided].map(with_images);
    for config in [tiny(true), with_vectors(), with_options(), projecting(), weighing()].into_iter().chain(images) {
        let data = batch(&config, 2);
        let seen = Observation { image: &data.image, vector: &data.vector }.part(&config.observation_space(), 0..1);
        in_pool(1, || {
            let mut agent = Agent::new(&config, 2, 7).unwrap();
            agent.learn(&data).unwrap();
            let mut state = agent.begin();
            let (mut random, mut action) = (Stream::new(1, "act"), [0.0; 2]);
            agent.act(&mut state, seen, ActMode::Explore, &mut random, &mut action);
            let before = ALLOCATIONS.get();
            for _ in 0..3 {
                agent.learn(&data).unwrap();
                agent.act(&mut state, seen, ActMode::Explore, &mut random, &mut action);
            }
            assert_eq!(ALLOCATIONS.get() - before, 0);
        });
    }
}
