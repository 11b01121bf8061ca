// Products of matrices, and patches of images as matrices.

#define TILE 64
#define DEPTH 16

// What a thread makes of a tile.
struct Sums {
    float at[4][4];
};

// c[m, n] (+)= op(a)[m, k] op(b)[k, n], where op(a)[i, j] is a[i * a_row + j * a_column], and so for b. A block makes a tile of
// 64 x 64, a thread 4 x 4 of it, 16 apart. Blocks with different z take different parts of k, `part` long, and then c has a matrix
// for each.
extern "C" __global__ void product(float *c, const float *a, const float *b, int m, int n, int k, int a_row,
        int a_column, int b_row, int b_column, int part, int accumulate) {
    SHARED float left[DEPTH][TILE + 1];
    SHARED float right[DEPTH][TILE + 1];
    OWN(Sums, sums);
    const long long row = (long long)blockIdx.x * TILE;
    const long long column = (long long)blockIdx.y * TILE;
    const int from = blockIdx.z * part;
    const int to = from + part < k ? from + part : k;
    PHASE {
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) MINE(sums).at[i][j] = 0.0f;
    }
    for (int start = from; start < to; start += DEPTH) {
        PHASE {
            // Neighbouring threads read neighbouring numbers, whichever way the matrix lies.
            for (int i = thread; i < TILE * DEPTH; i += BLOCK) {
                const int deep = a_column == 1 ? i % DEPTH : i / TILE, along = a_column == 1 ? i / DEPTH : i % TILE;
                const bool inside = row + along < m && start + deep < to;
                left[deep][along] = inside ? a[(row + along) * a_row + (long long)(start + deep) * a_column] : 0.0f;
            }
            for (int i = thread; i < TILE * DEPTH; i += BLOCK) {
                const int deep = b_column == 1 ? i / TILE : i % DEPTH, along = b_column == 1 ? i % TILE : i / DEPTH;
                const bool inside = column + along < n && start + deep < to;
                right[deep][along] = inside ? b[(long long)(start + deep) * b_row + (column + along) * b_column] : 0.0f;
            }
        }
        PHASE {
            const int y = thread / 16, x = thread % 16;
            for (int deep = 0; deep < DEPTH; ++deep) {
                float l[4], r[4];
                for (int i = 0; i < 4; ++i) l[i] = left[deep][y + 16 * i];
                for (int j = 0; j < 4; ++j) r[j] = right[deep][x + 16 * j];
                for (int i = 0; i < 4; ++i)
                    for (int j = 0; j < 4; ++j) MINE(sums).at[i][j] += l[i] * r[j];
            }
        }
    }
    PHASE {
        const int y = thread / 16, x = thread % 16;
        float *out = c + (long long)blockIdx.z * m * n;
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 4; ++j) {
                const long long at_row = row + y + 16 * i, at_column = column + x + 16 * j;
                if (at_row < m && at_column < n) put(&out[at_row * n + at_column], MINE(sums).at[i][j], accumulate);
            }
    }
}

// out[n] (+)= the sum of `count` vectors of n numbers, one after the other.
extern "C" __global__ void sum_parts(float *out, const float *parts, int n, int count, int accumulate) {
    PHASE {
        const long long i = NUMBER;
        if (i < n) {
            float sum = 0.0f;
            for (int part = 0; part < count; ++part) sum += parts[(long long)part * n + i];
            put(&out[i], sum, accumulate);
        }
    }
}

// parts[y, columns] = sums over rows y * part.. of x[rows, columns]: to be added by sum_parts.
extern "C" __global__ void column_sums(float *parts, const float *x, int rows, int columns, int part) {
    PHASE {
        const long long column = NUMBER;
        if (column < columns) {
            const long long from = (long long)blockIdx.y * part, to = from + part < rows ? from + part : rows;
            float sum = 0.0f;
            for (long long row = from; row < to; ++row) sum += x[row * columns + column];
            parts[(long long)blockIdx.y * columns + column] = sum;
        }
    }
}

// Patches of `images` square images x[images, side, side, channels]: out[images * across * across, size * size * channels].
extern "C" __global__ void patches(float *out, const float *x, int images, int side, int channels, int size,
        int stride) {
    PHASE {
        const int across = (side - size) / stride + 1, width = size * size * channels;
        const long long i = NUMBER;
        if (i < (long long)images * across * across * width) {
            const long long patch = i / width;
            const int within = i % width, channel = within % channels;
            const int dx = within / channels % size, dy = within / channels / size;
            const int px = patch % across, py = patch / across % across;
            const long long image = patch / across / across;
            out[i] = x[((image * side + py * stride + dy) * side + px * stride + dx) * channels + channel];
        }
    }
}

// The images whose patches these are, each number the sum of all that were read from it: x (+)= the adjoint of `patches`.
extern "C" __global__ void overlay(float *x, const float *from, int images, int side, int channels, int size,
        int stride, int accumulate) {
    PHASE {
        const int across = (side - size) / stride + 1, width = size * size * channels;
        const long long i = NUMBER;
        if (i < (long long)images * side * side * channels) {
            const int channel = i % channels, ix = i / channels % side, iy = i / channels / side % side;
            const long long image = i / channels / side / side;
            float sum = 0.0f;
            for (int dy = iy % stride; dy < size && dy <= iy; dy += stride) {
                const int py = (iy - dy) / stride;
                for (int dx = ix % stride; dx < size && dx <= ix; dx += stride) {
                    const int px = (ix - dx) / stride;
                    if (py < across && px < across)
                        sum += from[((image * across + py) * across + px) * width + (dy * size + dx) * channels + channel];
                }
            }
            put(&x[i], sum, accumulate);
        }
    }
}
