// Recurrent layers over whole sequences. The products of the inputs and the kernel come ready made;
// what remains is to go through the steps. All arrays are dense.
#pragma once

#include "pydl/abi.h"
#include "pydl/kernels/activation.h"

typedef struct PydlSequence {
  PydlDType dtype;  // float32 or float64
  int64_t batch, steps, units;
  const void* recurrent_kernel;  // (units, gates * units)
  const uint8_t* mask;           // (batch, steps): 0 where the state stays as it is; or NULL
} PydlSequence;

// Gates in the order i f c o: cell = f * cell + i * c, hidden = o * tanh(cell).
typedef struct PydlLstmArgs {
  PydlSequence sequence;
  const void* initial_hidden;  // (batch, units)
  const void* initial_cell;
  void* gates;   // (batch, steps, 4 * units): in, x @ kernel + bias; out, the gates where not masked
  void* hidden;  // (batch, steps, units)
  void* cell;    // (batch, steps, units)
} PydlLstmArgs;

typedef struct PydlLstmBackwardArgs {
  PydlSequence sequence;
  const void* initial_cell;
  const void* gates;
  const void* cell;
  const void* hidden_gradient;       // or NULL, for 0, as the next two
  const void* last_hidden_gradient;  // (batch, units)
  const void* last_cell_gradient;
  void* gates_gradient;  // of x @ kernel + bias
  void* initial_hidden_gradient;
  void* initial_cell_gradient;
  // Of x, made while the gradients of the gates are at hand; only CPU kernels take it.
  void* inputs_gradient;  // (batch, steps, features) or NULL
  const void* kernel;     // (features, 4 * units), dense
  int64_t features;
} PydlLstmBackwardArgs;

// Gates in the order z r h: hidden = z * hidden + (1 - z) * h, with h = tanh(x + r * (hidden @
// recurrent + bias)) or, without reset_after, tanh(x + (r * hidden) @ recurrent).
typedef struct PydlGruArgs {
  PydlSequence sequence;
  int32_t reset_after;
  const void* recurrent_bias;  // (3 * units,) or NULL; with reset_after
  const void* initial_hidden;
  void* gates;      // (batch, steps, 3 * units), as for lstm
  void* candidate;  // (batch, steps, units): with reset_after, what r is multiplied by; else NULL
  void* hidden;
} PydlGruArgs;

typedef struct PydlGruBackwardArgs {
  PydlSequence sequence;
  int32_t reset_after;
  const void* initial_hidden;
  const void* gates;
  const void* candidate;
  const void* hidden;
  const void* hidden_gradient;       // or NULL, for 0, as the next one
  const void* last_hidden_gradient;  // (batch, units)
  void* gates_gradient;
  void* recurrent_gradient;  // (batch, steps, 3 * units): of hidden @ recurrent; with reset_after
  void* initial_hidden_gradient;
} PydlGruBackwardArgs;

// hidden = activation(x + hidden @ recurrent), for activations whose slope follows from their
// result: none, relu, sigmoid and tanh.
typedef struct PydlSimpleRnnArgs {
  PydlSequence sequence;
  PydlActivation activation;
  const void* initial_hidden;
  const void* inputs;  // (batch, steps, units): x @ kernel + bias
  void* hidden;
} PydlSimpleRnnArgs;

typedef struct PydlSimpleRnnBackwardArgs {
  PydlSequence sequence;
  PydlActivation activation;
  const void* hidden;
  const void* hidden_gradient;       // or NULL, for 0, as the next one
  const void* last_hidden_gradient;  // (batch, units)
  void* inputs_gradient;
  void* initial_hidden_gradient;
} PydlSimpleRnnBackwardArgs;

#define PYDL_RECURRENT_KERNELS(X)          \
  X(lstm_forward, PydlLstmArgs)            \
  X(lstm_backward, PydlLstmBackwardArgs)   \
  X(gru_forward, PydlGruArgs)              \
  X(gru_backward, PydlGruBackwardArgs)     \
  X(simple_rnn_forward, PydlSimpleRnnArgs) \
  X(simple_rnn_backward, PydlSimpleRnnBackwardArgs)
