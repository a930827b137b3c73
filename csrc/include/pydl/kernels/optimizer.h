#pragma once

#include "pydl/abi.h"

#define PYDL_OPTIMIZER_KERNELS(X)
