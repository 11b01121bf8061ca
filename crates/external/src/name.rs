//! Names of external environments: which program serves them.

use crate::ExternalError;
use std::path::PathBuf;

/// The longest name, in characters: episodes keep it.
const LONGEST: usize = 128;

/// The forms of names, for messages.
const FORMS: &str = "gymnasium:ID, gymnasium:MODULE:ID, python:MODULE:CALLABLE or program:FILE";

/// The server of an external environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// The adapter in Python, which is given the whole name.
    Python,
    /// A program that speaks the protocol itself.
    Program(PathBuf),
}

impl Server {
    /// The server of the environment called `name`; `None` if that is not the name of an external environment.
    ///
    /// # Errors
    /// If it begins like one, and cannot be one.
    pub fn of(name: &str) -> Result<Option<Self>, ExternalError> {
        let Some((scheme, rest)) = name.split_once(':') else { return Ok(None) };
        let refuse = |why: String| Err(ExternalError::Name { name: name.to_owned(), why });
        if name.chars().count() > LONGEST || name.chars().any(char::is_control) {
            return refuse(format!("a name has at most {LONGEST} printable characters"));
        }
        match scheme {
            "gymnasium" if rest.is_empty() || rest.starts_with(':') || rest.ends_with(':') => {
                refuse("write gymnasium:ID or gymnasium:MODULE:ID, such as gymnasium:Pendulum-v1".to_owned())
            }
            "python" if rest.split(':').count() != 2 || rest.starts_with(':') || rest.ends_with(':') => {
                refuse("write python:MODULE:CALLABLE, such as python:my_module:make_env".to_owned())
            }
            "program" if rest.is_empty() => refuse("write program:FILE, such as program:./my-environment".to_owned()),
            "gymnasium" | "python" => Ok(Some(Self::Python)),
            "program" => Ok(Some(Self::Program(rest.into()))),
            "gym" | "gymnasium.envs" => refuse(format!("did you mean \"gymnasium:{rest}\"? Names are {FORMS}")),
            other => refuse(format!("{other:?} is not a kind of external environment; names are {FORMS}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_who_serves_an_external_environment() {
        assert_eq!(Server::of("hopper").unwrap(), None);
        for name in
            ["gymnasium:Pendulum-v1", "gymnasium:my.package:Mine-v0", "gymnasium:ALE/Pong-v5", "python:a.b:make"]
        {
            assert_eq!(Server::of(name).unwrap(), Some(Server::Python), "{name}");
        }
        assert_eq!(Server::of("program:./a:b").unwrap(), Some(Server::Program("./a:b".into())));
    }

    #[test]
    fn names_that_cannot_be_one_are_refused_with_an_example() {
        let long = format!("gymnasium:{}", "x".repeat(200));
        for (name, part) in [
            ("gymnasium:", "gymnasium:ID"),
            ("gymnasium:my_package:", "gymnasium:MODULE:ID"),
            ("python:module", "python:MODULE:CALLABLE"),
            ("python:a:b:c", "python:MODULE:CALLABLE"),
            ("program:", "program:FILE"),
            ("gym:Hopper-v4", "did you mean \"gymnasium:Hopper-v4\"?"),
            ("mujoco:Hopper-v4", "names are gymnasium:ID"),
            ("gymnasium:a\nb", "printable"),
            (&long, "at most 128"),
        ] {
            let message = Server::of(name).unwrap_err().to_string();
            assert!(message.contains(part), "{name}: {message}");
        }
    }
}
