#include "dispatch/capture.h"

#include <algorithm>

namespace pydl {
namespace {

thread_local const PydlReplay* replay = nullptr;

}  // namespace

const PydlReplay* current_replay() { return replay; }

Graph::Graph(Device device) : device_(device) {
  const PydlBackend& backend = gpu_backend(device);
  if (!backend.begin_capture || !backend.end_capture || !backend.launch_graph ||
      !backend.destroy_graph)
    fail<DeviceError>("[capture] expected a backend that captures graphs, got ", gpu_backend_name());
  check_gpu("capture", backend.create_stream(device.index, &stream_));
  check_gpu("capture", backend.allocate(device.index, stream_, sizeof(PydlReplay), &replay_));
}

Graph::~Graph() {
  try {
    const PydlBackend& backend = gpu_backend(device_);
    backend.synchronize(device_.index);
    if (graph_) backend.destroy_graph(device_.index, graph_);
    backend.release(device_.index, stream_, replay_);
    backend.destroy_stream(device_.index, stream_);
  } catch (const Error&) {  // in a forked child, which has no GPU
  }
}

void Graph::begin() {
  if (replay)
    fail<DeviceError>("[capture] expected one capture at a time, got one inside another");
  const PydlBackend& backend = gpu_backend(device_);
  outer_stream_ = current_stream(device_);
  order_streams(device_, outer_stream_, stream_);
  check_gpu("capture", backend.begin_capture(device_.index, stream_));
  set_current_stream(device_, stream_);
  replay = static_cast<const PydlReplay*>(replay_);
  uses_.clear();
  random_uses() = &uses_;
  capturing_ = true;
}

void Graph::leave() {
  set_current_stream(device_, outer_stream_);
  replay = nullptr;
  random_uses() = nullptr;
  capturing_ = false;
}

void Graph::end() {
  leave();
  check_gpu("capture", gpu_backend(device_).end_capture(device_.index, stream_, &graph_));
  fresh_ = true;
}

void Graph::abandon() {
  if (!capturing_) return;
  leave();
  gpu_backend(device_).end_capture(device_.index, stream_, &graph_);  // which may well fail
}

std::vector<Generator*> Graph::generators() const {
  std::vector<Generator*> found;
  for (const RandomUse& use : uses_)
    if (std::find(found.begin(), found.end(), use.generator) == found.end())
      found.push_back(use.generator);
  return found;
}

void Graph::launch(const std::vector<Generator*>& generators, int64_t step, double learning_rate) {
  // All generators move on by the same, that of the busiest: kernels add one number to any offset.
  std::map<Generator*, std::pair<uint64_t, uint64_t>> spans;  // first, end
  for (const RandomUse& use : uses_) {
    auto span = spans.emplace(use.generator, std::make_pair(use.first, use.first)).first;
    span->second.second = std::max(span->second.second, use.first + use.blocks);
  }
  uint64_t most = 0, shift = 0;
  for (const auto& [generator, span] : spans) most = std::max(most, span.second - span.first);
  if (!fresh_)  // what was drawn while it was captured is for the first launch
    for (Generator* generator : generators)
      shift = std::max(shift, generator->state().offset - spans[generator].first);
  for (Generator* generator : generators)
    generator->set_state({generator->state().seed, spans[generator].first + shift + most});
  fresh_ = false;
  const PydlReplay values = {shift, step, learning_rate};
  const PydlBackend& backend = gpu_backend(device_);
  void* stream = current_stream(device_);
  check_gpu("capture", backend.copy(stream, device_.index, replay_, PYDL_HOST, &values, sizeof(values)));
  check_gpu("capture", backend.launch_graph(device_.index, graph_, stream));
}

}  // namespace pydl
