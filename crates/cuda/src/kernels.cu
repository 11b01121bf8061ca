// The kernels. Each runs in blocks of 256 threads, on places in one piece of memory.

// a[i] = c * a[i] + b[i], for i < n.
extern "C" __global__ void __launch_bounds__(256)
scale_add(float* __restrict__ a, const float* __restrict__ b, int n, float c)
{
    for (long long i = blockIdx.x * 256ll + threadIdx.x; i < n; i += gridDim.x * 256ll) {
        a[i] = c * a[i] + b[i];
    }
}

// out[row] = the sum of row `blockIdx.x` of a, which has n columns. One block a row.
extern "C" __global__ void __launch_bounds__(256)
row_sums(float* __restrict__ out, const float* __restrict__ a, int n)
{
    __shared__ float parts[8];
    float sum = 0.0f;
    for (int i = threadIdx.x; i < n; i += 256) {
        sum += a[(long long)blockIdx.x * n + i];
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, step);
    }
    if (threadIdx.x % 32 == 0) {
        parts[threadIdx.x / 32] = sum;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int i = 1; i < 8; i++) {
            sum += parts[i];
        }
        out[blockIdx.x] = sum;
    }
}
