//! Steps whose batches are copied to a device while the steps before run, compared with steps that wait for their copy.

use crate::compare::{ACTIONS, batch, small};
use dreamer::{Agent, AgentConfig, Given};
use replay::Batch;
use std::sync::atomic::AtomicBool;
use tape::plan::Device;

/// How many steps are taken.
const STEPS: u8 = 4;

/// A batch like no other of these.
fn numbered(config: &AgentConfig, number: u8) -> Batch {
    let mut batch = batch(config);
    batch.image.iter_mut().for_each(|byte| *byte = byte.wrapping_add(41 * number));
    batch.reward.iter_mut().for_each(|reward| *reward += f32::from(number));
    batch.action.iter_mut().for_each(|action| *action *= 1.0 - 0.2 * f32::from(number));
    batch
}

/// Checks that every step reads its own batch, when the batch is prepared during the step before.
///
/// # Panics
/// If a metric or a parameter differs in any bit from that of steps that wait, or a metric of these from the CPU's.
pub fn check_prepared_batches(device: &dyn Device) {
    let config = small();
    let batches: Vec<Batch> = (0..STEPS).map(|number| numbered(&config, number)).collect();
    let [mut waiting, mut ahead] = [0, 1].map(|_| {
        let mut agent = Agent::new(&config, ACTIONS, 1).unwrap();
        agent.move_to(device).unwrap();
        agent
    });
    let mut here = Agent::new(&config, ACTIONS, 1).unwrap();
    let never = AtomicBool::new(false);
    for (number, batch) in batches.iter().enumerate() {
        let expected = waiting.learn(batch).unwrap();
        for ((name, found), (_, known)) in expected.named().into_iter().zip(here.learn(batch).unwrap().named()) {
            let close = (found - known).abs() <= 1e-2 * (1.0 + known.abs());
            assert!(close, "{name} of step {number} is {found}, and {known} on the CPU");
        }
        let given = if number == 0 { Given::Batch(batch) } else { Given::Prepared };
        assert!(ahead.start_on_device(&never, given).unwrap());
        if let Some(next) = batches.get(number + 1) {
            ahead.prepare(next).unwrap();
        }
        assert!(ahead.learn(batch).unwrap() == expected, "the metrics of step {number} are those of another batch");
    }
    let [waiting, ahead] = [waiting, ahead].map(|mut agent| {
        agent.sync_from_device().unwrap();
        let bits = agent.learner().parameters().data().iter().map(|x| x.to_bits());
        bits.collect::<Vec<u32>>()
    });
    assert!(waiting == ahead, "the parameters after all steps");
}
