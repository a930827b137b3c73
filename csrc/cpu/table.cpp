#include "cpu/kernel.h"
#include "pydl/kernel_table.h"

#define PYDL_TEXT2(x) #x
#define PYDL_TEXT(x) PYDL_TEXT2(x)

namespace pydl::cpu::PYDL_ISA {

#define PYDL_DECLARE_KERNEL(kernel, Args) PydlStatus kernel(const PydlContext*, const Args*);
PYDL_KERNELS(PYDL_DECLARE_KERNEL)
#undef PYDL_DECLARE_KERNEL

extern const PydlKernelTable table;
const PydlKernelTable table = {
    PYDL_ABI_VERSION,
    sizeof(PydlKernelTable),
    "cpu/" PYDL_TEXT(PYDL_ISA),
#define PYDL_ENTRY(kernel, Args) &kernel,
    PYDL_KERNELS(PYDL_ENTRY)
#undef PYDL_ENTRY
};

}  // namespace pydl::cpu::PYDL_ISA
