//! The table of metrics contains every metric of a step, and `docs/metrics.md` shows the table.

use dreamer::metrics::MetricGroup;
use dreamer::{Agent, AgentConfig, Divergence, METRICS, Metric, ReturnsFrom, RewardSource};
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

#[test]
fn a_step_reports_every_metric_in_the_tables_order() {
    let config = AgentConfig {
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
    };
    let transitions = config.batch * config.length;
    let mut batch = Batch::new(config.batch, config.length);
    batch.action_size = 2;
    batch.image = vec![100; transitions * 64 * 64 * 3];
    batch.vector = vec![3.0; transitions * 2];
    batch.action = vec![0.5; transitions * 2];
    batch.reward = vec![1.0; transitions];
    batch.discount = vec![1.0; transitions];
    // A balanced divergence has two metrics more, the loss on replayed states has one, and nothing else has them.
    for divergence in [Divergence::Mean, Divergence::Balanced] {
        let replay_value = if divergence == Divergence::Balanced { 0.3 } else { 0.0 };
        let config = AgentConfig {
            divergence,
            representation_scale: 0.3,
            returns_from: ReturnsFrom::Start,
            replay_value,
            ..config.clone()
        };
        let metrics = Agent::new(&config, 2, 1).unwrap().learn(&batch).unwrap();
        let names: Vec<&str> = metrics.named().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, METRICS.map(|row| row.name));
        let balanced = divergence == Divergence::Balanced;
        for row in METRICS {
            assert_eq!(row.metric.name(), row.name);
            let of_balanced =
                matches!(row.metric, Metric::DynamicsLoss | Metric::RepresentationLoss | Metric::ReplayValueLoss);
            assert!(metrics[row.metric].is_finite(), "{}", row.name);
            assert_eq!(metrics[row.metric] != 0.0, balanced || !of_balanced, "{}", row.name);
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
