// Walks the graph from results back to leaves.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace pydl {

// Adds to the .grad of every leaf that `outputs` depend on. An undefined entry of `grad_outputs`
// means 1 and needs an output of one element.
void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& grad_outputs,
              bool retain_graph, bool create_graph);

// The gradients of `outputs` with respect to `inputs`; touches no .grad. With `allow_unused`, the
// result for an input that plays no part is undefined.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& grad_outputs, bool retain_graph,
                         bool create_graph, bool allow_unused);

}  // namespace pydl
