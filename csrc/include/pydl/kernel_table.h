// The table of kernels that a backend fills in: one entry a kernel, NULL where it has none.
#pragma once

#include "pydl/kernels/attention.h"
#include "pydl/kernels/conv.h"
#include "pydl/kernels/creation.h"
#include "pydl/kernels/elementwise.h"
#include "pydl/kernels/gemm.h"
#include "pydl/kernels/image.h"
#include "pydl/kernels/indexing.h"
#include "pydl/kernels/loss.h"
#include "pydl/kernels/machine.h"
#include "pydl/kernels/norm.h"
#include "pydl/kernels/optimizer.h"
#include "pydl/kernels/pool.h"
#include "pydl/kernels/quantized.h"
#include "pydl/kernels/random.h"
#include "pydl/kernels/recurrent.h"
#include "pydl/kernels/reduce.h"
#include "pydl/kernels/scan.h"
#include "pydl/kernels/softmax.h"
#include "pydl/kernels/sort.h"

// X(name, argument struct) for every kernel.
#define PYDL_KERNELS(X)       \
  PYDL_ELEMENTWISE_KERNELS(X) \
  PYDL_REDUCE_KERNELS(X)      \
  PYDL_SCAN_KERNELS(X)        \
  PYDL_SORT_KERNELS(X)        \
  PYDL_INDEXING_KERNELS(X)    \
  PYDL_CREATION_KERNELS(X)    \
  PYDL_GEMM_KERNELS(X)        \
  PYDL_CONV_KERNELS(X)        \
  PYDL_POOL_KERNELS(X)        \
  PYDL_SOFTMAX_KERNELS(X)     \
  PYDL_NORM_KERNELS(X)        \
  PYDL_LOSS_KERNELS(X)        \
  PYDL_ATTENTION_KERNELS(X)   \
  PYDL_RANDOM_KERNELS(X)      \
  PYDL_OPTIMIZER_KERNELS(X)   \
  PYDL_IMAGE_KERNELS(X)       \
  PYDL_MACHINE_KERNELS(X)     \
  PYDL_RECURRENT_KERNELS(X)   \
  PYDL_QUANTIZED_KERNELS(X)

typedef struct PydlKernelTable {
  uint32_t abi_version;  // PYDL_ABI_VERSION of the header it was built with
  uint32_t struct_size;
  const char* name;  // what traces call it: "cpu/avx512"
#define PYDL_TABLE_ENTRY(kernel, Args) \
  PydlStatus (*kernel)(const PydlContext* context, const Args* args);
  PYDL_KERNELS(PYDL_TABLE_ENTRY)
#undef PYDL_TABLE_ENTRY
} PydlKernelTable;
