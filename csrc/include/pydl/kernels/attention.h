#pragma once

#include "pydl/abi.h"

#define PYDL_ATTENTION_KERNELS(X)
