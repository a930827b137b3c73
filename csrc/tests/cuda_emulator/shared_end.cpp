// Linked after all kernels, whose __shared__ variables precede this one.
namespace pydl::emulator {
extern thread_local char last_shared_byte;
thread_local char last_shared_byte;
}  // namespace pydl::emulator
