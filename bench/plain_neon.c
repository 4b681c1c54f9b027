/* The plain loops compiled for neon, with that ISA's flags (bench/CMakeLists.txt). */
#define PLAIN_ISA neon
#include "plain.tpl.h"
