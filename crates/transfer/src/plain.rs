//! Translates error messages of deserialisers into plain English.
//!
//! Not here: the place of the error in the file.

/// An error message of a deserialiser in plain English. Deserialisers write of fields, variants, sequences and structs; the
/// authors of a TOML file know keys, values, lists and tables.
pub fn plain(message: &str) -> String {
    let parts = |start: &str| message.strip_prefix(start)?.split_once(", expected ");
    let choices = |text: &str| text.strip_prefix("one of ").unwrap_or(text).to_owned();
    if let Some((key, known)) = parts("unknown field ") {
        return format!("unknown key {key}; the keys are {}", choices(known));
    }
    if let Some((value, known)) = parts("unknown variant ") {
        return format!("{value} is not a valid value; the values are {}", choices(known));
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return format!("the key {key} is missing");
    }
    if let Some((found, expected)) = parts("invalid type: ").or_else(|| parts("invalid value: ")) {
        return format!("it is {} instead of {}", found_value(found), expected_type(expected));
    }
    // Of an enum of texts, such as the key `start` of a meta-model.
    if message.starts_with("wanted ") {
        return "it is not a text in quotes".to_owned();
    }
    message.to_owned()
}

/// A value that a program describes with its type, such as "integer `3`".
fn found_value(found: &str) -> String {
    // A number that is too large for a format is followed by a type.
    let quoted = |text: &str| text.split(" as ").next().unwrap_or(text).trim_matches('`').to_owned();
    match found.split_once(' ') {
        Some(("integer" | "boolean", value)) => quoted(value),
        Some(("floating", value)) => quoted(value.trim_start_matches("point ")),
        Some(("string", value)) => format!("the text {value}"),
        _ if found == "sequence" => "a list".to_owned(),
        _ if found == "map" => "a table".to_owned(),
        _ => found.to_owned(),
    }
}

/// The expected value, from the name of a type.
fn expected_type(expected: &str) -> &str {
    match expected {
        "a sequence" => "a list",
        "a map" => "a table",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of at least 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" => "a text in quotes",
        "a boolean" => "true or false",
        expected if expected.starts_with("struct ") || expected.starts_with("enum ") => "a table",
        expected => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_of_programs_are_translated_and_other_messages_kept() {
        for (message, plain_message) in [
            ("unknown field `a`, expected `b` or `c`", "unknown key `a`; the keys are `b` or `c`"),
            (
                "unknown variant `ful`, expected one of `full`, `random`",
                "`ful` is not a valid value; the values are `full`, `random`",
            ),
            ("missing field `take`", "the key `take` is missing"),
            ("invalid type: integer `1`, expected struct RewardSource", "it is 1 instead of a table"),
            ("invalid type: string \"x\", expected a sequence", "it is the text \"x\" instead of a list"),
            ("invalid value: integer `-1`, expected u64", "it is -1 instead of a whole number of at least 0"),
            (
                "invalid value: integer `99999999999999999999` as i128, expected u64",
                "it is 99999999999999999999 instead of a whole number of at least 0",
            ),
            ("invalid type: floating point `1.5`, expected a string", "it is 1.5 instead of a text in quotes"),
            ("invalid type: sequence, expected f64", "it is a list instead of a number"),
            ("invalid type: map, expected a boolean", "it is a table instead of true or false"),
            ("wanted string or table", "it is not a text in quotes"),
            ("wanted exactly 1 element, found 0 elements", "it is not a text in quotes"),
            ("duplicate key", "duplicate key"),
        ] {
            assert_eq!(plain(message), plain_message);
        }
    }
}
