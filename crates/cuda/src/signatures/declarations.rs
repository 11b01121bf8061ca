//! The kernels as crate `tape` declares them: a file that is generated from their source, and compared with it.
//!
//! Plans are made by `tape`, which must not depend on this crate; so the declarations are a file of that crate. It is
//! kept in the repository, and not made by a build script, so that a reader of a plan finds a kernel's arguments.

use super::{Parameter, Signatures};
use crate::kind::Kind;
use std::fmt::Write;
use std::path::Path;

/// Kernels that take the same arguments, by how their names begin, and the name of the struct of these arguments.
const FAMILIES: [(&str, &str); 3] = [("product_", "Product"), ("recurrent_cell", "RecurrentCell"), ("chain", "Chain")];

/// Integers that say yes or no; so do those whose names begin with `with_`.
const FLAGS: [&str; 6] = ["accumulate", "spread", "gumbel", "gumbel_states", "resets", "including_own"];

/// The most columns of a line with several fields.
const WIDTH: usize = 112;

/// The beginning of the file.
const HEAD: &str = r"//! The kernels that plans launch, generated from their declarations in the kernels' source. Do not edit: the test
//! `kernels_are_declared_as_in_their_source` of crate `cuda` compares this file with the source, and writes it if the
//! environment variable `DREAMGRAFT_WRITE_KERNELS` is set.

use super::{Following, family, kernel};
use crate::plan::launch::Place;
";

/// The type of a kernel's argument in a plan.
fn kind(parameter: &Parameter) -> &'static str {
    match (parameter.kind, parameter.name.as_str()) {
        (Kind::Place, _) => "Place",
        (Kind::Real, _) => "f64",
        (Kind::Whole, "activation") => "Following",
        (Kind::Whole, name) if FLAGS.contains(&name) || name.starts_with("with_") => "bool",
        (Kind::Whole, _) => "usize",
    }
}

/// The name of a kernel's struct.
fn pascal(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(capital).collect()
}

/// Items in as few lines as possible.
fn wrapped(items: impl Iterator<Item = String>) -> String {
    let mut lines = vec!["   ".to_owned()];
    for item in items {
        let last = lines.last().expect("at least one");
        if last.len() + item.len() + 2 > WIDTH {
            lines.push("   ".to_owned());
        }
        let last = lines.last_mut().expect("at least one");
        *last += &format!(" {item},");
    }
    lines.join("\n") + "\n"
}

fn family(kernel: &str) -> Option<&'static str> {
    FAMILIES.iter().find(|(prefix, _)| kernel.starts_with(prefix)).map(|&(_, family)| family)
}

/// The names of the files of kernels, in order.
fn files() -> Vec<&'static str> {
    let names = include_str!("../lib.rs").split("include_str!(\"kernels/").skip(1);
    names.map(|rest| rest.split_once(".cuh").expect("a file of kernels").0).collect()
}

/// The text of the file of declarations.
fn declarations() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernels");
    let read = |file: &&'static str| {
        let source = std::fs::read_to_string(folder.join(file).with_extension("cuh")).unwrap();
        (*file, Signatures::read(file, &source).unwrap())
    };
    let files: Vec<_> = files().iter().map(read).collect();
    let kernels = || files.iter().flat_map(|(_, signatures)| &signatures.0);
    let (mut text, mut declared) = (HEAD.to_owned(), Vec::new());
    for (file, signatures) in &files {
        let mut own = String::new();
        for (name, of) in &signatures.0 {
            let fields = wrapped(of.parameters.iter().map(|one| format!("{}: {}", one.name, kind(one))));
            let Some(family) = family(name) else {
                let one_line: Vec<&str> = fields.split_whitespace().collect();
                let (kernel, one_line) = (pascal(name), one_line.join(" "));
                let short = format!("kernel! {{ {kernel} = \"{name}\" {{ {one_line} }} }}\n");
                let long = format!("kernel! {{ {kernel} = \"{name}\" {{\n{fields}}} }}\n");
                own += "\n";
                own += if short.len() <= 117 { &short } else { &long };
                continue;
            };
            if declared.contains(&family) {
                continue;
            }
            declared.push(family);
            let members: Vec<_> = kernels().filter(|(name, _)| self::family(name) == Some(family)).collect();
            assert!(members.iter().all(|(_, member)| member.parameters == of.parameters), "kernels of {family}");
            let names = wrapped(members.iter().map(|(name, _)| format!("{} = \"{name}\"", pascal(name))));
            write!(own, "\nfamily! {{ {family}, {family}Kernel [\n{names}] {{\n{fields}}} }}\n").unwrap();
        }
        if !own.is_empty() {
            write!(text, "\n// {file}.cuh\n{own}").unwrap();
        }
    }
    text
}

#[test]
fn kernels_are_declared_as_in_their_source() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tape/src/plan/kernels/declared.rs");
    let expected = declarations();
    if std::env::var_os("DREAMGRAFT_WRITE_KERNELS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    let other = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(
        found == expected,
        "{} is not what the kernels' source declares, first here: {other:?}; set DREAMGRAFT_WRITE_KERNELS=1 to write it",
        path.display()
    );
}
