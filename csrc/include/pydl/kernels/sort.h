#pragma once

#include "pydl/abi.h"

#define PYDL_SORT_KERNELS(X)
