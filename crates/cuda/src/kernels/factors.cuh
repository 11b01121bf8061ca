// Where the numbers of a product's factors and of its result lie.
//
// c = activation(scale * op(a) op(b) + plus + bias), where op(a) is [m, k] and op(b) [k, n]. A factor has lines, the rows of
// op(a) or the columns of op(b), with k numbers each. A number's place is that of its line plus that of its number in
// the line, which is the same for all lines. So a block computes both for the lines and numbers of its tile, and then
// only adds.
//
// Matrices lie at i * row + j * column. If `side` is not 0, op(a) is made of images, and a_row says how:
//
//   0  a row is a patch of `size` x `size` of images [side, side, channels], `stride` apart
//   1  the transpose of that
//   2  windows of the adjoint, a transposed convolution. a is small images [across, across, k / taps^2], where
//      across = (side - size) / stride + 1 and taps = size / stride, rounded up. c is images [side, side, channels],
//      op(b) the kernel: columns [size, size, channels], rows the channels of the small images. Every number of c is
//      the sum over the patches that it is in, of which there are at most taps^2. A row is a square of stride x stride
//      pixels of c, and a
//      column of it one pixel's channel: n = stride^2 * channels, and m = images * (side / stride, rounded up)^2.

struct Factors {
    const float *a, *b;
    int m, n, k, a_row, a_column, b_row, b_column, side, channels, size, stride;
};

// A line's place, or a number's, and the windows it belongs to: a number exists if its line has a window in common with
// it. Lines and numbers beyond the end have none.
struct alignas(8) Line {
    int at;
    word32 on;
};

INLINE bool is_window(const Factors &f) { return f.side && f.a_row == 2; }
INLINE int patches_across(const Factors &f) { return (f.side - f.size) / f.stride + 1; }

// Where a patch begins in its images.
INLINE int patch_at(const Factors &f, int patch) {
    const int across = patches_across(f), px = patch % across, py = patch / across % across;
    return ((patch / across / across * f.side + py * f.stride) * f.side + px * f.stride) * f.channels;
}

// Where a number of a patch is, from its beginning.
INLINE int within_patch(const Factors &f, int number) {
    const int line = f.size * f.channels;
    return number / line * f.side * f.channels + number % line;
}

// A square of pixels of a transposed convolution's result.
struct Square {
    int image, y, x;
};
INLINE Square square_at(const Factors &f, int row) {
    const int squares = (f.side + f.stride - 1) / f.stride;
    return {row / squares / squares, row / squares % squares, row % squares};
}
INLINE int taps_across(const Factors &f) { return (f.size + f.stride - 1) / f.stride; }

// A bit for each (y, x) of count x count for which 0 <= first_y + step * y < end, and likewise for x.
INLINE word32 inside(int first_y, int first_x, int step, int end, int count) {
    word32 on = 0;
    for (int y = 0; y < count; ++y)
        for (int x = 0; x < count; ++x) {
            const int py = first_y + step * y, px = first_x + step * x;
            if (py >= 0 && py < end && px >= 0 && px < end) on |= 1u << (y * count + x);
        }
    return on;
}

INLINE Line a_line(const Factors &f, int i) {
    if (i >= f.m) return {0, 0};
    if (!f.side) return {i * f.a_row, 1};
    if (!is_window(f)) return {f.a_row ? within_patch(f, i) : patch_at(f, i), 1};
    const Square s = square_at(f, i);
    const int across = patches_across(f), taps = taps_across(f), small = f.k / (taps * taps);
    return {((s.image * across + s.y) * across + s.x) * small, inside(s.y, s.x, -1, across, taps)};
}

INLINE Line a_number(const Factors &f, int j, int end) {
    if (j >= end) return {0, 0};
    if (!f.side) return {j * f.a_column, 1};
    if (!is_window(f)) return {f.a_row ? patch_at(f, j) : within_patch(f, j), 1};
    const int taps = taps_across(f), small = f.k / (taps * taps), tap = j / small;
    return {j % small - (tap / taps * patches_across(f) + tap % taps) * small, 1u << tap};
}

INLINE Line b_line(const Factors &f, int j) {
    if (j >= f.n) return {0, 0};
    if (!is_window(f)) return {j * f.b_column, 1};
    const int pixel = j / f.channels, y = pixel / f.stride, x = pixel % f.stride;
    return {((y * f.size + x) * f.channels + j % f.channels) * f.b_column, inside(y, x, f.stride, f.size, taps_across(f))};
}

INLINE Line b_number(const Factors &f, int i, int end) {
    if (i >= end) return {0, 0};
    if (!is_window(f)) return {i * f.b_row, 1};
    const int taps = taps_across(f), small = f.k / (taps * taps), tap = i / small;
    return {(tap / taps * f.size + tap % taps) * f.stride * f.channels * f.b_column + i % small * f.b_row, 1u << tap};
}

// The same for the result.
INLINE Line c_row(const Factors &f, int i) {
    if (i >= f.m) return {0, 0};
    if (!is_window(f)) return {i * f.n, 1};
    const Square s = square_at(f, i);
    const int y = s.y * f.stride, x = s.x * f.stride;
    return {((s.image * f.side + y) * f.side + x) * f.channels, inside(y, x, 1, f.side, f.stride)};
}
INLINE Line c_column(const Factors &f, int j) {
    if (j >= f.n) return {0, 0};
    if (!is_window(f)) return {j, 1};
    const int pixel = j / f.channels;
    return {(pixel / f.stride * f.side + pixel % f.stride) * f.channels + j % f.channels, 1u << pixel};
}

// Whether neighbouring numbers in memory are those of a line, rather than those of neighbouring lines.
INLINE bool a_lies_deep(const Factors &f) { return f.side ? f.a_row != 1 : f.a_column == 1; }
INLINE bool b_lies_deep(const Factors &f) { return f.b_column != 1; }

// How many numbers of a factor can be read at once: they lie side by side, at an aligned place, and all exist or none.
INLINE bool divides(int width, int one, int other) { return one % width == 0 && other % width == 0; }
INLINE bool a_can(const Factors &f, int width) {
    if ((word64)f.a % (4 * width)) return false;
    if (!f.side && f.a_column == 1) return divides(width, f.a_row, f.k);
    if (!f.side) return f.a_row == 1 && divides(width, f.a_column, f.m);
    if (is_window(f)) return f.k / (taps_across(f) * taps_across(f)) % width == 0;
    return divides(width, f.size * f.channels, f.side * f.channels) && f.stride * f.channels % width == 0;
}
INLINE bool b_can(const Factors &f, int width) {
    if ((word64)f.b % (4 * width)) return false;
    if (f.b_column == 1 && !is_window(f)) return divides(width, f.b_row, f.n);
    if (f.b_row != 1) return false;
    return divides(width, f.b_column, is_window(f) ? f.k / (taps_across(f) * taps_across(f)) : f.k);
}
INLINE int a_width(const Factors &f) { return a_can(f, 4) ? 4 : a_can(f, 2) ? 2 : 1; }
INLINE int b_width(const Factors &f) { return b_can(f, 4) ? 4 : b_can(f, 2) ? 2 : 1; }

// The same for the result, and what is added to it.
INLINE bool c_can(const Factors &f, const float *c, const float *plus, int width) {
    return ((word64)c | (word64)plus) % (4 * width) == 0 && divides(width, f.n, is_window(f) ? f.channels : f.n);
}

// The operation after the sums of a product: c = activation(scale * sum + plus + bias), with a scale for each row. If
// `with_sums`, `sums` is given the sums of the columns of each row of tiles: [tiles, n].
struct Finish {
    const float *plus, *bias, *scales;
    float *sums;
    int with_plus, with_bias, activation, with_scales, with_sums;
};
