// A stand-in for NVIDIA's compiler of kernels, NVRTC: it takes every source, and makes an image that only the driver's
// stand-in takes. Only the real compiler shows whether the kernels compile: `scripts/check-cuda`.

#include <cstring>

static const char IMAGE[] = "\x7f" "ELF of the stand-in";

extern "C" {

typedef int Answer;

Answer nvrtcVersion(int *major, int *minor) { return *major = 12, *minor = 4, 0; }
const char *nvrtcGetErrorString(Answer) { return "an error of the stand-in"; }
Answer nvrtcGetNumSupportedArchs(int *count) { return *count = 2, 0; }
Answer nvrtcGetSupportedArchs(int *all) { return all[0] = 80, all[1] = 90, 0; }
Answer nvrtcCreateProgram(void **program, const char *, const char *, int, const char *const *, const char *const *) {
    return *program = (void *)IMAGE, 0;
}
Answer nvrtcCompileProgram(void *, int, const char *const *) { return 0; }
Answer nvrtcDestroyProgram(void **program) { return *program = nullptr, 0; }
Answer nvrtcGetProgramLogSize(void *, std::size_t *size) { return *size = 1, 0; }
Answer nvrtcGetProgramLog(void *, char *log) { return *log = 0, 0; }
Answer nvrtcGetCUBINSize(void *, std::size_t *size) { return *size = sizeof IMAGE, 0; }
Answer nvrtcGetCUBIN(void *, char *image) { return std::memcpy(image, IMAGE, sizeof IMAGE), 0; }
Answer nvrtcGetPTXSize(void *, std::size_t *size) { return *size = sizeof IMAGE, 0; }
Answer nvrtcGetPTX(void *, char *image) { return std::memcpy(image, IMAGE, sizeof IMAGE), 0; }

}  // extern "C"
