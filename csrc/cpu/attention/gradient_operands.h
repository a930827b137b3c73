// What the gradient of attention reads and writes besides keys and values: blocks of queries, and
// results.
#pragma once

#include "cpu/attention/scores.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

// A dense result (batch, length, heads, size).
template <class S>
struct Result {
  S* data;
  int64_t length, heads, size;

  // Rows [first, first + count) of one head, from sums whose rows are `stride` apart.
  template <class T>
  void write(int64_t batch, int64_t head, int64_t first, int64_t count, const T* sums,
             int64_t stride, T scale) const {
    for (int64_t r = 0; r < count; ++r, sums += stride) {
      S* to = data + ((batch * length + first + r) * heads + head) * size;
      for_each_vector<T>(size, [&](int64_t i, auto... lanes) {
        store(load(sums + i, lanes...) * scale, to + i, lanes...);
      });
    }
  }
};

template <class S>
Result<S> query_result(const PydlAttentionBackwardArgs& args) {
  const PydlAttentionGeometry& g = args.geometry;
  return {static_cast<S*>(args.query_gradient), g.queries, g.heads, g.head_size};
}
template <class S>
Result<S> key_result(const PydlAttentionBackwardArgs& args) {
  const PydlAttentionGeometry& g = args.geometry;
  return {static_cast<S*>(args.key_gradient), g.keys, g.key_heads, g.head_size};
}
template <class S>
Result<S> value_result(const PydlAttentionBackwardArgs& args) {
  const PydlAttentionGeometry& g = args.geometry;
  return {static_cast<S*>(args.value_gradient), g.keys, g.key_heads, g.value_size};
}

// Rows of one head's operands from query `row.query` on, whose rows in these are `stride` apart.
template <class T>
struct QueryBlock {
  T* query;  // scaled
  int64_t query_stride;
  T* d_out;
  int64_t d_out_stride;
  T* dots;  // sum(dO * O) of each row
};

template <class S, class T>
void load_queries(const PydlAttentionBackwardArgs& args, ScoreRow row, int64_t count,
                  const QueryBlock<T>& to) {
  const PydlAttentionGeometry& g = args.geometry;
  const int64_t stride = args.query_strides[1];
  const S* query =
      head_of(static_cast<const S*>(args.query), args.query_strides, row.batch, row.head);
  const S* d_out = head_of(static_cast<const S*>(args.out_gradient), args.out_gradient_strides,
                           row.batch, row.head);
  for (int64_t r = 0; r < count; ++r) {
    const S* out = static_cast<const S*>(args.out) +
                   ((row.batch * g.queries + row.query + r) * g.heads + row.head) * g.value_size;
    const S* d_row = d_out + (row.query + r) * args.out_gradient_strides[1];
    copy_row(d_row, g.value_size, to.d_out + r * to.d_out_stride);
    to.dots[r] = sum_vectors<T>(g.value_size, [&](int64_t i, auto... lanes) {
      return load(d_row + i, lanes...) * load(out + i, lanes...);
    });
  }
  copy_scaled(query + row.query * stride, stride, count, g.head_size, static_cast<T>(g.scale),
              to.query, to.query_stride);
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
