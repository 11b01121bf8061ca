// Included before every one of Bullet's files (compiler option -include): a simulator inside a library must not write to
// its user's terminal. Only the function-like spelling is replaced, so declarations and attributes named printf still
// compile; the standard header comes first, so it never sees the macro. Importer messages still arrive through Bullet's
// own logging hooks (src/log.rs).
#pragma once
#include <cstdio>
#define printf(...) ((void)0)
