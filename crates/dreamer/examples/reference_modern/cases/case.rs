//! [`Case`]: the inputs of a reference case, and [`Results`]: what is computed from them.

use crate::tensors::Tensors;
use serde_json::Value;
use tape::{Gradients, Parameters, Tape, Var, Workspace};

/// The inputs of a case, `CASE/in/...`, and the sizes and constants of all cases.
pub struct Case<'a> {
    pub tensors: &'a Tensors,
    pub config: &'a Value,
    pub name: &'a str,
}

/// The results of a case by their names, `CASE/out/...`.
#[derive(Default)]
pub struct Results(pub Tensors);

impl Results {
    /// Adds a result.
    pub fn put(&mut self, name: impl Into<String>, shape: &[usize], numbers: impl Into<Vec<f64>>) {
        self.0.insert(name.into(), (shape.to_vec(), numbers.into()));
    }

    /// Adds a result that is one number.
    pub fn scalar(&mut self, name: impl Into<String>, number: f64) {
        self.put(name, &[], [number]);
    }
}

impl<'a> Case<'a> {
    fn tensor(&self, name: &str) -> Result<&'a (Vec<usize>, Vec<f64>), String> {
        let name = format!("{}/in/{name}", self.name);
        self.tensors.get(&name).ok_or_else(|| format!("the file lacks {name}"))
    }

    /// The numbers of an input.
    pub fn numbers(&self, name: &str) -> Result<&'a [f64], String> {
        Ok(&self.tensor(name)?.1)
    }

    /// The shape of an input.
    pub fn shape(&self, name: &str) -> Result<&'a [usize], String> {
        Ok(&self.tensor(name)?.0)
    }

    /// An input that is one number.
    pub fn scalar(&self, name: &str) -> Result<f64, String> {
        let numbers = self.numbers(name)?;
        if numbers.len() == 1 { Ok(numbers[0]) } else { Err(format!("{name} has {} numbers", numbers.len())) }
    }

    /// Whether the case has this input.
    pub fn has(&self, name: &str) -> bool {
        self.tensor(name).is_ok()
    }

    /// The names of the inputs below a path such as `w/`, without the path.
    pub fn names_below(&self, path: &str) -> Vec<&'a str> {
        let path = format!("{}/in/{path}", self.name);
        self.tensors.keys().filter_map(|name| name.strip_prefix(&path)).collect()
    }

    /// The product of all dimensions of an input but the last: the rows of a matrix.
    pub fn rows(&self, name: &str) -> Result<usize, String> {
        let shape = self.shape(name)?;
        Ok(shape[..shape.len().saturating_sub(1)].iter().product())
    }

    fn setting(&self, key: &str) -> Result<&'a Value, String> {
        let value = key.split('.').try_fold(self.config, |value, part| value.get(part));
        value.ok_or_else(|| format!("the configuration lacks {key}"))
    }

    /// A constant of the configuration.
    pub fn number(&self, key: &str) -> Result<f64, String> {
        self.setting(key)?.as_f64().ok_or_else(|| format!("{key} is not a number"))
    }

    /// A size of the configuration, such as `modern.deter`.
    pub fn size(&self, key: &str) -> Result<usize, String> {
        let number = self.setting(key)?.as_u64().ok_or_else(|| format!("{key} is not a whole number"))?;
        Ok(number as usize)
    }

    /// A switch of the configuration.
    pub fn switch(&self, key: &str) -> Result<bool, String> {
        self.setting(key)?.as_bool().ok_or_else(|| format!("{key} is not true or false"))
    }

    /// The four multipliers of the channels of images, such as `image.mults`.
    pub fn multipliers(&self, key: &str) -> Result<[usize; 4], String> {
        let numbers = self.setting(key)?.as_array().ok_or_else(|| format!("{key} is not a list"))?;
        let numbers: Option<Vec<usize>> = numbers.iter().map(|number| Some(number.as_u64()? as usize)).collect();
        numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(|| format!("{key} is not four whole numbers"))
    }

    /// Checks constants that are fixed in this agent.
    pub fn fixed(&self, constants: &[(&str, f64)]) -> Result<(), String> {
        for &(key, ours) in constants {
            let theirs = self.number(key)?;
            if theirs != ours {
                return Err(format!("{key} is {theirs}, and this agent's is {ours}"));
            }
        }
        Ok(())
    }

    /// All weights of the case as parameters of the same names.
    pub fn weights(&self) -> Result<Parameters<f64>, String> {
        self.weights_named(&self.names_below("w/"), "w/")
    }

    /// These inputs below a path as parameters of the same names.
    pub fn weights_named(&self, names: &[&str], path: &str) -> Result<Parameters<f64>, String> {
        let mut weights = Parameters::new();
        for name in names {
            weights.declare(name, self.shape(&format!("{path}{name}"))?);
        }
        weights.allocate();
        for name in names {
            let parameter = weights.find(name).expect("it was declared");
            weights.values_mut(parameter).copy_from_slice(self.numbers(&format!("{path}{name}"))?);
        }
        Ok(weights)
    }

    /// An input as a leaf of a recording: a matrix of rows.
    pub fn leaf(&self, tape: &mut Tape<f64>, name: &str) -> Result<Var, String> {
        let (rows, numbers) = (self.rows(name)?, self.numbers(name)?);
        Ok(tape.leaf(rows, numbers.len() / rows, |y| y.copy_from_slice(numbers)))
    }

    /// An input as a constant of a recording: a matrix of rows.
    pub fn constant(&self, tape: &mut Tape<f64>, name: &str) -> Result<Var, String> {
        self.leaf(tape, name).map(Var::detached)
    }
}

/// Records with the gradients of all `weights`.
pub fn record<R>(
    weights: &Parameters<f64>,
    record: impl FnOnce(&mut Tape<f64>, &mut Gradients<f64>) -> Result<R, String>,
) -> Result<R, String> {
    let (all, mut workspace) = (weights.set(|_| true), Workspace::default());
    let mut gradients = Gradients::new(&all);
    record(&mut Tape::new(weights, &all, &mut workspace), &mut gradients)
}

/// The gradient of a leaf, zeros if nothing depends on it.
pub fn gradient(tape: &Tape<f64>, leaf: Var) -> Vec<f64> {
    let (rows, cols) = tape.shape(leaf);
    tape.gradient(leaf).map_or_else(|| vec![0.0; rows * cols], <[f64]>::to_vec)
}

/// A column [N, 1] or any other matrix as a constant.
pub fn matrix(tape: &mut Tape<f64>, numbers: &[f64], cols: usize) -> Var {
    tape.constant(numbers.len() / cols, cols, |y| y.copy_from_slice(numbers))
}

/// Columns of each row.
pub fn columns(numbers: &[f64], cols: usize, wanted: std::ops::Range<usize>) -> Vec<f64> {
    numbers.chunks_exact(cols).flat_map(|row| &row[wanted.clone()]).copied().collect()
}

/// Two matrices side by side: `left` [N, L] and `right` [N, R] to [N, L + R].
pub fn beside(left: &[f64], right: &[f64], rows: usize) -> Vec<f64> {
    let rows = left.chunks_exact(left.len() / rows).zip(right.chunks_exact(right.len() / rows));
    rows.flat_map(|(left, right)| left.iter().chain(right)).copied().collect()
}

/// Numbers [first, second, size] as [second, first, size].
pub fn swapped(numbers: &[f64], first: usize, second: usize) -> Vec<f64> {
    let size = numbers.len() / (first * second);
    let rows = (0..second).flat_map(|s| (0..first).map(move |f| f * second + s));
    rows.flat_map(|row| &numbers[row * size..][..size]).copied().collect()
}

/// The mean of numbers.
pub fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// Minus each number.
pub fn negated(numbers: &[f64]) -> Vec<f64> {
    numbers.iter().map(|x| -x).collect()
}
