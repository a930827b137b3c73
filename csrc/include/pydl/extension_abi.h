// The C ABI between pydl and extensions: shared libraries that add ops and replace kernels.
// C++ authors include extension.h, which wraps all of this.
//
// An extension exports three functions:
//   uint32_t pydl_extension_abi(void);                       PYDL_ABI_VERSION of its headers
//   const char* pydl_extension_name(void);                   the namespace of its ops
//   PydlStatus pydl_extension_load(const PydlHost* host);    registers what it has
//
// Structs are append-only. Those that an extension fills in say their size, and the host takes
// members beyond it as zero; arrays hold pointers, so that their items may grow.
#pragma once

#include "pydl/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PYDL_CPU = 0, PYDL_GPU = 1 };  // device types

#define PYDL_ANY (-1)  // for a dtype

typedef struct PydlTensorView {
  uint32_t struct_size;
  PydlDType dtype;
  int32_t device_type, device_index;
  int32_t rank;
  int64_t count;  // of elements
  int64_t shape[PYDL_MAX_RANK];
  int64_t strides[PYDL_MAX_RANK];  // in elements; inputs and outputs are dense
  void* data;  // NULL for an optional tensor that was left out, and while shapes are computed
} PydlTensorView;

enum {
  PYDL_ATTRIBUTE_INT = 0,
  PYDL_ATTRIBUTE_FLOAT = 1,
  PYDL_ATTRIBUTE_BOOL = 2,
  PYDL_ATTRIBUTE_STRING = 3,
  PYDL_ATTRIBUTE_INTS = 4,
};

typedef struct PydlAttribute {
  uint32_t struct_size;
  int32_t kind;
  int64_t integer;  // also of bool
  double real;
  const char* string;
  const int64_t* integers;
  int64_t integer_count;
} PydlAttribute;

// One call of an op: tensors and other arguments, each in the order of the signature.
typedef struct PydlOpArgs {
  uint32_t struct_size;
  int32_t input_count, output_count, attribute_count;
  const PydlTensorView* const* inputs;
  PydlTensorView* const* outputs;
  const PydlAttribute* const* attributes;
} PydlOpArgs;

typedef PydlStatus (*PydlOpFunction)(const PydlContext* context, const PydlOpArgs* args);

typedef struct PydlOpDefinition {
  uint32_t struct_size;
  const char* name;
  // Such as "(x: Tensor, bias: Tensor | None = None, axis: int = -1) -> y". Types: Tensor, int,
  // float, bool, str, list[int]; a tensor may be optional. Results are named after the arrow.
  const char* signature;
  const char* doc;
  // Checks the arguments and fills in dtype, rank and shape of the outputs. NULL: each output is
  // like the first input.
  PydlOpFunction shapes;
  // The op of the same extension that computes the gradient, or NULL. Its parameters are named
  // after what they are: an argument or a result of this op, or the gradient of the result y as dy.
  // Its results are named dx for the argument x.
  const char* gradient;
} PydlOpDefinition;

// A kernel for ops whose first tensor has this dtype (or any).
typedef struct PydlOpKernel {
  uint32_t struct_size;
  const char* op;
  int32_t device_type;
  PydlDType dtype;
  PydlOpFunction run;
} PydlOpKernel;

// A kernel that runs instead of a built-in one of the kernel table.
typedef struct PydlKernelOverride {
  uint32_t struct_size;
  const char* kernel;  // its name in the table: "gemm"
  const char* name;    // what traces call it
  int32_t device_type;
  PydlDType dtype;                            // of the arguments' member dtype; PYDL_ANY for all
  const char* isa;                            // "avx512"; NULL for all
  int32_t priority;                           // of several that could run, the highest does
  uint32_t args_size;                         // sizeof the argument struct that it was built with
  int32_t (*is_supported)(const void* args);  // NULL: always
  PydlStatus (*run)(const PydlContext* context, const void* args);
} PydlKernelOverride;

typedef struct PydlHost {
  uint32_t struct_size;
  uint32_t abi_version;
  const char* version;  // pydl's
  PydlStatus (*register_op)(const struct PydlHost* host, const PydlOpDefinition* op);
  PydlStatus (*register_kernel)(const struct PydlHost* host, const PydlOpKernel* kernel);
  PydlStatus (*override_kernel)(const struct PydlHost* host, const PydlKernelOverride* override);
} PydlHost;

#ifdef __cplusplus
}
#endif
