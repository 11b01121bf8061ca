//! The shapes of the inputs of each case, so that a file with other shapes is refused with one line.
//!
//! Weights of networks are not here: an agent knows the sizes of its own.

use super::case::Case;
use std::collections::BTreeMap;

/// The inputs of the cases whose names begin like this.
struct Inputs {
    cases: &'static str,
    /// The group of the configuration that has the sizes.
    group: &'static str,
    /// The names of inputs, and their shape: one expression for each dimension. A word is a size of the group, a capital
    /// letter one that the configuration does not have: the first input with it decides. Operators are applied from left
    /// to right. A case need not have an input whose name ends with `?`.
    shapes: &'static [(&'static [&'static str], &'static str)],
}

const LAMBDA: &[(&[&str], &str)] = &[(&["reward", "con", "value"], "N T"), (&["cot/returns"], "N T-1")];
const REPLAY: &[&str] = &["reward", "bootstrap", "is_last", "is_terminal"];
const FLAGS: &[&str] = &["reward", "is_first", "is_last", "is_terminal"];
const HARMONY: &[&str] = &["loss_continue", "loss_image", "loss_reward"];

/// In this order; the first whose name fits is taken.
const ALL: &[Inputs] = &[
    Inputs {
        cases: "balanced_kl/categorical",
        group: "kl",
        shapes: &[(&["post_logits", "prior_logits"], "batch time S classes")],
    },
    Inputs {
        cases: "balanced_kl/gaussian",
        group: "kl",
        shapes: &[(&["post_mean", "post_std", "prior_mean", "prior_std"], "batch time S")],
    },
    Inputs {
        cases: "barlow",
        group: "barlow",
        shapes: &[(&["feat"], "N F"), (&["embed"], "N E"), (&["w/projector/kernel"], "F E")],
    },
    Inputs {
        cases: "block_gru",
        group: "gru",
        shapes: &[(&["deter", "cot/deter"], "rows deter"), (&["stoch"], "rows S"), (&["action"], "rows action")],
    },
    Inputs {
        cases: "bounded_normal",
        group: "actor",
        shapes: &[
            (&["mean_raw", "std_raw", "action", "noise", "cot/bounded_sample", "cot/sample"], "N A"),
            (&["cot/entropy", "cot/log_prob"], "N"),
        ],
    },
    Inputs {
        cases: "categorical/latent",
        group: "cat",
        shapes: &[
            (&["logits", "other_logits", "gumbel", "cot/sample?"], "N S classes"),
            (&["uniform", "cot/entropy?", "cot/kl"], "N S"),
            (&["cot/log_prob?"], "N"),
        ],
    },
    Inputs { cases: "continue", group: "replay", shapes: &[(&["logits", "is_terminal"], "N T")] },
    Inputs {
        cases: "discrete_actor/",
        group: "actor",
        shapes: &[(&["logits", "gumbel", "cot/sample?"], "N classes"), (&["cot/entropy?", "cot/log_prob?"], "N")],
    },
    Inputs {
        cases: "dynamics/rollout",
        group: "imag",
        shapes: &[
            (&["state"], "N state"),
            (&["P"], "state state"),
            (&["Q"], "A state"),
            (&["heads"], "state 3"),
            (&["mean_raw", "std_raw", "noise"], "H N A"),
        ],
    },
    Inputs {
        cases: "dynamics/trajectory",
        group: "imag",
        shapes: &[(&["reward", "con", "value"], "N T"), (&["mean_raw", "std_raw"], "N T-1 A")],
    },
    Inputs { cases: "harmony/one_kl", group: "harmony", shapes: &[(HARMONY, "B T"), (&["loss_kl"], "B T")] },
    Inputs { cases: "harmony/", group: "harmony", shapes: &[(HARMONY, "B T"), (&["loss_dyn", "loss_rep"], "B T")] },
    Inputs { cases: "lambda/imagined", group: "imag", shapes: LAMBDA },
    Inputs { cases: "lambda/replay", group: "replay", shapes: &[(REPLAY, "N T"), (&["cot/returns"], "N T-1")] },
    Inputs {
        cases: "modern",
        group: "modern",
        shapes: &[
            (&["image_u8"], "batch time 64 64 3"),
            (&["action"], "batch time action"),
            (FLAGS, "batch time"),
            (&["noise/prior", "noise/post"], "time batch stoch"),
            (&["noise/act"], "horizon batch*time action"),
            (&["noise/img"], "horizon batch*time stoch"),
        ],
    },
    Inputs {
        cases: "reinforce/continuous",
        group: "imag",
        shapes: &[(&["mean_raw", "std_raw", "action"], "N H A"), (&["returns", "value", "weight"], "N H")],
    },
    Inputs {
        cases: "reinforce/discrete",
        group: "imag",
        shapes: &[(&["logits"], "N H K"), (&["index", "returns", "value", "weight"], "N H")],
    },
    Inputs {
        cases: "replay_value",
        group: "replay",
        shapes: &[(&["logits", "slow_logits"], "N T K"), (REPLAY, "N T")],
    },
    Inputs {
        cases: "resets/gaussian",
        group: "resets",
        shapes: &[
            (&["action"], "batch time action"),
            (&["embed"], "batch time embed"),
            (&["carry/deter"], "batch deter"),
            (&["carry/stoch"], "batch stoch"),
            (&["is_first"], "batch time"),
            (&["noise/prior", "noise/post"], "time batch stoch"),
            (&["cot/post_deter?"], "batch time deter"),
            (&["cot/post_std?", "cot/post_stoch?", "cot/prior_mean?", "cot/prior_std?"], "batch time stoch"),
        ],
    },
    Inputs {
        cases: "resets/categorical",
        group: "resets",
        shapes: &[
            (&["action"], "batch time action"),
            (&["tokens"], "batch time tokens"),
            (&["carry/deter"], "batch c_deter"),
            (&["carry/stoch"], "batch c_stoch c_classes"),
            (&["is_first"], "batch time"),
            (&["noise/gumbel"], "time batch c_stoch c_classes"),
            (&["cot/post_deter?"], "batch time c_deter"),
            (&["cot/post_logit?", "cot/post_stoch?", "cot/prior_logit?"], "batch time c_stoch c_classes"),
        ],
    },
    Inputs { cases: "return_scale/", group: "scale", shapes: &[(&["returns"], "U N H")] },
    Inputs {
        cases: "rms_norm/conv",
        group: "rms",
        shapes: &[
            (&["x"], "N H W C"),
            (&["w/h/kernel"], "k k C D"),
            (&["w/h/bias", "w/h/scale"], "D"),
            (&["cot/y"], "N H-k/stride+1 W-k/stride+1 D"),
        ],
    },
    Inputs {
        cases: "rms_norm/dense",
        group: "rms",
        shapes: &[(&["x"], "N I"), (&["w/h/kernel"], "I O"), (&["w/h/bias", "w/h/scale"], "O"), (&["cot/y"], "N O")],
    },
    Inputs { cases: "rms_norm/plain", group: "rms", shapes: &[(&["x", "cot/y"], "N O"), (&["scale"], "O")] },
    Inputs { cases: "rms_norm/silu", group: "rms", shapes: &[(&["x", "cot/y"], "N")] },
    Inputs {
        cases: "slow_value/loss",
        group: "imag",
        shapes: &[(&["logits", "slow_logits"], "N T K"), (&["weight"], "N T"), (&["returns"], "N T-1")],
    },
    Inputs { cases: "slow_value/update", group: "imag", shapes: &[(&["w/slow", "w/value"], "I O")] },
    Inputs {
        cases: "twohot/symlog",
        group: "twohot",
        shapes: &[(&["x", "cot/symlog"], "N"), (&["y", "cot/symexp"], "M")],
    },
    Inputs {
        cases: "twohot/",
        group: "twohot",
        shapes: &[(&["logits"], "N K"), (&["wide_logits"], "M K"), (&["target", "cot/cross_entropy", "cot/mean"], "N")],
    },
    Inputs {
        cases: "v3_image/",
        group: "image",
        shapes: &[
            (&["image_u8"], "n 64 64 3"),
            (&["deter"], "n deter"),
            (&["stoch"], "n stoch*classes"),
            (&["cot/loss"], "n"),
            (&["cot/tokens"], "n T"),
        ],
    },
    Inputs {
        cases: "v3_vector",
        group: "vector",
        shapes: &[
            (&["vector"], "N V"),
            (&["deter"], "N deter"),
            (&["stoch"], "N F"),
            (&["cot/loss"], "N"),
            (&["cot/tokens"], "N units"),
        ],
    },
    Inputs {
        cases: "v3",
        group: "v3",
        shapes: &[
            (&["image_u8"], "batch time 64 64 3"),
            (&["action"], "batch time action"),
            (FLAGS, "batch time"),
            (&["carry/deter"], "batch deter"),
            (&["carry/stoch"], "batch stoch classes"),
            (&["noise/post"], "time batch stoch classes"),
            (&["noise/img"], "horizon batch*time stoch classes"),
            (&["noise/act"], "horizon+1 batch*time action"),
        ],
    },
    Inputs {
        cases: "zero_columns/",
        group: "meta",
        shapes: &[
            (&["feat"], "N stoch+deter"),
            (&["source_mean", "source_deviation"], "sources"),
            (&["cot/reward"], "N"),
            (&["w/meta/h0/kernel"], "sources+stoch+deter units"),
        ],
    },
];

/// Checks the shapes of a case's inputs, and that it has all of them.
pub fn check(case: &Case) -> Result<(), String> {
    let Some(inputs) = ALL.iter().find(|inputs| case.name.starts_with(inputs.cases)) else { return Ok(()) };
    let mut letters = BTreeMap::new();
    for (names, shape) in inputs.shapes {
        for name in *names {
            let optional = name.ends_with('?');
            let name = name.trim_end_matches('?');
            if !optional || case.has(name) {
                check_input(case, inputs.group, &mut letters, name, shape)?;
            }
        }
    }
    Ok(())
}

fn check_input(
    case: &Case,
    group: &str,
    letters: &mut BTreeMap<&'static str, usize>,
    name: &str,
    shape: &'static str,
) -> Result<(), String> {
    let found = case.shape(name)?;
    let mut expected = Vec::new();
    for (index, expression) in shape.split(' ').enumerate() {
        if expression.len() == 1
            && expression.chars().all(char::is_uppercase)
            && let Some(size) = found.get(index)
        {
            letters.entry(expression).or_insert(*size);
        }
        expected.push(value(case, group, letters, expression)?);
    }
    if found == expected {
        Ok(())
    } else {
        Err(format!("{name} is {found:?}, and {expected:?} is expected: [{shape}]"))
    }
}

/// The value of an expression, whose operators are applied from left to right.
fn value(case: &Case, group: &str, letters: &BTreeMap<&str, usize>, expression: &str) -> Result<usize, String> {
    let mut value: usize = 0;
    let mut operator = '+';
    for part in expression.split_inclusive(['+', '-', '*', '/']) {
        let word = part.trim_end_matches(['+', '-', '*', '/']);
        let operand = match (word.parse(), letters.get(word)) {
            (Ok(number), _) => number,
            (_, Some(size)) => *size,
            _ if word.chars().all(char::is_uppercase) => {
                return Err(format!("an input has too few dimensions for {word}"));
            }
            _ => case.size(&format!("{group}.{word}"))?,
        };
        value = match operator {
            '+' => value.checked_add(operand),
            '-' => value.checked_sub(operand),
            '*' => value.checked_mul(operand),
            _ => value.checked_div(operand),
        }
        .ok_or_else(|| format!("the sizes of {group} do not fit together: {expression}"))?;
        operator = part.chars().last().unwrap_or('+');
    }
    Ok(value)
}
