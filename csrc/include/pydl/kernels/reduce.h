#pragma once

#include "pydl/abi.h"

#define PYDL_REDUCE_KERNELS(X)
