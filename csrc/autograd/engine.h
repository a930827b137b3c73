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
// result for an input that plays no part is undefined. Nodes before number `since` count as given:
// no way to an input leads through them.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& grad_outputs, bool retain_graph,
                         bool create_graph, bool allow_unused, uint64_t since = 0);

// The number that the next node will get.
uint64_t graph_position();

// What the part of the graph that was made from node number `since` on starts from, each once: the
// leaves that `outputs` depend on, but for those of `known`, and stand-ins for results of earlier
// nodes, which have their place in the graph but not their values.
std::vector<Tensor> graph_sources(const std::vector<Tensor>& outputs,
                                  const std::vector<Tensor>& known, uint64_t since);

}  // namespace pydl
