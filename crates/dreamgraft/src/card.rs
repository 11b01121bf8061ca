//! The page about an exported agent: a model card as Hugging Face reads it, which begins with YAML.

use dreamer::{AgentConfig, Cell, Latent};
use std::path::Path;
use study::statistics::{deviation, mean};
use train::{About, Learned, Plays, Policy};
use wording::{counted, rounded};

/// The model card of the agent of `run`, with the returns of `plays` and animations of these names.
pub fn card(run: &Path, learned: &Learned<Policy>, plays: &[Plays], videos: &[String]) -> String {
    let About { tasks, frames, external, .. } = &learned.about;
    let base = transfer::read_report(run).ok().flatten();
    let bases: Vec<String> = base
        .iter()
        .flat_map(|report| &report.sources)
        .map(|source| source.provenance.path.display().to_string())
        .collect();
    let mut text = "---\nlibrary_name: dreamgraft\npipeline_tag: reinforcement-learning\ntags:\n".to_owned();
    let tags = ["dreamgraft", "reinforcement-learning", "dreamer", "world-model"].into_iter();
    for tag in tags.chain(tasks.iter().map(String::as_str)) {
        text.push_str(&format!("  - {}\n", quoted(tag)));
    }
    if !bases.is_empty() {
        // Hubs link to models on the hub; the author replaces the paths.
        text.push_str("base_model:\n");
        bases.iter().for_each(|base| text.push_str(&format!("  - {}\n", quoted(base))));
    }
    text.push_str(&format!("model-index:\n  - name: {}\n    results:\n", quoted(&tasks.join("+"))));
    for played in plays {
        let task = quoted(&played.task);
        text.push_str(&format!(
            "      - task:\n          type: reinforcement-learning\n          name: reinforcement-learning\n        \
             dataset:\n          name: {task}\n          type: {task}\n        metrics:\n          - type: mean_reward\n            \
             value: {}\n            name: mean_reward\n            verified: false\n",
            quoted(&earned(played))
        ));
    }
    let title = tasks.join(", ");
    text.push_str(&format!("---\n\n# {title}\n\n"));
    videos.iter().for_each(|video| text.push_str(&format!("![The agent in an episode]({video})\n")));
    text.push_str(&format!(
        "\nA {} agent, trained by dreamgraft {} on {} of {title}, with {}.\n\n\
         | task | mean return | episodes | seed |\n| --- | --- | --- | --- |\n",
        kind(learned.agent.config()),
        env!("CARGO_PKG_VERSION"),
        frames.counted(),
        counted(learned.agent.updates(), "gradient step"),
    ));
    for played in plays {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            played.task,
            earned(played),
            played.returns.len(),
            played.seed
        ));
    }
    for environment in external {
        text.push_str(&format!("\nThe environment `{}` is provided by {}.\n", environment.task, environment.programs));
    }
    if let Some(report) = &base {
        let count = counted(bases.len() as u64, "earlier agent");
        text.push_str(&format!(
            "\nIt started with parameters of {count}, under {}: {}.\n",
            report.plan,
            bases.join(", ")
        ));
    }
    let space = learned.agent.config().observation_space();
    let observed = match (space.image, space.vector) {
        (Some(_), 0) => "an image, [H, W, 3] bytes".to_owned(),
        (None, size) => format!("a vector of {size} numbers"),
        (Some(_), _) => "a dict with the keys image and vector".to_owned(),
    };
    text.push_str(&format!(
        "\n## Use\n\nIn Python, with the folder of this page as `DIR`:\n\n```python\nimport dreamgraft\n\n\
         agent = dreamgraft.load(\"DIR\")\nagent.reset()\naction = agent.act(observation)  # {observed}; the action has the \
         environment's units\n```\n\nTo start a new agent from it: `dreamgraft train TASK --from DIR`, with the `--preset` that this one was trained with. \
         `results.json` has the \
         return of every episode above, and `config.json` the agent's settings.\n"
    ));
    text
}

/// The kind of world model: DreamerV3's has categorical states and a cell in blocks.
fn kind(config: &AgentConfig) -> &'static str {
    match (config.cell, config.latent) {
        (Cell::BlockGru, Latent::Categorical) => "DreamerV3",
        _ => "Dreamer",
    }
}

/// Mean and standard deviation of the returns.
fn earned(played: &Plays) -> String {
    let mean = mean(&played.returns).map_or("none".to_owned(), |mean| rounded(mean, 2));
    match deviation(&played.returns) {
        Some(deviation) => format!("{mean} +/- {}", rounded(deviation, 2)),
        None => mean,
    }
}

/// A text as a scalar of YAML, in double quotes: those of JSON are some.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
