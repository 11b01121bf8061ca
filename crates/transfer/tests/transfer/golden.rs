//! The paper's plan against numbers of an independent double-precision program: agents of 4 and of 3 actions, omega 0.2.

use dreamer::{AgentConfig, Learner};
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use transfer::{Fraction, Take, resolve};

type Tensors = BTreeMap<String, Vec<f64>>;

/// The tensors below a name, under this program's paths.
fn tensors(below: &str) -> Tensors {
    let file = include_bytes!("../../../dreamer/tests/golden/dreamer.safetensors");
    let all = SafeTensors::deserialize(file).unwrap();
    let ours = |name: &str| {
        let (module, rest) = name.split_once('/').unwrap();
        let module = match module {
            "encode" => "world_model.encoder",
            "decode" => "world_model.decoder",
            "dynamics" => "world_model.rssm",
            "reward" => "world_model.reward",
            other => other,
        };
        format!("{module}.{}", rest.replace('/', "."))
    };
    let numbers = |data: &[u8]| data.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let named = all.tensors().into_iter().filter_map(|(name, tensor)| {
        let name = ours(name.strip_prefix(below)?);
        Some((name, numbers(tensor.data())))
    });
    named.collect()
}

fn agent(tensors: &Tensors, action_size: usize) -> Learner<f64> {
    let config = AgentConfig {
        depth: 2,
        stoch: 5,
        deter: 11,
        hidden: 13,
        units: 14,
        reward_layers: 2,
        value_layers: 3,
        actor_layers: 4,
        ..AgentConfig::default()
    };
    let mut learner = Learner::new(&config, action_size).unwrap();
    for (path, numbers) in tensors {
        let parameter = learner.parameters().find(path).unwrap();
        learner.parameters_mut().values_mut(parameter).copy_from_slice(numbers);
    }
    learner
}

#[test]
fn the_papers_plan_equals_the_reference_bit_for_bit() {
    let source = agent(&tensors("ftl/source/"), 4);
    let mut target = agent(&tensors("ftl/target/"), 3);
    let plan = crate::common::preset("paper");
    let resolved = resolve(&plan, &target, &crate::common::sources(&[("a", &source)])).unwrap();
    resolved.apply(&mut target).unwrap();
    let expected = tensors("ftl/result/");
    assert_eq!(expected.len(), 39);
    for (path, expected) in &expected {
        assert_eq!(crate::common::values(&target, path), expected, "{path}");
    }
    let how = |path: &str| resolved.report().parts.iter().find(|part| part.path == path).unwrap().take;
    assert_eq!(how("value.hout.bias"), Take::Fraction(Fraction::Of(0.2)));
    assert_eq!(how("world_model.rssm.gru.bias"), Take::Full);
    assert_eq!(how("actor.hout.kernel"), Take::Random);
}
