//! An error with all that led to it.

use std::error::Error;

/// The message of `error`, followed by that of each cause which it does not already contain.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !text.contains(&why) {
            text.push_str(&format!(": {why}"));
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    #[derive(Debug)]
    struct Link(&'static str, Option<Box<Link>>);

    impl fmt::Display for Link {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Link {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_ref().map(|link| &**link as _)
        }
    }

    #[test]
    fn every_cause_is_in_the_text_once() {
        let disk = Link("the disk is full", None);
        let file = Link("cannot write the file", Some(Box::new(disk)));
        let model = Link("cannot load the model: cannot write the file", Some(Box::new(file)));
        assert_eq!(with_causes(&model), "cannot load the model: cannot write the file: the disk is full");
    }
}
