//! The table of metrics contains every metric of a step, and `docs/metrics.md` shows the table.

use dreamer::metrics::MetricGroup;
use dreamer::{
    Agent, AgentConfig, Divergence, LossWeights, METRICS, Metric, Reconstruction, ReturnsFrom, RewardSource,
    StepMetrics,
};
use replay::Batch;

/// The group's table as the page has it.
fn markdown(group: MetricGroup) -> String {
    let mut table = String::from("| name | unit | what it is | healthy |\n| --- | --- | --- | --- |\n");
    for row in METRICS.iter().filter(|row| row.group == group) {
        table.push_str(&format!("| `{}` | {} | {} | {} |\n", row.name, row.unit, row.formula, row.healthy));
    }
    table
}

#[test]
fn the_page_has_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let page = std::fs::read_to_string(path).unwrap();
    for (heading, group) in [
        ("## World model: does it encode and predict well?", MetricGroup::WorldModel),
        ("## Behaviour: does imagination agree with the environment?", MetricGroup::Behaviour),
    ] {
        let expected = format!("{heading}\n\n{}\n", markdown(group));
        assert!(page.contains(&expected), "docs/metrics.md should have this section:\n\n{expected}");
    }
}

#[test]
fn texts_fit_into_a_table() {
    for row in METRICS {
        for text in [row.name, row.unit, row.formula, row.healthy] {
            assert!(!text.is_empty() && !text.contains(['|', '\n']), "{}: {text:?}", row.name);
        }
    }
}

/// An agent with every loss that can be combined with all others.
fn config() -> AgentConfig {
    AgentConfig {
        depth: 2,
        stoch: 3,
        deter: 5,
        hidden: 6,
        units: 7,
        batch: 2,
        length: 3,
        horizon: 3,
        shard: 1,
        discount_head: true,
        reward_sources: vec![RewardSource { layers: 1, units: 4, ..RewardSource::default() }],
        reward_sources_l1: 0.5,
        vector: 2,
        vector_units: 4,
        vector_scale: 3.0,
        ..AgentConfig::default()
    }
}

/// The metrics of a gradient step of a new agent.
fn metrics(config: &AgentConfig) -> StepMetrics {
    let transitions = config.batch * config.length;
    let mut batch = Batch::new(config.batch, config.length);
    batch.action_size = 2;
    batch.image = vec![100; transitions * 64 * 64 * 3];
    batch.vector = vec![3.0; transitions * 2];
    batch.action = vec![0.5; transitions * 2];
    batch.reward = vec![1.0; transitions];
    batch.discount = vec![1.0; transitions];
    Agent::new(config, 2, 1).unwrap().learn(&batch).unwrap()
}

#[test]
fn a_step_reports_every_metric_in_the_tables_order() {
    // A balanced divergence has two metrics more, the loss on replayed states has one, and nothing else has them.
    for divergence in [Divergence::Mean, Divergence::Balanced] {
        let replay_value = if divergence == Divergence::Balanced { 0.3 } else { 0.0 };
        let config = AgentConfig {
            divergence,
            representation_scale: 0.3,
            returns_from: ReturnsFrom::Start,
            replay_value,
            ..config()
        };
        let metrics = metrics(&config);
        let names: Vec<&str> = metrics.named().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, METRICS.map(|row| row.name));
        let balanced = divergence == Divergence::Balanced;
        for row in METRICS {
            assert_eq!(row.metric.name(), row.name);
            let of_balanced =
                matches!(row.metric, Metric::DynamicsLoss | Metric::RepresentationLoss | Metric::ReplayValueLoss);
            let of_others = row.metric == Metric::BarlowLoss || row.name.ends_with("_weight");
            assert!(metrics[row.metric].is_finite(), "{}", row.name);
            assert_eq!(metrics[row.metric] != 0.0, (balanced || !of_balanced) && !of_others, "{}", row.name);
        }
        // The loss of the world model is made from its terms.
        let terms = [Metric::ImageLoss, Metric::RewardLoss].map(|metric| metrics[metric]);
        let divergence = if balanced {
            metrics[Metric::DynamicsLoss] + 0.3 * metrics[Metric::RepresentationLoss]
        } else {
            metrics[Metric::Kl].max(config.free_nats)
        };
        let expected = config.kl_scale * divergence
            + terms.iter().sum::<f64>()
            + 6.0 * metrics[Metric::VectorLoss]
            + 0.5 * metrics[Metric::RewardSourceL1]
            + config.discount_scale * metrics[Metric::DiscountLoss];
        assert!((metrics[Metric::ModelLoss] - expected).abs() < 1e-9 * expected.abs());
    }
}

/// At the start, a learned weight is that of the settings, and each kind of loss adds ln(1 + e^0) = ln 2.
#[test]
fn the_loss_of_the_world_model_with_learned_weights() {
    for (divergence, reconstruction) in [
        (Divergence::Mean, Reconstruction::Image),
        (Divergence::Balanced, Reconstruction::Image),
        (Divergence::Balanced, Reconstruction::Barlow),
    ] {
        let config = AgentConfig {
            divergence,
            reconstruction,
            loss_weights: LossWeights::Harmony,
            representation_scale: 0.3,
            kl_scale: 0.7,
            barlow_scale: 0.2,
            ..config()
        };
        let metrics = metrics(&config);
        let barlow = reconstruction == Reconstruction::Barlow;
        let weights = [Metric::RewardWeight, Metric::DivergenceWeight, Metric::ImageWeight, Metric::VectorWeight];
        for (weight, expected) in weights.into_iter().zip([true, true, !barlow, !barlow]) {
            assert!((metrics[weight] - f64::from(u8::from(expected))).abs() < 1e-6, "{}", weight.name());
        }
        assert!((metrics[Metric::BarlowWeight] - f64::from(u8::from(barlow))).abs() < 1e-6);
        let (divergence, share) = match divergence {
            Divergence::Mean => (metrics[Metric::Kl].max(config.free_nats), 1.0),
            Divergence::Balanced => {
                let sum = metrics[Metric::DynamicsLoss] + 0.3 * metrics[Metric::RepresentationLoss];
                (sum / 1.3, 1.0 / 1.3)
            }
        };
        let (decoded, kinds) = if barlow {
            (0.2 * metrics[Metric::BarlowLoss], 1.0)
        } else {
            (metrics[Metric::ImageLoss] + 6.0 * metrics[Metric::VectorLoss], 2.0)
        };
        let expected = 0.7 * divergence
            + decoded
            + metrics[Metric::RewardLoss]
            + (kinds + 1.0 + share) * std::f64::consts::LN_2
            + 0.5 * metrics[Metric::RewardSourceL1]
            + config.discount_scale * metrics[Metric::DiscountLoss];
        let found = metrics[Metric::ModelLoss];
        assert!((found - expected).abs() < 1e-6 * expected.abs(), "{found} {expected}");
        assert_eq!(metrics[Metric::BarlowLoss] > 0.0, barlow);
    }
}
