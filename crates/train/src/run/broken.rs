//! [`Broken`]: a parameter with infinite or NaN values.

/// A parameter, or its gradient, with a number that is infinite or NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// The parameter's path.
    pub path: String,
    /// The first number that is not finite.
    pub value: f64,
    /// How many are not.
    pub count: usize,
    /// How many there are.
    pub numbers: usize,
}

impl Broken {
    /// The parameter at `path` if one of its numbers, or of its gradient's, is not finite.
    pub fn find(path: &str, numbers: &[f32]) -> Option<Self> {
        let first = numbers.iter().find(|number| !number.is_finite())?;
        let count = numbers.iter().filter(|number| !number.is_finite()).count();
        Some(Self { path: path.to_owned(), value: f64::from(*first), count, numbers: numbers.len() })
    }
}
