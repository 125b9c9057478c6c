/* Lua in one translation unit, with what WASI lacks: processes and temporary names. */
#define LUA_CORE
#define LUA_LIB
#define ltable_c
#define lvm_c
#include <stdio.h>
#ifndef L_tmpnam
#define L_tmpnam 20
#endif
#include "luaconf.h"
#include "lzio.c"
#include "lctype.c"
#include "lopcodes.c"
#include "lmem.c"
#include "lundump.c"
#include "ldump.c"
#include "lstate.c"
#include "lgc.c"
#include "llex.c"
#include "lcode.c"
#include "lparser.c"
#include "ldebug.c"
#include "lfunc.c"
#include "lobject.c"
#include "ltm.c"
#include "lstring.c"
#include "ltable.c"
#include "ldo.c"
#include "lvm.c"
#include "lapi.c"
#include "lauxlib.c"
#include "lbaselib.c"
#include "lbitlib.c"
#include "lcorolib.c"
#include "ldblib.c"
#include "liolib.c"
#include "lmathlib.c"
#include "loadlib.c"
#include "loslib.c"
#include "lstrlib.c"
#include "ltablib.c"
#include "lutf8lib.c"
#include "linit.c"
#include "lua.c"

FILE *tmpfile(void) { return NULL; }
char *tmpnam(char *name) { (void)name; return NULL; }
int system(const char *command) { (void)command; return -1; }
