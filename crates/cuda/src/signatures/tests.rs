//! Declarations as they are written, and launches that do not fit them.

use super::*;
use tape::plan::Place;

const SOURCE: &str = r#"
// extern "C" __global__ void in_a_comment(double* a)
/* extern "C" __global__ void in_another(double* a) **/
__device__ float helper(double a, char* b) { return '"' + "/*"[0]; }
extern "C" __global__ void __launch_bounds__(256, (1 + 1)) scale(
    float* __restrict__ a, // the changed numbers
    const float *b, int n, const unsigned int rows, float c)
{
}
extern "C"
__global__ __launch_bounds__(256) void nothing() {}
extern "C" __global__ void pack(const unsigned char* __restrict__ from, unsigned short *const to, int n) {}
"#;

fn signatures() -> Signatures {
    Signatures::read("kernels.cu", SOURCE).unwrap()
}

fn message(source: &str) -> String {
    Signatures::read("kernels.cu", source).unwrap_err().to_string()
}

fn scale(arguments: Vec<Argument>) -> Launch {
    Launch { kernel: "scale", grid: [4, 1, 1], arguments }
}

fn fitting() -> Launch {
    scale(vec![Place(0).into(), Place(100).into(), 7_usize.into(), 1_usize.into(), 0.5.into()])
}

fn misfit(launch: Launch) -> Misfit {
    match signatures().check(&[fitting(), launch], 100) {
        Err(CudaError::Launch { number: 1, why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn kernels_are_found_with_their_parameters() {
    let signatures = signatures();
    assert_eq!(signatures.kernels().collect::<Vec<_>>(), ["nothing", "pack", "scale"]);
    let kinds = |name: &str| signatures.0[name].parameters.iter().map(|parameter| parameter.kind).collect::<Vec<_>>();
    assert_eq!(kinds("scale"), [Kind::Place, Kind::Place, Kind::Whole, Kind::Whole, Kind::Real]);
    assert_eq!(kinds("nothing"), []);
    assert_eq!(kinds("pack"), [Kind::Place, Kind::Place, Kind::Whole]);
    assert_eq!(signatures.0["scale"].parameters[3].name, "rows");
}

#[test]
fn only_a_kernel_that_starts_with_begin_waits() {
    let source = r#"
extern "C" __global__ void first(float *a)
{
    // A comment.
    BEGIN;
    a[0] = 1.0f;
}
extern "C" __global__ void late(float *a) { a[0] = 1.0f; BEGIN; }
extern "C" __global__ void never() {}
"#;
    let signatures = Signatures::read("kernels.cu", source).unwrap();
    assert_eq!(
        ["first", "late", "never", "unknown"].map(|kernel| signatures.waits(kernel)),
        [true, false, false, false]
    );
}

/// A kernel that forgets it would be right, and slow.
#[test]
fn every_kernel_of_plans_waits() {
    let signatures = Signatures::read(crate::KERNELS_FILE, crate::KERNELS).unwrap();
    let others: Vec<_> = signatures.kernels().filter(|kernel| !signatures.waits(kernel)).collect();
    assert!(others.is_empty() && signatures.kernels().count() > 100, "{others:?}");
}

#[test]
fn a_kernel_without_its_plain_name_is_refused() {
    let message = message("\n\n__global__ void scale(float* a) {}");
    assert!(message.starts_with("kernels.cu:3: write extern \"C\""), "{message}");
}

#[test]
fn a_kernel_that_is_there_twice_is_refused() {
    let kernel = "extern \"C\" __global__ void scale(float* a) {}\n";
    assert_eq!(message(&kernel.repeat(2)), "kernels.cu:2: kernel scale is defined twice");
}

#[test]
fn arguments_that_no_launch_has_are_refused() {
    for written in ["double c", "long long n", "float4 v", "float** a", "float", "bool on", "float a[3]", "size_t n"] {
        let message = message(&format!("extern \"C\" __global__ void scale(int n, {written}) {{}}"));
        assert!(message.contains("argument 1 of kernel scale") && message.contains(written), "{message}");
    }
}

#[test]
fn invalid_declarations_are_refused() {
    for written in ["int scale(int n)", "void scale", "void (int n)", "__launch_bounds__(256 void scale(int n)"] {
        assert!(message(&format!("extern \"C\" __global__ {written}")).starts_with("kernels.cu:1: "));
    }
}

#[test]
fn a_launch_that_fits_passes() {
    let nothing = Launch { kernel: "nothing", grid: [2_147_483_647, 65_535, 65_535], arguments: vec![] };
    signatures().check(&[fitting(), nothing], 100).unwrap();
}

#[test]
fn an_unknown_kernel_is_named() {
    let launch = Launch { kernel: "scales", grid: [1, 1, 1], arguments: vec![] };
    let error = signatures().check(&[launch], 100).unwrap_err();
    assert_eq!(error.to_string(), "launch 0 of kernel scales: the source does not contain this kernel");
}

#[test]
fn arguments_must_fit_in_number_and_kind() {
    let mut launch = fitting();
    launch.arguments.pop();
    assert_eq!(misfit(launch), Misfit::Count { found: 4, taken: 5 });
    let mut launch = fitting();
    launch.arguments[2] = Argument::Real(7.0);
    assert_eq!(misfit(launch), Misfit::Kind { number: 2, name: "n".into(), found: Kind::Real, taken: Kind::Whole });
}

#[test]
fn places_must_lie_in_memory() {
    let mut launch = fitting();
    launch.arguments[1] = Argument::Place(101);
    assert_eq!(misfit(launch), Misfit::Place { number: 1, name: "b".into(), place: 101, length: 100 });
}

#[test]
fn a_grid_must_be_one_that_a_device_takes() {
    for grid in [[0, 1, 1], [1, 65_536, 1], [1, 1, 0], [u32::MAX, 1, 1]] {
        assert_eq!(misfit(Launch { grid, ..fitting() }), Misfit::Grid { grid, most: MOST });
    }
}

#[test]
fn the_kernels_of_this_crate_are_read() {
    let signatures = Signatures::read(crate::KERNELS_FILE, crate::KERNELS).unwrap_or_else(|error| panic!("{error}"));
    assert!(signatures.kernels().count() > 0);
}
