#pragma once

#include "pydl/abi.h"

#define PYDL_CONV_KERNELS(X)
