// The backend's kernels, each declared weak: one that no file defines is NULL in the table, and the host
// says that this device has none.
#include "pydl/kernel_table.h"

namespace pydl::cuda {

#define PYDL_DECLARE_KERNEL(kernel, Args)                   \
  __attribute__((weak, visibility("hidden"))) PydlStatus kernel(const PydlContext*, const Args*);
PYDL_KERNELS(PYDL_DECLARE_KERNEL)
#undef PYDL_DECLARE_KERNEL

extern const PydlKernelTable table;
const PydlKernelTable table = {
    PYDL_ABI_VERSION,
    sizeof(PydlKernelTable),
#ifdef PYDL_CUDA_EMULATED
    "cuda-emulated",
#else
    "cuda",
#endif
#define PYDL_ENTRY(kernel, Args) &kernel,
    PYDL_KERNELS(PYDL_ENTRY)
#undef PYDL_ENTRY
};

}  // namespace pydl::cuda
