#pragma once

#include "pydl/abi.h"

#define PYDL_EMBEDDING_KERNELS(X)
