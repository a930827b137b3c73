#pragma once

#include "pydl/abi.h"

#define PYDL_SCAN_KERNELS(X)
