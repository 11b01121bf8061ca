//! Messages of a reader of documents in the words of who writes them.
//!
//! Here: the translation from those of a program. Not here: where in the document it went wrong.

/// What is wrong with a value, where the reader tells it in the words of a program: fields, variants, sequences, structs.
pub fn plain(message: &str) -> String {
    let parts = |start: &str| message.strip_prefix(start)?.split_once(", expected ");
    let choices = |text: &str| text.strip_prefix("one of ").unwrap_or(text).to_owned();
    if let Some((key, known)) = parts("unknown field ") {
        return format!("there is no key {key}; there are {}", choices(known));
    }
    if let Some((value, known)) = parts("unknown variant ") {
        return format!("{value} is none of its values, which are {}", choices(known));
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return format!("the key {key} is missing");
    }
    if let Some((found, wanted)) = parts("invalid type: ").or_else(|| parts("invalid value: ")) {
        let wanted = match wanted {
            "a sequence" => "a list",
            "a map" => "a table",
            wanted if wanted.starts_with("struct ") || wanted.starts_with("enum ") => "a table",
            wanted => wanted,
        };
        return format!("it is {found}, where {wanted} belongs");
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_programs_are_translated_and_others_left() {
        for (message, told) in [
            ("unknown field `a`, expected `b` or `c`", "there is no key `a`; there are `b` or `c`"),
            (
                "unknown variant `ful`, expected one of `full`, `random`",
                "`ful` is none of its values, which are `full`, `random`",
            ),
            ("missing field `take`", "the key `take` is missing"),
            ("invalid type: integer `1`, expected struct RewardSource", "it is integer `1`, where a table belongs"),
            ("invalid type: string \"x\", expected a sequence", "it is string \"x\", where a list belongs"),
            ("duplicate key", "duplicate key"),
        ] {
            assert_eq!(plain(message), told);
        }
    }
}
