//! The kernels' signatures, read from their source, and the check that launches fit them.
//!
//! A kernel is written `extern "C" __global__ void name(float* a, int n, float c)`, with or without `const`,
//! `__restrict__`, `IN_TEAMS` and `__launch_bounds__`; its arguments are pointers, `int` or `unsigned`, and `float`. Anything else
//! is an error. Kernels that a macro would define are not seen.

use std::collections::BTreeMap;

use tape::plan::{Argument, Launch};

use crate::error::{CudaError, Misfit};
use crate::kind::Kind;

/// The most blocks in each direction, on all devices that are supported.
const MOST: [u32; 3] = [i32::MAX as u32, 65_535, 65_535];

/// An argument that a kernel takes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameter {
    name: String,
    kind: Kind,
}

/// What a source says about a kernel.
#[derive(Debug, PartialEq, Eq)]
struct Declared {
    parameters: Vec<Parameter>,
    /// Whether it first waits for the kernel before it.
    waits: bool,
}

/// The parameters of each kernel in a source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signatures(BTreeMap<String, Declared>);

impl Signatures {
    /// Reads the signatures from a source. `file` is its name in messages.
    pub(crate) fn read(file: &str, source: &str) -> Result<Self, CudaError> {
        let plain = without_comments(source);
        let mut kernels = BTreeMap::new();
        for (at, word) in plain.match_indices("__global__") {
            let wrong = |why: String| CudaError::Signature {
                file: file.into(),
                line: 1 + plain[..at].matches('\n').count(),
                why,
            };
            if !plain[..at].trim_end().ends_with("extern \"C\"") {
                return Err(wrong(
                    "write extern \"C\" before __global__, because kernels are looked up by name".into(),
                ));
            }
            let (name, declared) = declaration(&plain[at + word.len()..]).map_err(wrong)?;
            if kernels.insert(name.clone(), declared).is_some() {
                return Err(wrong(format!("kernel {name} is defined twice")));
            }
        }
        Ok(Self(kernels))
    }

    /// The kernels' names.
    pub(crate) fn kernels(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a kernel starts with `BEGIN;`, so that its blocks may start before the kernel before it has ended.
    pub(crate) fn waits(&self, kernel: &str) -> bool {
        self.0.get(kernel).is_some_and(|declared| declared.waits)
    }

    /// Whether each launch fits its kernel, and memory of `length` numbers.
    pub(crate) fn check(&self, launches: &[Launch], length: usize) -> Result<(), CudaError> {
        launches.iter().enumerate().try_for_each(|(number, launch)| {
            let checked = self.misfit(launch, length);
            checked.map_err(|why| CudaError::Launch { number, kernel: launch.kernel, why })
        })
    }

    fn misfit(&self, launch: &Launch, length: usize) -> Result<(), Misfit> {
        let Declared { parameters, .. } = self.0.get(launch.kernel).ok_or(Misfit::Unknown)?;
        let (found, taken) = (launch.arguments.len(), parameters.len());
        if found != taken {
            return Err(Misfit::Count { found, taken });
        }
        for (number, (argument, parameter)) in launch.arguments.iter().zip(parameters).enumerate() {
            let (found, name) = (Kind::from(argument), &parameter.name);
            if found != parameter.kind {
                return Err(Misfit::Kind { number, name: name.clone(), found, taken: parameter.kind });
            }
            // An empty value may lie at the end itself.
            if let &Argument::Place(place) = argument
                && place > length
            {
                return Err(Misfit::Place { number, name: name.clone(), place, length });
            }
        }
        if launch.grid.iter().zip(MOST).any(|(&blocks, most)| blocks == 0 || blocks > most) {
            return Err(Misfit::Grid { grid: launch.grid, most: MOST });
        }
        Ok(())
    }
}

/// A kernel's name and what is declared of it, from the text after `__global__`.
fn declaration(text: &str) -> Result<(String, Declared), String> {
    let form = || "write void name(arguments) after __global__".to_owned();
    let text = without_bounds(text.trim_start())?;
    let text = text.trim_start().strip_prefix("void").filter(|rest| rest.starts_with(char::is_whitespace));
    let text = text.ok_or_else(form)?.trim_start();
    let text = without_bounds(text.strip_prefix("IN_TEAMS").map_or(text, str::trim_start))?;
    let (name, rest) = text.split_once('(').ok_or_else(form)?;
    let (inside, body) = rest.split_once(')').ok_or_else(form)?;
    let waits = body.trim_start().strip_prefix('{').is_some_and(|body| body.trim_start().starts_with("BEGIN;"));
    let name = name.trim();
    if !is_name(name) {
        return Err(form());
    }
    let list = match inside.trim() {
        "" | "void" => return Ok((name.into(), Declared { parameters: Vec::new(), waits })),
        list => list,
    };
    let parameters = list.split(',').enumerate().map(|(number, written)| {
        parameter(written).ok_or_else(|| {
            let written = written.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("argument {number} of kernel {name}, {written:?}, is neither a pointer nor an int nor a float with a name")
        })
    });
    Ok((name.into(), Declared { parameters: parameters.collect::<Result<_, _>>()?, waits }))
}

/// The text after `__launch_bounds__(...)`, if the text starts with it.
fn without_bounds(text: &str) -> Result<&str, String> {
    let Some(rest) = text.strip_prefix("__launch_bounds__") else { return Ok(text) };
    let mut depth = 0;
    for (at, letter) in rest.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' if depth == 1 => return Ok(rest[at + 1..].trim_start()),
            ')' => depth -= 1,
            _ => {}
        }
    }
    Err("__launch_bounds__ has no closing parenthesis".into())
}

fn parameter(written: &str) -> Option<Parameter> {
    let spaced = written.replace('*', " * ");
    let mut words: Vec<&str> = spaced
        .split_whitespace()
        .filter(|word| !["const", "__restrict__", "__restrict", "volatile"].contains(word))
        .collect();
    let name = words.pop().filter(|name| is_name(name))?;
    let kind = match words.as_slice() {
        [.., "*", "*"] => return None,
        [first, .., "*"] if is_name(first) => Kind::Place,
        ["int"] | ["unsigned"] | ["unsigned", "int"] => Kind::Whole,
        ["float"] => Kind::Real,
        _ => return None,
    };
    Some(Parameter { name: name.into(), kind })
}

fn is_name(word: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    word.starts_with(letter) && word.chars().all(|next| letter(next) || next.is_ascii_digit())
}

/// The source with every comment replaced by spaces, so that positions do not change. Strings stay.
fn without_comments(source: &str) -> String {
    #[derive(PartialEq)]
    enum In {
        Code,
        Quotes(char),
        Line,
        Block,
    }
    let mut state = In::Code;
    let mut plain = String::with_capacity(source.len());
    let mut letters = source.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        match (&state, letter) {
            (In::Code, '/') if next == Some('/') => state = In::Line,
            (In::Code, '/') if next == Some('*') => {
                // Its star must not be taken for that of the end.
                letters.next();
                plain.push_str("  ");
                state = In::Block;
                continue;
            }
            (In::Code, '"' | '\'') => state = In::Quotes(letter),
            (In::Quotes(_), '\\') => {
                plain.push(letter);
                plain.extend(letters.next());
                continue;
            }
            (In::Quotes(quote), _) if letter == *quote => {
                state = In::Code;
                plain.push(letter);
                continue;
            }
            (In::Line, '\n') => state = In::Code,
            (In::Block, '*') if next == Some('/') => {
                letters.next();
                plain.push_str("  ");
                state = In::Code;
                continue;
            }
            _ => {}
        }
        let hidden = matches!(state, In::Line | In::Block) && letter != '\n';
        plain.push(if hidden { ' ' } else { letter });
    }
    plain
}

#[cfg(test)]
mod declarations;
#[cfg(test)]
mod tests;
