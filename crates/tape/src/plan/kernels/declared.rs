//! The kernels that plans launch, generated from their declarations in the kernels' source. Do not edit: the test
//! `kernels_are_declared_as_in_their_source` of crate `cuda` compares this file with the source, and writes it if the
//! environment variable `DREAMGRAFT_WRITE_KERNELS` is set.

use super::{Following, family, kernel};
use crate::plan::launch::Place;

// products.cuh

family! { Product, ProductKernel [
    Product128 = "product_128", Product128Bf16 = "product_128_bf16", Product128Tf32 = "product_128_tf32",
    Product64 = "product_64", Product64Bf16 = "product_64_bf16", Product64Tf32 = "product_64_tf32",
    ProductNarrowBf16 = "product_narrow_bf16", ProductNarrowTf32 = "product_narrow_tf32",
    ProductSmall = "product_small", ProductSmallBf16 = "product_small_bf16",
    ProductSmallTf32 = "product_small_tf32",
] {
    c: Place, a: Place, b: Place, m: usize, n: usize, k: usize, a_row: usize, a_column: usize, b_row: usize,
    b_column: usize, side: usize, channels: usize, size: usize, stride: usize, part: usize, accumulate: bool,
    plus: Place, with_plus: bool, bias: Place, with_bias: bool, activation: Following, scales: Place,
    with_scales: bool, sums: Place, with_sums: bool,
} }

// recurrent.cuh

family! { RecurrentCell, RecurrentCellKernel [
    RecurrentCell = "recurrent_cell", RecurrentCellBf16 = "recurrent_cell_bf16",
    RecurrentCellTf32 = "recurrent_cell_tf32",
] {
    y: Place, gates: Place, from_h: Place, x: Place, h: Place, kernel: Place, recurrent: Place, bias: Place,
    rows: usize, inputs: usize, size: usize,
} }

// sums.cuh

kernel! { ColumnSums = "column_sums" {
    out: Place, x: Place, rows: usize, columns: usize, part: usize, accumulate: bool,
} }

kernel! { Overlay = "overlay" {
    x: Place, from: Place, images: usize, side: usize, channels: usize, size: usize, stride: usize,
    accumulate: bool, bias: Place, with_bias: bool, activation: Following,
} }

kernel! { ScaleAndSumRows = "scale_and_sum_rows" {
    out: Place, parts: Place, x: Place, factors: Place, rows: usize, columns: usize, part: usize,
} }

kernel! { SumColumns = "sum_columns" { out: Place, x: Place, n: usize, count: usize, accumulate: bool, } }

kernel! { SumParts = "sum_parts" {
    out: Place, parts: Place, n: usize, count: usize, accumulate: bool, columns: usize, plus: Place,
    with_plus: bool, bias: Place, with_bias: bool, activation: Following, scales: Place, with_scales: bool,
} }

// layers.cuh

kernel! { Activated = "activated" { y: Place, x: Place, n: usize, activation: Following, } }

kernel! { ActivatedGradient = "activated_gradient" {
    out: Place, gradient: Place, y: Place, n: usize, activation: Following, accumulate: bool,
} }

kernel! { ActivationGradient = "activation_gradient" {
    gradient: Place, y: Place, rows: usize, columns: usize, activation: Following,
} }

kernel! { AddSigns = "add_signs" { out: Place, x: Place, factor: Place, n: usize, } }

kernel! { AtLeast = "at_least" { y: Place, x: Place, n: usize, least: f64, } }

kernel! { AtLeastGradient = "at_least_gradient" {
    out: Place, gradient: Place, x: Place, n: usize, least: f64, accumulate: bool,
} }

kernel! { Difference = "difference" { y: Place, left: Place, right: Place, count: usize, } }

kernel! { Fill = "fill" { out: Place, rows: usize, columns: usize, value: f64, } }

kernel! { Piece = "piece" {
    out: Place, out_width: usize, x: Place, x_width: usize, rows: usize, columns: usize, scale: f64,
    accumulate: bool,
} }

kernel! { Recurrent = "recurrent" {
    y: Place, from_x: Place, from_h: Place, bias: Place, h: Place, rows: usize, size: usize,
} }

kernel! { RecurrentGradient = "recurrent_gradient" {
    to_x: Place, to_h: Place, gates: Place, from_h: Place, h: Place, gradient: Place, rows: usize, size: usize,
    to_past: Place, with_past: bool, accumulate: bool,
} }

kernel! { RmsNorm = "rms_norm" { y: Place, x: Place, scale: Place, rows: usize, columns: usize, epsilon: f64, } }

kernel! { RmsNormGradient = "rms_norm_gradient" {
    out: Place, gradient: Place, x: Place, scale: Place, rows: usize, columns: usize, epsilon: f64,
    accumulate: bool,
} }

kernel! { RmsNormParts = "rms_norm_parts" {
    out: Place, gradient: Place, x: Place, rows: usize, columns: usize, epsilon: f64,
} }

kernel! { SameRows = "same_rows" { out: Place, row: Place, rows: usize, columns: usize, } }

kernel! { SameRowsBefore = "same_rows_before" {
    out: Place, row: Place, y: Place, rows: usize, columns: usize, activation: Following,
} }

kernel! { ScaleRows = "scale_rows" {
    out: Place, x: Place, factors: Place, rows: usize, columns: usize, accumulate: bool,
} }

kernel! { Scaled = "scaled" { y: Place, x: Place, factor: f64, count: usize, accumulate: bool, } }

kernel! { ScaledRows = "scaled_rows" {
    y: Place, x: Place, factor: Place, count: usize, cols: usize, accumulate: bool,
} }

kernel! { Silu = "silu" { y: Place, x: Place, n: usize, } }

kernel! { SiluGradient = "silu_gradient" { out: Place, gradient: Place, x: Place, n: usize, accumulate: bool, } }

kernel! { Standardise = "standardise" {
    y: Place, x: Place, mean: Place, deviation: Place, rows: usize, columns: usize,
} }

kernel! { StandardiseGradient = "standardise_gradient" {
    out: Place, gradient: Place, deviation: Place, rows: usize, columns: usize, accumulate: bool,
} }

// resizing.cuh

kernel! { FlipKernel = "flip_kernel" { out: Place, kernel: Place, taps: usize, channels: usize, outputs: usize, } }

kernel! { GatherKernel = "gather_kernel" {
    out: Place, gradient: Place, count: usize, size: usize, channels: usize, outputs: usize, spread: bool,
    accumulate: bool,
} }

kernel! { MaxPool = "max_pool" { y: Place, which: Place, x: Place, count: usize, half: usize, channels: usize, } }

kernel! { MaxPoolGradient = "max_pool_gradient" {
    x: Place, gradient: Place, which: Place, count: usize, side: usize, channels: usize,
} }

kernel! { PadImages = "pad_images" {
    out: Place, x: Place, count: usize, side: usize, channels: usize, before: usize, whole: usize,
} }

kernel! { RearrangeKernel = "rearrange_kernel" {
    out: Place, kernel: Place, count: usize, size: usize, channels: usize, outputs: usize, spread: bool,
} }

kernel! { SwapAxes = "swap_axes" {
    y: Place, x: Place, count: usize, outer: usize, inner: usize, size: usize, accumulate: bool,
} }

// distributions.cuh

kernel! { BernoulliDensity = "bernoulli_density" { y: Place, logit: Place, target: Place, n: usize, } }

kernel! { BernoulliDensityGradient = "bernoulli_density_gradient" {
    out: Place, gradient: Place, logit: Place, target: Place, n: usize, accumulate: bool,
} }

kernel! { Divergence = "divergence" { y: Place, q: Place, p: Place, rows: usize, size: usize, } }

kernel! { DivergenceOfFirst = "divergence_of_first" {
    out: Place, gradient: Place, q: Place, p: Place, rows: usize, size: usize, accumulate: bool,
} }

kernel! { DivergenceOfSecond = "divergence_of_second" {
    out: Place, gradient: Place, q: Place, p: Place, rows: usize, size: usize, accumulate: bool,
} }

kernel! { Gaussian = "gaussian" { y: Place, raw: Place, rows: usize, columns: usize, least: f64, } }

kernel! { GaussianGradient = "gaussian_gradient" {
    out: Place, gradient: Place, raw: Place, rows: usize, columns: usize, accumulate: bool,
} }

kernel! { GaussianSample = "gaussian_sample" {
    normal: Place, raw: Place, rows: usize, columns: usize, least: f64, y: Place, noise: Place,
} }

kernel! { GaussianSampleGradient = "gaussian_sample_gradient" {
    out: Place, gradient: Place, with_gradient: bool, of_sample: Place, noise: Place, raw: Place, rows: usize,
    columns: usize, accumulate: bool,
} }

kernel! { Logistic = "logistic" { y: Place, x: Place, n: usize, shift: f64, } }

kernel! { LogisticGradient = "logistic_gradient" {
    out: Place, gradient: Place, y: Place, n: usize, shift: f64, accumulate: bool,
} }

kernel! { NormalDensity = "normal_density" {
    y: Place, mean: Place, target: Place, columns: usize, precision: f64, constant: f64,
} }

kernel! { NormalDensityGradient = "normal_density_gradient" {
    out: Place, gradient: Place, mean: Place, target: Place, rows: usize, columns: usize, precision: f64,
    accumulate: bool,
} }

kernel! { Sample = "sample" { y: Place, normal: Place, noise: Place, rows: usize, size: usize, } }

kernel! { SampleGradient = "sample_gradient" {
    out: Place, gradient: Place, noise: Place, rows: usize, size: usize, accumulate: bool,
} }

kernel! { SquashedEntropy = "squashed_entropy" {
    y: Place, raw: Place, noise: Place, rows: usize, size: usize, bound: f64, initial: f64,
} }

kernel! { SquashedEntropyGradient = "squashed_entropy_gradient" {
    out: Place, gradient: Place, raw: Place, noise: Place, rows: usize, size: usize, bound: f64, initial: f64,
    accumulate: bool,
} }

kernel! { SquashedLogDensity = "squashed_log_density" {
    y: Place, raw: Place, noise: Place, rows: usize, size: usize, bound: f64, initial: f64,
} }

kernel! { SquashedLogDensityGradient = "squashed_log_density_gradient" {
    out: Place, gradient: Place, raw: Place, noise: Place, rows: usize, size: usize, bound: f64, initial: f64,
    accumulate: bool,
} }

kernel! { SquashedSample = "squashed_sample" {
    y: Place, raw: Place, noise: Place, rows: usize, size: usize, bound: f64, initial: f64,
} }

kernel! { SquashedSampleGradient = "squashed_sample_gradient" {
    out: Place, gradient: Place, y: Place, raw: Place, noise: Place, rows: usize, size: usize, bound: f64,
    initial: f64, accumulate: bool,
} }

// teams.cuh

family! { Chain, ChainKernel [
    Chain = "chain", ChainBf16 = "chain_bf16", ChainTf32 = "chain_tf32",
] {
    memory: Place, steps: Place, count: usize,
} }

// categorical.cuh

kernel! { CategoricalDivergence = "categorical_divergence" {
    y: Place, first: Place, second: Place, rows: usize, groups: usize, size: usize, unimix: f64,
} }

kernel! { CategoricalDivergenceOfFirst = "categorical_divergence_of_first" {
    out: Place, gradient: Place, first: Place, second: Place, rows: usize, groups: usize, size: usize,
    unimix: f64, accumulate: bool,
} }

kernel! { CategoricalDivergenceOfSecond = "categorical_divergence_of_second" {
    out: Place, gradient: Place, first: Place, second: Place, rows: usize, groups: usize, size: usize,
    unimix: f64, accumulate: bool,
} }

kernel! { CategoricalEntropy = "categorical_entropy" {
    y: Place, logits: Place, rows: usize, size: usize, unimix: f64,
} }

kernel! { CategoricalEntropyGradient = "categorical_entropy_gradient" {
    out: Place, gradient: Place, logits: Place, rows: usize, size: usize, unimix: f64, accumulate: bool,
} }

kernel! { OneHotLogDensity = "one_hot_log_density" {
    y: Place, logits: Place, gumbel: Place, rows: usize, size: usize, unimix: f64,
} }

kernel! { OneHotLogDensityGradient = "one_hot_log_density_gradient" {
    out: Place, gradient: Place, logits: Place, gumbel: Place, rows: usize, size: usize, unimix: f64,
    accumulate: bool,
} }

kernel! { OneHotSample = "one_hot_sample" {
    y: Place, logits: Place, gumbel: Place, rows: usize, size: usize, unimix: f64,
} }

kernel! { OneHotSampleGradient = "one_hot_sample_gradient" {
    out: Place, gradient: Place, logits: Place, rows: usize, size: usize, unimix: f64, accumulate: bool,
} }

// bounded.cuh

kernel! { BoundedEntropy = "bounded_entropy" { y: Place, raw: Place, rows: usize, size: usize, } }

kernel! { BoundedEntropyGradient = "bounded_entropy_gradient" {
    out: Place, gradient: Place, raw: Place, rows: usize, size: usize, accumulate: bool,
} }

kernel! { BoundedLogDensity = "bounded_log_density" {
    y: Place, raw: Place, noise: Place, rows: usize, size: usize,
} }

kernel! { BoundedLogDensityGradient = "bounded_log_density_gradient" {
    out: Place, gradient: Place, raw: Place, noise: Place, rows: usize, size: usize, accumulate: bool,
} }

kernel! { BoundedSample = "bounded_sample" { y: Place, raw: Place, noise: Place, rows: usize, size: usize, } }

kernel! { BoundedSampleGradient = "bounded_sample_gradient" {
    out: Place, gradient: Place, raw: Place, noise: Place, rows: usize, size: usize, accumulate: bool,
} }

// blocks.cuh

kernel! { BlockGates = "block_gates" { y: Place, sums: Place, past: Place, count: usize, width: usize, } }

kernel! { BlockGatesGradient = "block_gates_gradient" {
    out: Place, gradient: Place, sums: Place, past: Place, count: usize, width: usize, accumulate: bool,
} }

kernel! { BlockGatesPast = "block_gates_past" {
    out: Place, gradient: Place, sums: Place, count: usize, width: usize, accumulate: bool,
} }

// two_hot.cuh

kernel! { TwoHotDensity = "two_hot_density" {
    y: Place, logits: Place, bins: Place, targets: Place, count: usize,
} }

kernel! { TwoHotDensityGradient = "two_hot_density_gradient" {
    out: Place, gradient: Place, logits: Place, bins: Place, targets: Place, count: usize, accumulate: bool,
} }

kernel! { TwoHotMean = "two_hot_mean" { y: Place, logits: Place, bins: Place, count: usize, } }

kernel! { TwoHotMeanGradient = "two_hot_mean_gradient" {
    out: Place, gradient: Place, logits: Place, bins: Place, means: Place, count: usize, accumulate: bool,
} }

// returns.cuh

kernel! { DiscountWeights = "discount_weights" {
    y: Place, discount: Place, steps: usize, rollouts: usize, including_own: bool,
} }

kernel! { LambdaReturns = "lambda_returns" {
    y: Place, reward: Place, value: Place, discount: Place, steps: usize, rollouts: usize, lambda: f64,
} }

kernel! { ReplayReturns = "replay_returns" {
    y: Place, reward: Place, discount: Place, bootstrap: Place, kept: Place, resets: bool, steps: usize,
    sequences: usize, lambda: f64,
} }

kernel! { ReturnsGradient = "returns_gradient" {
    gradient: Place, discount: Place, steps: usize, rollouts: usize, lambda: f64,
} }

kernel! { ReturnsOfDiscount = "returns_of_discount" {
    out: Place, gradient: Place, y: Place, value: Place, steps: usize, rollouts: usize, lambda: f64,
} }

kernel! { ReturnsOfValue = "returns_of_value" {
    out: Place, gradient: Place, discount: Place, steps: usize, rollouts: usize, lambda: f64,
} }

kernel! { WeightedSum = "weighted_sum" { out: Place, x: Place, weight: Place, n: usize, } }

// range.cuh

kernel! { DivideByRange = "divide_by_range" { y: Place, x: Place, range: Place, n: usize, } }

kernel! { DivideByRangeGradient = "divide_by_range_gradient" {
    out: Place, gradient: Place, range: Place, n: usize, accumulate: bool,
} }

kernel! { Follow = "follow" { y: Place, go: Place, x: Place, n: usize, share: f64, } }

kernel! { FollowPercentiles = "follow_percentiles" {
    range: Place, go: Place, x: Place, n: usize, low_below: usize, low_beyond: f64, high_below: usize,
    high_beyond: f64, rate: f64,
} }

// columns.cuh

kernel! { Harmonised = "harmonised" { y: Place, x: Place, s: Place, n: usize, weight: f64, share: f64, } }

kernel! { HarmonisedGradient = "harmonised_gradient" {
    out: Place, gradient: Place, s: Place, n: usize, weight: f64, accumulate: bool,
} }

kernel! { HarmonisedSlopes = "harmonised_slopes" {
    out: Place, gradient: Place, x: Place, s: Place, n: usize, weight: f64, share: f64,
} }

kernel! { IdentityDistance = "identity_distance" {
    y: Place, x: Place, n: usize, factor: f64, diagonal: f64, others: f64,
} }

kernel! { IdentityDistanceGradient = "identity_distance_gradient" {
    out: Place, gradient: Place, x: Place, n: usize, factor: f64, diagonal: f64, others: f64, accumulate: bool,
} }

kernel! { StandardisedColumns = "standardised_columns" {
    y: Place, x: Place, rows: usize, columns: usize, epsilon: f64,
} }

kernel! { StandardisedColumnsGradient = "standardised_columns_gradient" {
    out: Place, gradient: Place, x: Place, rows: usize, columns: usize, epsilon: f64, accumulate: bool,
} }

// learning.cuh

kernel! { Adam = "adam" { values: Place, gradient: Place, first: Place, second: Place, state: Place, n: usize, } }

kernel! { AllFinite = "all_finite" { go: Place, values: Place, n: usize, } }

kernel! { BeginAdam = "begin_adam" {
    state: Place, go: Place, others: Place, warmup: usize, norm: Place, rate: f64, clip: f64,
} }

kernel! { BeginLaprop = "begin_laprop" {
    state: Place, go: Place, others: Place, warmup: usize, rate: f64, rising: usize,
} }

kernel! { ChooseStarts = "choose_starts" {
    out: Place, x: Place, draws: Place, columns: usize, batch: usize, shard: usize, length: usize,
    rollouts: usize, all: usize,
} }

kernel! { ClipByOwnNorm = "clip_by_own_norm" {
    factor: Place, values: Place, gradient: Place, n: usize, ratio: f64,
} }

kernel! { CountUpdate = "count_update" { state: Place, } }

kernel! { DrawNoise = "draw_noise" {
    posterior: Place, action: Place, prior: Place, start: Place, state: Place, batch: usize, shard: usize,
    length: usize, horizon: usize, stoch: usize, actions: usize, gumbel: bool, gumbel_states: bool,
    rollouts: usize, all: usize,
} }

kernel! { Laprop = "laprop" {
    values: Place, gradient: Place, first: Place, second: Place, state: Place, factor: Place, n: usize,
} }

kernel! { NormaliseImages = "normalise_images" {
    out: Place, images: Place, batch: usize, length: usize, size: usize,
} }

kernel! { RootOfSum = "root_of_sum" { norm: Place, parts: Place, n: usize, } }

kernel! { SeedBeyond = "seed_beyond" { out: Place, mean: Place, rows: usize, least: f64, scale: f64, } }

kernel! { SeedWithin = "seed_within" { out: Place, mean: Place, rows: usize, least: f64, scale: f64, } }

kernel! { SquareParts = "square_parts" { parts: Place, x: Place, n: usize, } }

kernel! { Total = "total" { out: Place, x: Place, rows: usize, columns: usize, kind: usize, scale: f64, } }

kernel! { TotalOfParts = "total_of_parts" { out: Place, parts: Place, n: usize, scale: f64, } }

kernel! { TotalParts = "total_parts" {
    parts: Place, x: Place, rows: usize, columns: usize, kind: usize, part: usize,
} }
