#pragma once

#include "pydl/abi.h"

#define PYDL_LOSS_KERNELS(X)
