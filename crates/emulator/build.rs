//! Compiles the kernels as C++, with a table of their names; and, of the same, stand-ins for NVIDIA's libraries.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let kernels = kernels();
    let file = out.join("kernels.cpp");
    std::fs::write(&file, &kernels).expect("a writable folder");
    // Each thread of the program launches kernels by itself. A library that programs load cannot have so much memory of threads.
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").opt_level(2).define("PLACED", "static thread_local");
    build.flag_if_supported("-ftls-model=local-exec").file(file).compile("kernels");

    let driver = kernels + &read(Path::new("standin/driver.cpp"));
    library(&out, "libcuda.so.1", &driver);
    library(&out, "libnvrtc.so.12", &read(Path::new("standin/compiler.cpp")));
    println!("cargo::rustc-env=EMULATOR_STAND_INS={}", out.display());
}

/// The kernels, and the functions that call them by name.
fn kernels() -> String {
    let mut source = String::from("#define EMULATED\n#define __global__\n");
    let mut table = String::new();
    // As in `cuda::KERNELS`.
    let files = [
        "prelude",
        "factors",
        "tiles",
        "products",
        "small_products",
        "recurrent",
        "recurrent_team",
        "sums",
        "layers",
        "resizing",
        "distributions",
        "teams",
        "categorical",
        "bounded",
        "blocks",
        "two_hot",
        "returns",
        "range",
        "columns",
        "learning",
    ];
    for name in files {
        let text = read(&Path::new("../cuda/src/kernels").join(name).with_extension("cuh"));
        for line in text.lines().filter_map(|line| line.strip_prefix("extern \"C\" __global__ void ")) {
            let line = line.strip_prefix("IN_TEAMS ").unwrap_or(line);
            let bounds = line.strip_prefix("__launch_bounds__(").and_then(|line| line.split_once(") "));
            let kernel = bounds.map_or(line, |(_, line)| line).split('(').next().expect("a name");
            let of = |what: &str| format!("{what}(&{kernel})");
            let [run, call, parameters, sizes] = ["run", "call_by", "parameters", "sizes"].map(of);
            writeln!(table, "    {{\"{kernel}\", (void (*)()){kernel}, {run}, {call}, {parameters}, {sizes}}},")
                .expect("a string takes all");
        }
        source += &text;
    }
    source + &read(Path::new("src/launcher.cpp")).replace("/* TABLE */", &table)
}

/// Compiles a source to a library that programs load.
fn library(out: &Path, name: &str, source: &str) {
    let file = out.join(name).with_extension("cpp");
    std::fs::write(&file, source).expect("a writable folder");
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").opt_level(2).pic(true).cargo_metadata(false);
    let mut compiler = build.get_compiler().to_command();
    compiler.arg("-shared").arg(format!("-Wl,-soname,{name}")).arg(&file).arg("-o").arg(out.join(name));
    let status = compiler.status().expect("the compiler that compiled the kernels");
    assert!(status.success(), "{name} cannot be compiled");
}

fn read(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
