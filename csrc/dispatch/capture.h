// A step's work on a GPU as a graph, recorded once and launched as often as wanted.
#pragma once

#include <map>
#include <vector>

#include "core/random_uses.h"
#include "dispatch/gpu.h"

namespace pydl {

class Graph {
 public:
  // Makes the stream that the step is captured on, whose memory is the graph's.
  explicit Graph(Device device);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  Device device() const { return device_; }
  void* stream() const { return stream_; }

  // Between the two, this thread's work on the stream is kept instead of run.
  void begin();
  void end();
  // For a step that failed between begin and end.
  void abandon();

  // Puts the step on the current stream. Its random numbers follow those that `generators` gave last;
  // optimizers take the step number and the learning rate.
  void launch(const std::vector<Generator*>& generators, int64_t step, double learning_rate);

  // The generators that the step drew from; some may be gone.
  std::vector<Generator*> generators() const;

 private:
  void leave();

  Device device_;
  void* stream_ = nullptr;
  void* graph_ = nullptr;
  void* replay_ = nullptr;  // a PydlReplay on the device
  void* outer_stream_ = nullptr;
  bool capturing_ = false, fresh_ = false;
  std::vector<RandomUse> uses_;
};

// What kernels read while this thread captures; NULL while it does not.
const PydlReplay* current_replay();

}  // namespace pydl
