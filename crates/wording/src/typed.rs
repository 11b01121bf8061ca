//! Names of files, and other texts of users, as terminals and shells can read them.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

/// `text` on one line, without anything that a terminal obeys: control characters are written as `\n` or `\u001b`, as
/// in JSON, so that a line of JSON means the same.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

/// `text` without anything that a terminal obeys but the ends of its lines and tabs.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| is_obeyed(letter) && !matches!(letter, '\n' | '\t'))
}

/// Control characters, the ends of lines and paragraphs of Unicode, and what changes the direction of the letters
/// around it: with these, a name can look like another one.
fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_bad) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            letter if !is_bad(letter) => clean.push(letter),
            '\t' => clean.push_str(r"\t"),
            '\n' => clean.push_str(r"\n"),
            '\r' => clean.push_str(r"\r"),
            letter => {
                let _ = write!(clean, "\\u{:04x}", u32::from(letter));
            }
        }
    }
    Cow::Owned(clean)
}

/// A word as people type it in a shell: quoted if it must be.
pub fn shell_word(word: impl AsRef<OsStr>) -> String {
    let bytes = word.as_ref().as_encoded_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./+=:,@%".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.is_empty() && bytes.iter().all(plain) => text.to_owned(),
        Ok(text) if !text.chars().any(is_obeyed) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => {
            // The shells bash, zsh and ksh read this form, which alone can hold every byte.
            let mut quoted = "$'".to_owned();
            for chunk in bytes.utf8_chunks() {
                for letter in chunk.valid().chars() {
                    match letter {
                        '\'' | '\\' => quoted.extend(['\\', letter]),
                        _ if is_obeyed(letter) => {
                            letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_byte(&mut quoted, byte));
                        }
                        _ => quoted.push(letter),
                    }
                }
                chunk.invalid().iter().for_each(|byte| push_byte(&mut quoted, *byte));
            }
            quoted + "'"
        }
    }
}

/// A path as people type it in a shell as an argument of a program: `./-x` for one that would be read as an option.
pub fn shell_path(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    match path.as_os_str().as_encoded_bytes().first() {
        Some(b'-') => shell_word(Path::new(".").join(path)),
        _ => shell_word(path),
    }
}

/// Three octal digits: no digit that follows can belong to them.
fn push_byte(quoted: &mut String, byte: u8) {
    let _ = write!(quoted, "\\{byte:03o}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(printable("runs/a\u{1b}[31m\nb\u{9b}c\t"), "runs/a\\u001b[31m\\nb\\u009bc\\t");
        assert_eq!(printable_lines("a\tb\nc\r\u{7f}"), "a\tb\nc\\r\\u007f");
        assert!(matches!(printable("runs/\u{e9}"), Cow::Borrowed(_)));
        assert_eq!(printable("runs/\u{202e}sdnuor"), "runs/\\u202esdnuor");
    }

    #[test]
    fn a_shell_takes_a_word_for_what_it_was() {
        for (word, typed) in [
            ("runs/hopper+ant/0", "runs/hopper+ant/0"),
            ("a=[1, 2]", "'a=[1, 2]'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("a\nb\\'", r"$'a\012b\\\''"),
        ] {
            assert_eq!(shell_word(word), typed);
        }
        assert_eq!(shell_word("a\u{202e}b"), r"$'a\342\200\256b'");
        assert_eq!([shell_path("-x"), shell_path("-"), shell_path("a-x")], ["./-x", "./-", "a-x"]);
        assert_eq!(shell_word(OsStr::from_bytes(b"a\xff1 \xc3\xa9")), "$'a\\3771 \u{e9}'");
    }
}
