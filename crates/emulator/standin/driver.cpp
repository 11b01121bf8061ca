// A stand-in for NVIDIA's driver library: the functions that crate `cuda` calls, on a processor. Kernels are those of
// this crate, independent of a module's image. It checks what a driver would refuse (a context that is not current,
// copies while a stream records) and, at the end, that everything was given back.
//
// `scripts/check-cuda` builds it as libcuda.so.1 behind the kernels' source, and runs the whole program with it.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <vector>

namespace {

struct Call {
    const Entry *entry;
    int grid[3];
    std::vector<word64> values;
};

// What a launch is asked to be: CUlaunchConfig, and CUlaunchAttribute of the one kind that is used.
struct Attribute {
    int id, pad;
    union {
        word64 all[8];
        int allowed;
    };
};
struct Configuration {
    unsigned grid[3], block[3], shared;
    void *stream;
    Attribute *attributes;
    unsigned count;
};
// CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
const int OVERLAP = 6;

typedef std::vector<Call> Graph;
typedef void *Handle;
typedef int Answer;

enum : Answer {
    DONE = 0, INVALID = 1, NO_MEMORY = 2, BAD_IMAGE = 200, NOT_FOUND = 500, FAILED = 719, RECORDING = 900, UNKNOWN = 999
};

const std::size_t TOTAL = (std::size_t)8 << 30;
std::size_t used = 0;
int pieces = 0, modules = 0, graphs = 0, executables = 0, streams = 0, events = 0, pinned = 0, contexts = 0;
Graph *recorded = nullptr;
bool failed = false;
// With STAND_IN_RUNS=N, a kernel fails in the run after the Nth of a graph, and with it all that is asked afterwards.
long runs_left = std::getenv("STAND_IN_RUNS") ? std::atol(std::getenv("STAND_IN_RUNS")) : -1;
// With STAND_IN_FAILS=NAME, each run of this kernel fails, and with it all that is asked afterwards.
const char *const fails = std::getenv("STAND_IN_FAILS");
// The version of CUDA that the driver says it is for.
const int VERSION = std::getenv("STAND_IN_DRIVER") ? std::atoi(std::getenv("STAND_IN_DRIVER")) : 12040;
// The device's compute capability, times ten.
const int CAPABILITY = std::getenv("STAND_IN_CAPABILITY") ? std::atoi(std::getenv("STAND_IN_CAPABILITY")) : 90;
// Launches, and those that may start before the one before them has ended. With STAND_IN_REPORT, the numbers are printed
// at the end.
long launched = 0, overlapped = 0;
// With STAND_IN_WRONG, every kernel adds 1 to its first result.
const bool wrong = std::getenv("STAND_IN_WRONG") != nullptr;
thread_local bool current = false;
const Handle CONTEXT = (Handle)8, MODULE = (Handle)24;

// A stream's work, which is done in its order, as late as the other streams allow or as early. Streams that compute are
// early, and those that only copy are late: a computation that does not wait for a copy finds old numbers. With
// STAND_IN_EARLY_COPIES it is the other way round: a copy that does not wait for a computation overwrites what it reads.
// With STAND_IN_LATE all work is late, until the program waits for it: memory of the CPU that the program writes before
// it has waited for a copy from there is copied as it is then.
struct Stream {
    std::deque<std::function<void()>> waiting;
    word64 asked = 0, done = 0;
    bool computes = false;
};
const bool early_copies = std::getenv("STAND_IN_EARLY_COPIES") != nullptr;
const bool all_late = std::getenv("STAND_IN_LATE") != nullptr;

struct Event {
    Stream *stream = nullptr;
    word64 at = 0;
};

void advance(Stream *stream, word64 to) {
    while (stream->done < to) {
        const std::function<void()> work = stream->waiting.front();
        stream->waiting.pop_front();
        ++stream->done;
        work();
    }
}

Answer ask(Handle handle, std::function<void()> work) {
    Stream *stream = (Stream *)handle;
    stream->waiting.push_back(std::move(work));
    ++stream->asked;
    if (!all_late && stream->computes != early_copies) advance(stream, stream->asked);
    return DONE;
}

// A call that needs a context ends the program without one: a driver would return an error, for which no test waits.
void need() {
    if (!current) std::fprintf(stderr, "stand-in: no context is current\n"), std::abort();
}

void run(Call &call) {
    if (fails && std::strcmp(call.entry->name, fails) == 0) failed = true;
    if (failed) return;
    void *parameters[32];
    for (std::size_t i = 0; i < call.values.size(); ++i) parameters[i] = &call.values[i];
    call.entry->call(call.entry->kernel, call.grid, parameters);
    if (wrong) *(float *)call.values[0] += 1.0f;
}

}  // namespace

extern "C" {

Answer cuInit(unsigned) { return DONE; }
Answer cuDriverGetVersion(int *version) { return *version = VERSION, DONE; }
Answer cuDeviceGetCount(int *count) { return *count = 1, DONE; }
Answer cuDeviceGet(int *device, int number) { return *device = number, DONE; }
Answer cuDeviceGetName(char *name, int size, int) { return std::snprintf(name, size, "a processor"), DONE; }
Answer cuDeviceGetAttribute(int *value, int attribute, int) {
    // The capability's two numbers, and multiprocessors.
    return *value = attribute == 75 ? CAPABILITY / 10 : attribute == 76 ? CAPABILITY % 10 : attribute == 16 ? 132 : -1, DONE;
}
Answer cuDevicePrimaryCtxRetain(Handle *context, int) { return ++contexts, *context = CONTEXT, DONE; }
Answer cuDevicePrimaryCtxRelease_v2(int) {
    if (contexts == 1 && std::getenv("STAND_IN_REPORT"))
        std::fprintf(stderr, "stand-in: %ld launches, %ld of them overlapped\n", launched, overlapped);
    if (--contexts == 0 && !failed && (pieces || modules || graphs || executables || streams || events || pinned)) {
        std::fprintf(stderr, "stand-in: left over: %d pieces of memory, %d of pinned memory, %d modules, %d graphs, %d executables, %d streams, %d events\n",
                     pieces, pinned, modules, graphs, executables, streams, events);
        std::abort();
    }
    return DONE;
}
Answer cuCtxSetCurrent(Handle context) { return current = context != nullptr, DONE; }

Answer cuMemGetInfo_v2(std::size_t *free, std::size_t *total) { return need(), *free = TOTAL - used, *total = TOTAL, DONE; }
Answer cuMemAlloc_v2(word64 *place, std::size_t size) {
    need();
    if (size == 0) return INVALID;
    if (size > TOTAL - used) return NO_MEMORY;
    char *memory = (char *)std::malloc(size + 256);
    std::memset(memory, 0xee, size + 256);
    std::memcpy(memory, &size, sizeof size);
    used += size, ++pieces;
    return *place = (word64)memory + 256, DONE;
}
Answer cuMemFree_v2(word64 place) {
    need();
    std::size_t size;
    std::memcpy(&size, (char *)place - 256, sizeof size);
    used -= size, --pieces;
    return std::free((char *)place - 256), DONE;
}
Answer cuMemHostAlloc(void **memory, std::size_t size, unsigned flags) {
    return need(), ++pinned, *memory = std::malloc(size), flags == 0 ? DONE : INVALID;
}
Answer cuMemFreeHost(void *memory) { return need(), --pinned, std::free(memory), DONE; }
Answer cuMemsetD8Async(word64 place, unsigned char value, std::size_t size, Handle stream) {
    need();
    ((Stream *)stream)->computes = true;
    return ask(stream, [=] { std::memset((void *)place, value, size); });
}
static Answer copy(void *to, const void *from, std::size_t size, Handle stream) {
    need();
    return failed ? FAILED : recorded ? RECORDING : ask(stream, [=] { std::memcpy(to, from, size); });
}
Answer cuMemcpyHtoDAsync_v2(word64 to, const void *from, std::size_t size, Handle stream) {
    return copy((void *)to, from, size, stream);
}
Answer cuMemcpyDtoHAsync_v2(void *to, word64 from, std::size_t size, Handle stream) {
    return copy(to, (const void *)from, size, stream);
}
Answer cuMemcpyDtoDAsync_v2(word64 to, word64 from, std::size_t size, Handle stream) {
    return copy((void *)to, (const void *)from, size, stream);
}

Answer cuStreamCreate(Handle *stream, unsigned flags) { return need(), ++streams, *stream = new Stream, flags == 1 ? DONE : INVALID; }
Answer cuStreamDestroy_v2(Handle stream) { return need(), --streams, delete (Stream *)stream, DONE; }
Answer cuStreamSynchronize(Handle stream) {
    need();
    if (!recorded) advance((Stream *)stream, ((Stream *)stream)->asked);
    return failed ? FAILED : recorded ? RECORDING : DONE;
}
Answer cuStreamWaitEvent(Handle stream, Handle event, unsigned flags) {
    need();
    if (flags || recorded) return INVALID;
    // As it is now: a later recording of the event is not waited for.
    const Event now = *(Event *)event;
    return now.stream ? ask(stream, [=] { advance(now.stream, now.at); }) : DONE;
}
// CU_EVENT_DISABLE_TIMING
Answer cuEventCreate(Handle *event, unsigned flags) { return need(), ++events, *event = new Event, flags == 2 ? DONE : INVALID; }
Answer cuEventDestroy_v2(Handle event) { return need(), --events, delete (Event *)event, DONE; }
Answer cuEventRecord(Handle event, Handle stream) {
    need();
    return *(Event *)event = {(Stream *)stream, ((Stream *)stream)->asked}, failed ? FAILED : DONE;
}
Answer cuEventSynchronize(Handle event) {
    need();
    const Event now = *(Event *)event;
    if (now.stream) advance(now.stream, now.at);
    return failed ? FAILED : DONE;
}
Answer cuStreamBeginCapture_v2(Handle, int mode) { return need(), recorded = new Graph, mode == 1 ? DONE : INVALID; }
Answer cuStreamEndCapture(Handle, Handle *graph) { return need(), *graph = recorded, recorded = nullptr, ++graphs, DONE; }

Answer cuGraphInstantiateWithFlags(Handle *executable, Handle graph, word64 flags) {
    return need(), *executable = new Graph(*(Graph *)graph), ++executables, flags == 0 ? DONE : INVALID;
}
Answer cuGraphLaunch(Handle executable, Handle stream) {
    need();
    return ask(stream, [=] {
        if (runs_left == 0) failed = true;
        if (runs_left > 0) --runs_left;
        if (failed) return;
        for (Call &call : *(Graph *)executable) run(call);
    });
}
Answer cuGraphExecDestroy(Handle executable) { return need(), delete (Graph *)executable, --executables, DONE; }
Answer cuGraphDestroy(Handle graph) { return need(), delete (Graph *)graph, --graphs, DONE; }

Answer cuModuleLoadData(Handle *module, const void *image) {
    need();
    if (std::memcmp(image, "\x7f" "ELF", 4) != 0) return BAD_IMAGE;
    return ++modules, *module = MODULE, DONE;
}
Answer cuModuleUnload(Handle) { return need(), --modules, DONE; }
Answer cuModuleGetFunction(Handle *function, Handle, const char *name) {
    need();
    for (const Entry &entry : table)
        if (std::strcmp(entry.name, name) == 0) return *function = (Handle)&entry, DONE;
    return NOT_FOUND;
}
Answer cuFuncGetAttribute(int *value, int attribute, Handle) { return need(), *value = attribute == 0 ? 1024 : -1, DONE; }
Answer cuLaunchKernelEx(const Configuration *with, Handle function, void **parameters, void **extra) {
    need();
    if (with->block[0] != BLOCK || with->block[1] != 1 || with->block[2] != 1 || with->shared || !with->stream || extra)
        return INVALID;
    if (with->count > 1 || (with->count == 1 && (with->attributes->id != OVERLAP || with->attributes->allowed != 1))) return INVALID;
    ++launched, overlapped += with->count;
    Call call = {(const Entry *)function, {(int)with->grid[0], (int)with->grid[1], (int)with->grid[2]}, {}};
    for (int i = 0; i < call.entry->parameters; ++i) {
        word64 value = 0;
        std::memcpy(&value, parameters[i], call.entry->sizes[i]);
        call.values.push_back(value);
    }
    if (recorded)
        recorded->push_back(call);
    else
        return ask(with->stream, [=]() mutable { run(call); });
    return DONE;
}

Answer cuGetErrorName(Answer answer, const char **name) {
    return *name = answer == NO_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : answer == FAILED ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR", DONE;
}
Answer cuGetErrorString(Answer, const char **text) { return *text = "an error of the stand-in", DONE; }
// The compiler asks for these when it finds a driver, and goes without.
Answer cuGetExportTable(const void **exported, const void *) { return *exported = nullptr, UNKNOWN; }
Answer cuGetProcAddress(const char *, void **address, int, word64) { return *address = nullptr, NOT_FOUND; }
Answer cuGetProcAddress_v2(const char *, void **address, int, word64, int *) { return *address = nullptr, NOT_FOUND; }

}  // extern "C"
