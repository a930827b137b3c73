// What every CUDA kernel file includes, with the header of its family in pydl/kernels/.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <type_traits>

#include "pydl/cuda/launch.h"
#include "pydl/kernel.h"
