#pragma once

#include "pydl/abi.h"

#define PYDL_POOL_KERNELS(X)
