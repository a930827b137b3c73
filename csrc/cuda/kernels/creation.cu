// Sequences, one-hot rows and triangles. Compiled without fusing products with sums, as on the CPU.
#include "cuda/device/error.cuh"
#include "cuda/device/rows.cuh"
#include "pydl/cuda/grid.cuh"
#include "pydl/cuda/visit.h"
#include "pydl/kernels/creation.h"

namespace pydl::cuda {
namespace {

template <class T, class Step>
__global__ void __launch_bounds__(kThreads)
    arange_kernel(int64_t count, T* out, Step start, Step step) {
  for (int64_t i = first_element(); i < count; i += element_step())
    out[i] = static_cast<T>(start + static_cast<Step>(i) * step);
}

template <class T, class Step>
PydlStatus fill_sequence(const PydlContext* context, const PydlArangeArgs* args, Step start,
                         Step step) {
  if (args->count == 0) return PYDL_OK;
  return launch_elements(context, args->count, arange_kernel<T, Step>, args->count,
                         static_cast<T*>(args->out), start, step);
}

template <class T>
__global__ void __launch_bounds__(kRowThreads)
    one_hot_kernel(ErrorSink errors, int64_t count, int64_t classes, const int64_t* indices, T* out,
                   T one) {
  for (int64_t row = first_row(); row < count; row += row_step()) {
    const int64_t index = indices[row];
    if (index >= classes && first_column() == 0) report_index_error(errors, index, classes);
    for (int64_t c = first_column(); c < classes; c += column_step())
      out[row * classes + c] = c == index ? one : T(0);
  }
}

struct Triangle {
  int64_t rows, columns, diagonal;  // of a matrix
  bool upper;

  __device__ bool keeps(int64_t row, int64_t column) const {  // of one matrix
    const int64_t distance = column - row;
    return upper ? distance >= diagonal : distance <= diagonal;
  }
};

template <class T>
__global__ void __launch_bounds__(kRowThreads)
    triangle_kernel(Triangle triangle, int64_t rows, const T* x, T* out) {
  for (int64_t row = first_row(); row < rows; row += row_step()) {
    int64_t own_row;
    divide(row, triangle.rows, own_row);
    for (int64_t c = first_column(); c < triangle.columns; c += column_step()) {
      const int64_t i = row * triangle.columns + c;
      out[i] = triangle.keeps(own_row, c) ? x[i] : T(0);
    }
  }
}

}  // namespace

PydlStatus arange(const PydlContext* context, const PydlArangeArgs* args) {
  const uint64_t start = static_cast<uint64_t>(args->integer_start);
  const uint64_t step = static_cast<uint64_t>(args->integer_step);
  switch (args->dtype) {
    case PYDL_FLOAT32:
      return fill_sequence<float>(context, args, args->start, args->step);
    case PYDL_FLOAT64:
      return fill_sequence<double>(context, args, args->start, args->step);
    case PYDL_INT32:
      return fill_sequence<int32_t>(context, args, start, step);
    case PYDL_INT64:
      return fill_sequence<int64_t>(context, args, start, step);
    default:
      return fail_dtype(context, "arange", "float32, float64, int32 or int64", args->dtype);
  }
}

PydlStatus one_hot(const PydlContext* context, const PydlOneHotArgs* args) {
  return visit_item_size(context, "one_hot", args->item_size, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    if (args->count == 0) return PYDL_OK;
    return launch_rows(context, args->count, args->classes, one_hot_kernel<T>, error_sink(context),
                       args->count, args->classes, args->indices, static_cast<T*>(args->out),
                       static_cast<T>(args->one));
  });
}

PydlStatus triangle(const PydlContext* context, const PydlTriangleArgs* args) {
  return visit_item_size(context, "triangle", args->item_size, [&](auto zero) -> PydlStatus {
    using T = decltype(zero);
    const int64_t rows = args->matrices * args->rows;
    if (rows == 0 || args->columns == 0) return PYDL_OK;
    const Triangle shape = {args->rows, args->columns, args->diagonal, args->upper != 0};
    return launch_rows(context, rows, args->columns, triangle_kernel<T>, shape, rows,
                       static_cast<const T*>(args->x), static_cast<T*>(args->out));
  });
}

}  // namespace pydl::cuda
