//! Compiles Bullet's C++ sources into a static library and links it.
//!
//! Here: the compiled files, their options, and when compiling can be skipped. The origin of the sources is in
//! `source.rs`, and the cache for other profiles in `cache.rs`.
//!
//! The options are part of the physics: contraction of a multiplication and an addition into one instruction, or code
//! for this machine only, would change the last bits of a trajectory.

// How a build script talks to cargo and to its user.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cache;
mod source;

use std::path::{Path, PathBuf};

/// Preprocessor symbols that select the direct connection, double precision and thread safety.
const DEFINES: [&str; 5] = ["BT_USE_DOUBLE_PRECISION", "BT_THREADSAFE=1", "PHYSICS_SERVER_DIRECT", "_LINUX", "NDEBUG"];

/// Options in addition to `-O2` that the compiler must support. Those for speed do not change results: no code replaces
/// a function of this library, reads `errno` or uses floating-point traps.
const OPTIONS: [&str; 6] = [
    "-ffp-contract=off",
    "-w",
    "-fvisibility=hidden",
    "-fno-semantic-interposition",
    "-fno-math-errno",
    "-fno-trapping-math",
];

/// Folders with headers, below Bullet's own.
const INCLUDES: [&str; 6] =
    ["src", "examples", "examples/ThirdPartyLibs", "Extras", "Extras/Serialize", "examples/SharedMemory"];

/// Our own C++, in `source`.
const OURS: [&str; 6] = ["dynamics.cpp", "guard.cpp", "processor.cpp", "rows.cpp", "solver.cpp", "visuals.cpp"];

/// The include folders of these files, in addition to Bullet's own.
const HEADERS: [&str; 7] =
    ["body_data.h", "broadphase.h", "iterate.h", "lanes.h", "multibody.h", "quiet.h", "solver.h"];

/// The library's name: `libbullet3.a`.
const LIBRARY: &str = "bullet3";

fn main() {
    if let Err(message) = build() {
        eprintln!("\n{message}\n");
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    for watched in ["build", "source"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    let target = variable("TARGET")?.replace('-', "_");
    for watched in [source::OVERRIDE, "CXX", "CXXFLAGS", &format!("CXX_{target}"), &format!("CXXFLAGS_{target}")] {
        println!("cargo:rerun-if-env-changed={watched}");
    }
    let mut compiler = compiler(&here)?;
    let tool = compiler.try_get_compiler().map_err(|error| no_compiler(&error.to_string()))?;
    let identity = cache::identity(&tool, &here).map_err(|error| no_compiler(&error))?;

    if !cache::take(&out, &identity) {
        let sources = source::find(&here, &out)?;
        compile(&mut compiler, &here, &sources.folder)?;
        if sources.fixed {
            cache::keep(&out, &identity);
        }
    }
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static={LIBRARY}");
    let libraries: &[&str] =
        if variable("CARGO_CFG_TARGET_OS")? == "macos" { &["c++"] } else { &["stdc++", "pthread", "dl", "m"] };
    for library in libraries {
        println!("cargo:rustc-link-lib={library}");
    }
    Ok(())
}

/// The compiler with every option but the folders of the sources.
fn compiler(here: &Path) -> Result<cc::Build, String> {
    let mut build = cc::Build::new();
    build.cpp(true).cpp_link_stdlib(None).opt_level(2).debug(false).warnings(false).cargo_metadata(false);
    for define in DEFINES {
        let (name, value) = define.split_once('=').map_or((define, None), |(name, value)| (name, Some(value)));
        build.define(name, value);
    }
    let quiet = here.join("source/quiet.h");
    let quiet = quiet.to_str().ok_or("the path of this folder is not valid Unicode: move it to another folder")?;
    build.flag("-include").flag(quiet).flags(OPTIONS);
    Ok(build)
}

fn compile(compiler: &mut cc::Build, here: &Path, folder: &Path) -> Result<(), String> {
    let list = here.join("source/files.txt");
    let list = std::fs::read_to_string(&list).map_err(|error| format!("cannot read {}: {error}", list.display()))?;
    compiler.includes(INCLUDES.map(|include| folder.join(include)));
    compiler.files(OURS.map(|file| here.join("source").join(file)));
    for file in list.lines() {
        let path = folder.join(file);
        if !path.is_file() {
            return Err(format!(
                "{} is missing: {} must be the top folder of Bullet 3.08 (with src/ and examples/)",
                path.display(),
                folder.display()
            ));
        }
        compiler.file(path);
    }
    compiler
        .try_compile(LIBRARY)
        .map_err(|error| format!("Bullet's C++ sources in {} did not compile.\n{error}", folder.display()))
}

fn no_compiler(reason: &str) -> String {
    format!(
        "The simulator Bullet is C++ and is compiled once, but no working C++ compiler was found ({reason}).\n\
         Install one (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install),\n\
         or name it in the environment variable CXX, and build again."
    )
}

/// A variable that cargo sets for every build script.
fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set: this is a build script, run it with cargo"))
}
