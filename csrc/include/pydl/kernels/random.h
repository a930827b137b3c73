#pragma once

#include "pydl/abi.h"

#define PYDL_RANDOM_KERNELS(X)
