// Products with few rows or one column, where reading the big operand is the cost: it is read once,
// along its rows, and nothing is packed.
#pragma once

#include "cpu/gemm/matrix.h"
#include "pydl/kernels/gemm.h"

namespace pydl::cpu::PYDL_ISA {
namespace {

constexpr int kThinRows = 4;               // that one pass over the big operand serves
constexpr int64_t kCachedBytes = 1 << 20;  // of B: read from the L2 cache, tiles are faster
constexpr int64_t kThinSums = 8192;        // kept in the L1 cache while a pass runs
constexpr int64_t kShortRow = 2048;        // elements of B: half of one is a short run of memory
constexpr int64_t kMostParts = 32;
constexpr int64_t kDotRun = 1024;          // added up apart, as long sums have larger errors

// sum[i][j] += a[i][l] * b[l][j] for `depth` values of l. Meanwhile the L2 cache gets `ahead` rows
// from `next` on: where b is read several times, what comes after it would arrive in bursts.
template <int rows, int depth, int ahead, class S>
void add_weighted_rows(const S* a, int64_t a_row, int64_t a_column, const S* b, int64_t b_row,
                       int64_t columns, Compute<S>* sum, int64_t sum_row, const S* next) {
  using T = Compute<S>;
  Vec<T> weight[rows][depth];
#pragma GCC unroll 4
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 8
    for (int l = 0; l < depth; ++l) weight[i][l] = to_compute(a[i * a_row + l * a_column]);
  }
  for_registers<T>(columns, [&](int64_t j, auto... count) {
#pragma GCC unroll 4
    for (int l = 0; l < ahead; ++l) __builtin_prefetch(next + l * b_row + j, 0, 2);
    Vec<T> x[rows];  // added up apart from the sums so far, which are large: smaller errors
#pragma GCC unroll 8
    for (int l = 0; l < depth; ++l) {
      const Vec<T> y = load(b + l * b_row + j, count...);
#pragma GCC unroll 4
      for (int i = 0; i < rows; ++i) x[i] = l ? fma(weight[i][l], y, x[i]) : weight[i][l] * y;
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; ++i) {
      T* to = sum + i * sum_row + j;
      (Vec<T>::load(to) + x[i]).store(to);
    }
  });
}

// sum[i][j] for `rows` rows of A and all k, in passes of as many values of l as registers can hold
// weights for.
template <class S>
void add_all_weighted_rows(const PydlGemmArgs& args, int64_t j, int64_t columns, Compute<S>* sum,
                           int64_t sum_row) {
  const S* a = static_cast<const S*>(args.a);
  const S* b = static_cast<const S*>(args.b) + j;
  const auto add = [&](auto rows, auto depth, auto ahead, int64_t i, int64_t l) {
    add_weighted_rows<rows.value, depth.value, ahead.value>(
        a + i * args.a_row_stride + l * args.a_col_stride, args.a_row_stride, args.a_col_stride,
        b + l * args.b_row_stride, args.b_row_stride, columns, sum + i * sum_row, sum_row,
        b + (l + 4 + i / 2) * args.b_row_stride);
  };
  const std::integral_constant<int, 0> none;
  const std::integral_constant<int, 1> one;
  const std::integral_constant<int, 2> two;
  const std::integral_constant<int, 4> four;
  const std::integral_constant<int, 8> eight;
  int64_t l = 0;
  if (args.m == 1) {
    for (; l + 8 <= args.k; l += 8) add(one, eight, none, 0, l);
  }
  for (; l + 4 <= args.k; l += 4) {
    int64_t i = 0;
    if (args.m >= 8) {
      for (; i < 8; i += 4) add(four, four, two, i, l);
    } else if (args.m > 4) {
      for (; i < 4; i += 4) add(four, four, four, i, l);
    }
    for (; i + 4 <= args.m; i += 4) add(four, four, none, i, l);
    for (; i < args.m; ++i) add(one, four, none, i, l);
  }
  for (; l < args.k; ++l) {
    for (int64_t i = 0; i < args.m; ++i) add(one, one, none, i, l);
  }
}

// How many rows of B, if they are short, a thread shall read as one run of memory, its sums being few
// beside them; else 0.
inline int64_t rows_of_part(const PydlGemmArgs& args) {
  if (args.n > kShortRow) return 0;
  const int64_t least = larger(kReadsPerThread / args.n, divide_up(args.k, kMostParts));
  const int64_t rows = divide_up(least, 8) * 8;
  return rows < args.k && 8 * args.m <= rows ? rows : 0;
}

// C as sums of sums over `rows` rows of B, whoever makes these. False where memory is short.
template <class S, class Output>
bool multiply_by_parts_of_rows(const PydlContext* context, const PydlGemmArgs& args, int64_t rows,
                               const Output& out) {
  using T = Compute<S>;
  const int64_t parts = divide_up(args.k, rows), row = padded<T>(args.n), size = args.m * row;
  Scratch<T> sums(context, parts * size);
  if (!sums) return false;
  parallel_for(context, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      PydlGemmArgs part = args;
      part.a = static_cast<const S*>(args.a) + i * rows * args.a_col_stride;
      part.b = static_cast<const S*>(args.b) + i * rows * args.b_row_stride;
      part.k = smaller(rows, args.k - i * rows);
      T* sum = sums.data() + i * size;
      memset(sum, 0, size * sizeof(T));
      add_all_weighted_rows<S>(part, 0, args.n, sum, row);
    }
  });
  add_parts(sums.data(), parts, size, size);
  out.write(0, static_cast<int>(args.m), 0, args.n, sums.data(), row, out.accumulate);
  return true;
}

// C as sums of rows of B, each row of B contiguous.
template <class S, class Output>
void multiply_by_rows(const PydlContext* context, const PydlGemmArgs& args, const Output& out) {
  using T = Compute<S>;
  constexpr int64_t kUnit = 64;
  const int64_t units = divide_up(args.n, kUnit), block = kThinSums / args.m / kUnit * kUnit;
  const int64_t grain = divide_up(kReadsPerThread, kUnit * larger(1, args.k));
  parallel_for(context, units, grain, [&](int64_t begin, int64_t end) {
    const int64_t last = smaller(end * kUnit, args.n);
    for (int64_t j = begin * kUnit; j < last; j += block) {
      const int64_t columns = smaller(block, last - j);
      alignas(64) T sum[kThinSums];
      for (int64_t i = 0; i < args.m; ++i) {
        memset(sum + i * block, 0, divide_up(columns, kUnit) * kUnit * sizeof(T));
      }
      add_all_weighted_rows<S>(args, j, columns, sum, block);
      out.write(0, static_cast<int>(args.m), j, columns, sum, block, out.accumulate);
    }
  });
}

// out[i][j] = the dot product of row i of a and row j of b.
template <int rows, int columns, class S>
void dot_rows(const S* a, int64_t a_row, const S* b, int64_t b_row, int64_t k, Compute<S>* out) {
  using T = Compute<S>;
  for (int i = 0; i < rows * columns; ++i) out[i] = 0;
  for (int64_t begin = 0; begin < k; begin += kDotRun) {
    Vec<T> sum[rows][columns];
#pragma GCC unroll 16
    for (int i = 0; i < rows * columns; ++i) sum[i / columns][i % columns] = T(0);
    for_registers<T>(smaller(kDotRun, k - begin), [&](int64_t l, auto... count) {
      Vec<T> x[rows];
#pragma GCC unroll 4
      for (int i = 0; i < rows; ++i) x[i] = load(a + i * a_row + begin + l, count...);
#pragma GCC unroll 4
      for (int j = 0; j < columns; ++j) {
        const Vec<T> y = load(b + j * b_row + begin + l, count...);
#pragma GCC unroll 4
        for (int i = 0; i < rows; ++i) sum[i][j] = fma(x[i], y, sum[i][j]);
      }
    });
#pragma GCC unroll 16
    for (int i = 0; i < rows * columns; ++i) out[i] += reduce_add(sum[i / columns][i % columns]);
  }
}

// C (m, n) as dot products, rows of A and columns of B both contiguous.
template <class S, class Output>
void multiply_by_dots(const PydlContext* context, const PydlGemmArgs& args, const Output& out) {
  using T = Compute<S>;
  constexpr int kSide = kThinRows;
  const S* a = static_cast<const S*>(args.a);
  const S* b = static_cast<const S*>(args.b);
  const int64_t down = divide_up(args.m, kSide), across = divide_up(args.n, kSide);
  const int64_t grain = divide_up(kReadsPerThread, kSide * larger(1, args.k));
  parallel_for(context, down * across, grain, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t i = block % down * kSide, j = block / down * kSide;
      const int rows = static_cast<int>(smaller(kSide, args.m - i));
      const int columns = static_cast<int>(smaller(kSide, args.n - j));
      alignas(64) T dots[kSide * kSide];
      const auto with = [&](auto r, auto c, int at_i, int at_j) {
        T some[r.value * c.value];
        dot_rows<r.value, c.value>(a + (i + at_i) * args.a_row_stride, args.a_row_stride,
                                   b + (j + at_j) * args.b_col_stride, args.b_col_stride, args.k,
                                   some);
        for (int p = 0; p < r.value * c.value; ++p) {
          dots[(at_i + p / c.value) * kSide + at_j + p % c.value] = some[p];
        }
      };
      const std::integral_constant<int, kSide> all;
      const std::integral_constant<int, 1> one;
      if (rows == kSide && columns == kSide) {
        with(all, all, 0, 0);
      } else if (columns == kSide) {
        for (int r = 0; r < rows; ++r) with(one, all, r, 0);
      } else if (rows == kSide) {
        for (int c = 0; c < columns; ++c) with(all, one, 0, c);
      } else {
        for (int p = 0; p < rows * columns; ++p) with(one, one, p / columns, p % columns);
      }
      out.write(i, rows, j, columns, dots, kSide, out.accumulate);
    }
  });
}

// Whether it was such a product.
template <class S, class Output>
bool multiply_thin(const PydlContext* context, const PydlGemmArgs& args, const Output& out) {
  const bool dots = args.a_col_stride == 1 && args.b_row_stride == 1;
  if (dots && (args.n == 1 || (args.m <= 2 * kThinRows && args.b_col_stride != 1))) {
    multiply_by_dots<S>(context, args, out);
    return true;
  }
  const bool big = args.k * args.n * static_cast<int64_t>(sizeof(S)) > kCachedBytes;
  const int64_t most = !big ? 1 : args.prepared_b ? 4 : 8;
  if (args.b_col_stride == 1 && args.m <= most * kThinRows) {
    const int64_t rows = rows_of_part(args);
    if (rows && multiply_by_parts_of_rows<S>(context, args, rows, out)) return true;
    multiply_by_rows<S>(context, args, out);
    return true;
  }
  return false;
}

}  // namespace
}  // namespace pydl::cpu::PYDL_ISA
