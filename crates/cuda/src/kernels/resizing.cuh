// Convolutions that halve or double the size of images [side, side, channels]: what surrounds their products.

// out[images, whole, whole, channels] = x padded with zeros, `before` of them above and to the left.
extern "C" __global__ void pad_images(float *out, const float *x, int count, int side, int channels, int before, int whole) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) {
            const int channel = i % channels, column = i / channels % whole - before, row = i / channels / whole % whole - before;
            const long long image = i / channels / whole / whole;
            const bool inside = row >= 0 && row < side && column >= 0 && column < side;
            out[i] = inside ? x[((image * side + row) * side + column) * channels + channel] : 0.0f;
        }
    }
}

// out[taps, outputs, channels] = kernel[taps, channels, outputs], its taps in reverse order.
extern "C" __global__ void flip_kernel(float *out, const float *kernel, int taps, int channels, int outputs) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < (long long)taps * channels * outputs) {
            const int channel = i % channels, output = i / channels % outputs, tap = i / channels / outputs;
            out[i] = kernel[((long long)(taps - 1 - tap) * channels + channel) * outputs + output];
        }
    }
}

// The tap of an image that a pixel of this parity of the upsampled image reads with tap `a` of a kernel; -1 if it reads
// a zero.
INLINE int small_tap(int parity, int a, int size, int spread) {
    const int half = size / 2, place = parity + a + 2 * ((half + 1) / 2) - half;
    return spread && place % 2 == 0 ? -1 : place / 2;
}

// out[taps, taps, channels, 2, 2, outputs] = the weights that kernel[size, size, channels, outputs] gives an image, for
// each pair of parities of the upsampled image's pixels.
extern "C" __global__ void rearrange_kernel(float *out, const float *kernel, int count, int size, int channels, int outputs,
        int spread) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) {
            const int output = i % outputs, parity = i / outputs % 4, channel = i / outputs / 4 % channels;
            const int tap = i / outputs / 4 / channels, taps = 2 * ((size / 2 + 1) / 2) + 1;
            float sum = 0.0f;
            for (int a = 0; a < size; ++a) {
                if (small_tap(parity / 2, a, size, spread) != tap / taps) continue;
                for (int b = 0; b < size; ++b)
                    if (small_tap(parity % 2, b, size, spread) == tap % taps)
                        sum += kernel[((long long)(a * size + b) * channels + channel) * outputs + output];
            }
            out[i] = sum;
        }
    }
}

// out[size, size, channels, outputs] (+)= the gradient of a kernel, from that of the rearranged one.
extern "C" __global__ void gather_kernel(float *out, const float *gradient, int count, int size, int channels, int outputs,
        int spread, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) {
            const int output = i % outputs, channel = i / outputs % channels, tap = i / outputs / channels;
            const int taps = 2 * ((size / 2 + 1) / 2) + 1;
            float sum = 0.0f;
            for (int parity = 0; parity < 4; ++parity) {
                const int row = small_tap(parity / 2, tap / size, size, spread);
                const int column = small_tap(parity % 2, tap % size, size, spread);
                if (row >= 0 && column >= 0)
                    sum += gradient[(((long long)(row * taps + column) * channels + channel) * 4 + parity) * outputs + output];
            }
            put(&out[i], sum, accumulate);
        }
    }
}

// y[rows, inner, outer, size] (+)= x[rows, outer, inner, size].
extern "C" __global__ void swap_axes(float *y, const float *x, int count, int outer, int inner, int size, int accumulate) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) {
            const int number = i % size, out = i / size % outer, in = i / size / outer % inner;
            const long long row = i / size / outer / inner;
            put(&y[i], x[((row * outer + out) * inner + in) * size + number], accumulate);
        }
    }
}

// y[images, half, half, channels] = the largest of 2 x 2 pixels of x, and which of them it is: the first of equal ones,
// and NaN before all numbers.
extern "C" __global__ void max_pool(float *y, float *which, const float *x, int count, int half, int channels) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) {
            const long long pixel = i / channels, row = pixel / half, line = 2LL * half * channels;
            const float *from = x + 2 * row * line + 2 * (pixel % half) * channels + i % channels;
            float most = from[0];
            int place = 0;
            for (int at = 1; at < 4; ++at) {
                const float number = from[at / 2 * line + at % 2 * channels];
                if (number > most || number != number) {
                    most = number;
                    place = at;
                }
            }
            y[i] = most;
            which[i] = place;
        }
    }
}

// x[images, side, side, channels] = the gradient of images, from that after max pooling.
extern "C" __global__ void max_pool_gradient(float *x, const float *gradient, const float *which, int count, int side,
        int channels) {
    BEGIN;
    PHASE {
        const long long i = NUMBER;
        if (i < count) {
            const long long row = i / channels / side;
            const int column = i / channels % side, place = row % 2 * 2 + column % 2;
            const long long from = (row / 2 * (side / 2) + column / 2) * channels + i % channels;
            x[i] = which[from] == place ? gradient[from] : 0.0f;
        }
    }
}
