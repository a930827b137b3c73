#pragma once

#include "pydl/abi.h"

#define PYDL_INDEXING_KERNELS(X)
