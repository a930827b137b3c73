#pragma once

#include "pydl/abi.h"

#define PYDL_NORM_KERNELS(X)
