/* The plain loops compiled for scalar, with that ISA's flags (bench/CMakeLists.txt). */
#define PLAIN_ISA scalar
#include "plain.tpl.h"
