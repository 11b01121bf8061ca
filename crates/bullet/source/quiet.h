// Included before every one of Bullet's files (compiler option -include).
#pragma once

// A simulator inside a library must not write to its user's terminal. Only the function-like spelling is replaced, so
// declarations and attributes named printf still compile; the standard header comes first, so it never sees the macro.
// Importer messages still arrive through Bullet's own logging hooks (src/log.rs).
#include <cstdio>
#define printf(...) ((void)0)

// Bullet marks functions for inlining, but on this compiler only as a hint; its vectors and matrices then become calls.
#if defined(__GNUC__)
#include "LinearMath/btScalar.h"
#undef SIMD_FORCE_INLINE
#define SIMD_FORCE_INLINE inline __attribute__((always_inline))
#endif

// The zones of its profiler, which are two calls each, are not used.
#include "LinearMath/btQuickprof.h"
#undef BT_PROFILE
#define BT_PROFILE(name) ((void)0)
