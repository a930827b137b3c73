// Linked before all kernels, whose __shared__ variables follow this one.
namespace pydl::emulator {
extern thread_local char first_shared_byte;
thread_local char first_shared_byte;
}  // namespace pydl::emulator
