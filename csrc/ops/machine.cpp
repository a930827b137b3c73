#include "ops/machine.h"

#include <chrono>
#include <cstring>

#include "core/error.h"
#include "dispatch/launch.h"

namespace pydl {
namespace {

struct StreamKind {
  const char* name;
  PydlStreamKind kind;
  int arrays;
};
constexpr StreamKind kStreamKinds[] = {{"read", PYDL_STREAM_READ, 1},
                                       {"write", PYDL_STREAM_WRITE, 1},
                                       {"copy", PYDL_STREAM_COPY, 2},
                                       {"add", PYDL_STREAM_ADD, 3}};
constexpr int64_t kBlock = 64;  // floats; the kernel walks whole blocks

const StreamKind& stream_kind(const std::string& name) {
  for (const StreamKind& kind : kStreamKinds)
    if (name == kind.name) return kind;
  fail<ValueError>("[stream_rate] expected read, write, copy or add, got ", name);
}

void check_rounds(const char* name, int64_t rounds) {
  if (rounds < 1) fail<ValueError>("[", name, "] expected at least one round, got ", rounds);
}

template <class Args>
double seconds(const char* name, Kernel<Args> PydlKernelTable::*kernel, const Args& args) {
  const auto start = std::chrono::steady_clock::now();
  launch(name, Device(), kernel, args);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

double fma_rate(DType dtype, int64_t rounds) {
  check_rounds("fma_rate", rounds);
  double operations = 0;
  const double spent = seconds("fma_rate", &PydlKernelTable::fma_loop,
                               PydlFmaLoopArgs{static_cast<PydlDType>(dtype), rounds, &operations});
  return operations / spent;
}

double stream_rate(const std::string& name, int64_t bytes, int64_t rounds, bool past_cache) {
  check_rounds("stream_rate", rounds);
  const StreamKind& kind = stream_kind(name);
  const int64_t block_bytes = kBlock * static_cast<int64_t>(sizeof(float));
  const int64_t count = bytes / kind.arrays / block_bytes * kBlock;
  if (count < kBlock)
    fail<ValueError>("[stream_rate] expected at least ", kind.arrays * block_bytes, " bytes, got ",
                     bytes);
  const Tensor memory = Tensor::empty({kind.arrays * count}, DType::float32);
  std::memset(memory.data(), 0, memory.count() * sizeof(float));
  float* first = memory.data_as<float>();
  float* last = first + (kind.arrays - 1) * count;
  const double spent =
      seconds("stream_rate", &PydlKernelTable::stream_loop,
              PydlStreamLoopArgs{kind.kind, past_cache, count, rounds, first,
                                 kind.arrays == 3 ? first + count : first, last});
  return static_cast<double>(memory.count()) * sizeof(float) * static_cast<double>(rounds) / spent;
}

}  // namespace pydl
