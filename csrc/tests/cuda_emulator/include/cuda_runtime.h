// Stands in for the toolkit's header when the CUDA backend is built for the emulator: the part of the
// language and of the runtime API that pydl uses. Kernels run on the CPU, a fiber a thread.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma GCC visibility push(default)  // for kernels of extensions, which link to the emulated backend
#include "emulator/qualifiers.h"
#include "emulator/vector_types.h"

#include "emulator/runtime_api.h"
#include "emulator/thread.h"

#include "emulator/async.h"
#include "emulator/atomics.h"
#include "emulator/intrinsics.h"
#include "emulator/launch.h"
#include "emulator/warp.h"
#pragma GCC visibility pop
