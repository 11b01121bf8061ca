// Calls a kernel by its name, block by block.

#include <cstring>
#include <utility>

struct Argument {
    int kind;  // 0 a place, 1 a whole number, 2 a real one
    int whole;
    float real;
    unsigned long long place;
};

template <class T> struct Reader;
template <> struct Reader<float *> {
    static const int kind = 0;
    static float *of(const Argument &a, float *memory) { return memory + a.place; }
};
template <> struct Reader<const float *> {
    static const int kind = 0;
    static const float *of(const Argument &a, float *memory) { return memory + a.place; }
};
template <> struct Reader<int> {
    static const int kind = 1;
    static int of(const Argument &a, float *) { return a.whole; }
};
template <> struct Reader<float> {
    static const int kind = 2;
    static float of(const Argument &a, float *) { return a.real; }
};

typedef void (*Caller)(void (*)(), const int *grid, void **parameters);
typedef int (*Runner)(void (*)(), const int *grid, const Argument *, int count, float *memory);

// Whether blocks run from the last to the first: a device runs them in any order.
PLACED bool blocks_reversed = false;

template <class... A> static void blocks(void (*kernel)(A...), const int *grid, A... arguments) {
    const long long count = (long long)grid[0] * grid[1] * grid[2];
    for (long long i = 0; i < count; ++i) {
        const long long number = blocks_reversed ? count - 1 - i : i;
        blockIdx.x = number % grid[0];
        blockIdx.y = number / grid[0] % grid[1];
        blockIdx.z = number / grid[0] / grid[1];
        kernel(arguments...);
    }
}

template <class... A, std::size_t... I>
static int launch(void (*kernel)(A...), const int *grid, const Argument *arguments, float *memory,
                  std::index_sequence<I...>) {
    const int kinds[] = {Reader<A>::kind...};
    for (std::size_t i = 0; i < sizeof...(A); ++i)
        if (arguments[i].kind != kinds[i]) return 2;
    blocks(kernel, grid, Reader<A>::of(arguments[I], memory)...);
    return 0;
}

template <class... A, std::size_t... I>
static void call(void (*kernel)(A...), const int *grid, void **parameters, std::index_sequence<I...>) {
    blocks(kernel, grid, *(A *)parameters[I]...);
}

template <class... A> struct Run {
    static int run(void (*kernel)(), const int *grid, const Argument *arguments, int count, float *memory) {
        if (count != (int)sizeof...(A)) return 2;
        return launch((void (*)(A...))kernel, grid, arguments, memory, std::index_sequence_for<A...>());
    }
    static void call_it(void (*kernel)(), const int *grid, void **parameters) {
        call((void (*)(A...))kernel, grid, parameters, std::index_sequence_for<A...>());
    }
};

template <class... A> static Runner run(void (*)(A...)) { return &Run<A...>::run; }
template <class... A> static Caller call_by(void (*)(A...)) { return &Run<A...>::call_it; }
template <class... A> static int parameters(void (*)(A...)) { return sizeof...(A); }
template <class... A> static const int *sizes(void (*)(A...)) {
    static const int of[] = {sizeof(A)...};
    return of;
}

struct Entry {
    const char *name;
    void (*kernel)();
    Runner run;
    Caller call;
    int parameters;
    const int *sizes;
};

static const Entry table[] = {
/* TABLE */
};

// Has the threads of a phase, and the blocks of a grid, run from the last to the first, or from the first to the last.
extern "C" void dreamgraft_order(int reversed) {
    blocks_reversed = reversed;
    first_thread = reversed ? BLOCK - 1 : 0;
    last_thread = reversed ? -1 : BLOCK;
    next_thread = reversed ? -1 : 1;
}

// 0 if the kernel ran, 1 if there is none of this name, 2 if it has other parameters.
extern "C" int dreamgraft_emulate(const char *name, const int *grid, const Argument *arguments, int count, float *memory) {
    for (const Entry &entry : table)
        if (std::strcmp(entry.name, name) == 0) return entry.run(entry.kernel, grid, arguments, count, memory);
    return 1;
}
