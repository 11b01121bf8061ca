//! The order in which people sort names that contain numbers: `m2` comes before `m10`.

use std::cmp::Ordering;

/// Compares two names; runs of digits count as numbers. Names that differ only in leading zeros are ordered by their characters.
pub fn natural_order(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one, other);
    loop {
        let (left, right) = (first_part(a), first_part(b));
        if left.is_empty() || right.is_empty() {
            return left.len().cmp(&right.len()).then_with(|| one.cmp(other));
        }
        let order = match (is_number(left), is_number(right)) {
            (true, true) => {
                let digits = |part: &str| part.trim_start_matches('0').to_owned();
                let (left, right) = (digits(left), digits(right));
                left.len().cmp(&right.len()).then_with(|| left.cmp(&right))
            }
            _ => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[left.len()..], &b[right.len()..]);
    }
}

/// The digits that a text begins with, or the characters before its first digit.
fn first_part(text: &str) -> &str {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    &text[..end]
}

fn is_number(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_ordered_as_numbers() {
        let sorted = ["", "1", "2", "10", "fraction-0.1", "fraction-0.2", "m", "m1", "m2", "m2b", "m10", "m10a", "n0"];
        for (i, one) in sorted.iter().enumerate() {
            for (j, other) in sorted.iter().enumerate() {
                assert_eq!(natural_order(one, other), i.cmp(&j), "{one} and {other}");
            }
        }
        assert_eq!(natural_order("m01", "m1"), "m01".cmp("m1"));
    }
}
