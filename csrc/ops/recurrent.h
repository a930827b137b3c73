// Recurrent layers over whole sequences.
#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"

namespace pydl {

// The inputs of a recurrent op.
struct Recurrence {
  Tensor x;                    // (batch, steps, features)
  Tensor kernel;               // (features, gates * units)
  Tensor recurrent_kernel;     // (units, gates * units)
  Tensor bias;                 // undefined for none
  std::vector<Tensor> states;  // (batch, units) each: before the first step; empty for zeros
  Tensor mask;  // (batch, steps): false where the state stays as it is; undefined for none
  bool go_backwards = false;  // from the last step of x and mask to the first
};

// Each returns the hidden state after every step, (batch, steps, units) in the order of
// computation, then the last states.
std::vector<Tensor> lstm(const Recurrence& inputs);
std::vector<Tensor> gru(const Recurrence& inputs, bool reset_after);
std::vector<Tensor> simple_rnn(const Recurrence& inputs, const std::string& activation);

}  // namespace pydl
