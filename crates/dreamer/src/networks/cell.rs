//! The recurrent cell: the next deterministic state, given the last latent state and the action.
//!
//! Both kinds read the action through a layer of its own, or through rows of one, whose share of the sums depends on no state.

use super::declaration::{Inputs, Layers, Reads};
use super::layer::{Finish, HiddenLayer, Style};
use crate::AgentConfig;
use crate::config::Cell;
use tape::{Activation, GruWeights, Parameter, Real, Tape, Var};

/// The layers of a cell.
#[derive(Clone, Copy, Debug)]
pub(super) enum RecurrentCell {
    /// A layer that reads [stoch, action], and Keras's GRU: Dreamer V1.
    Gru {
        img1: HiddenLayer,
        gru: GruWeights,
        /// The size of stoch.
        stoch: usize,
    },
    /// A layer for each of deter, stoch and action, and two layers in blocks, each of which has its own piece of the
    /// deterministic state: DreamerV3.
    Blocks {
        deter_in: HiddenLayer,
        stoch_in: HiddenLayer,
        action_in: HiddenLayer,
        /// [K, D / K + 3 hidden, D / K].
        hidden: (Parameter, Parameter),
        finish: Finish,
        /// [K, D / K, 3 D / K].
        gates: (Parameter, Parameter),
        /// K.
        blocks: usize,
    },
}

/// The layers of a cell that read states and actions, which are declared before those of prior and posterior.
pub(super) enum CellInputs {
    Gru(HiddenLayer),
    Blocks([HiddenLayer; 3]),
}

impl CellInputs {
    pub fn declare<F: Real>(network: &mut Layers<'_, '_, F>, config: &AgentConfig, action_size: usize) -> Self {
        let style = Style::of(config);
        let reads = [(Reads::Deter, config.deter), (Reads::Stoch, config.state_size()), (Reads::Action, action_size)];
        let mut layer = |name: &str, inputs: &[(Reads, usize)]| {
            HiddenLayer::declare(network, name, Inputs::of(inputs), config.hidden, style)
        };
        match config.cell {
            Cell::Gru => Self::Gru(layer("img1", &reads[1..])),
            Cell::BlockGru => {
                let [deter, stoch, action] = reads;
                Self::Blocks([layer("deter_in", &[deter]), layer("stoch_in", &[stoch]), layer("action_in", &[action])])
            }
        }
    }
}

impl RecurrentCell {
    /// Declares the rest of a cell.
    pub fn declare<F: Real>(network: &mut Layers<'_, '_, F>, config: &AgentConfig, inputs: CellInputs) -> Self {
        let &AgentConfig { deter, hidden, blocks, .. } = config;
        match inputs {
            CellInputs::Gru(img1) => {
                let recurrent_inputs = Inputs::of(&[(Reads::Deter, deter)]);
                let gru = GruWeights {
                    kernel: network.kernel("gru.kernel", Inputs::hidden(hidden), 3 * deter),
                    recurrent: network.kernel("gru.recurrent_kernel", recurrent_inputs, 3 * deter),
                    bias: network.parameter("gru.bias", &[2, 3 * deter]),
                };
                Self::Gru { img1, gru, stoch: config.state_size() }
            }
            CellInputs::Blocks([deter_in, stoch_in, action_in]) => {
                let width = deter / blocks;
                let mut layer = |name: &str, inputs: usize, outputs: usize| {
                    let kernel = network.parameter(&format!("{name}.kernel"), &[blocks, inputs, outputs]);
                    (kernel, network.parameter(&format!("{name}.bias"), &[blocks * outputs]))
                };
                let hidden_layer = layer("block_hidden", width + 3 * hidden, width);
                let gates = layer("block_gates", width, 3 * width);
                let finish = Finish::declare(network, "block_hidden", deter, Style::of(config), Activation::Elu);
                Self::Blocks { deter_in, stoch_in, action_in, hidden: hidden_layer, finish, gates, blocks }
            }
        }
    }

    /// The action's share of the cell's sums: [N, A] to [N, hidden]. It depends on no state, so that a whole sequence's is
    /// computed at once.
    pub fn action_part<F: Real>(&self, tape: &mut Tape<F>, action: Var) -> Var {
        match self {
            Self::Gru { img1, stoch, .. } => img1.part(tape, action, *stoch),
            Self::Blocks { action_in, .. } => action_in.forward(tape, action),
        }
    }

    /// The next deterministic state [N, D] from stoch [N, S], deter [N, D] and the action's part [N, hidden].
    pub fn step<F: Real>(&self, tape: &mut Tape<F>, stoch: Var, deter: Var, action_part: Var) -> Var {
        match *self {
            Self::Gru { img1, gru, .. } => {
                let x = img1.forward_plus(tape, stoch, action_part);
                tape.gru(x, deter, gru)
            }
            Self::Blocks { deter_in, stoch_in, hidden, finish, gates, blocks, .. } => {
                let (from_deter, from_stoch) = (deter_in.forward(tape, deter), stoch_in.forward(tape, stoch));
                let from_state = tape.concat(from_deter, from_stoch);
                let shared = tape.concat(from_state, action_part);
                let sums = tape.block_dense(deter, Some(shared), hidden.0, hidden.1);
                let x = finish.all(tape, sums);
                let sums = tape.block_dense(x, None, gates.0, gates.1);
                tape.block_gates(sums, deter, blocks)
            }
        }
    }
}
