// Ops that the tests of extensions call.
#include <pydl/extension.h>
#include <pydl/simd.h>

#include <cmath>
#include <stdexcept>

PYDL_EXTENSION("sample")

namespace {

// --- y = x * factor + shift, with a gradient in C++
// ---------------------------------------------------

template <class T>
void scale(const pydl::Context& context, pydl::Tensor x, double factor, pydl::Tensor shift,
           pydl::Tensor y) {
  const T* from = x.data<T>();
  const T* add = shift ? shift.data<T>() : nullptr;
  T* to = y.data<T>();
  context.parallel_for(x.count(), 1024, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      to[i] = from[i] * static_cast<T>(factor) + (add ? add[i] : T(0));
  });
}

void scale_shapes(pydl::Tensor x, double, pydl::Tensor shift, pydl::Output y) {
  pydl::check(!shift || shift.has_shape_of(x), PYDL_ERROR_SHAPE, "expected shift like x ", x,
              ", got ", shift);
  y.like(x);
}

template <class T>
void scale_backward(pydl::Tensor dy, double factor, pydl::Tensor dx, pydl::Tensor dshift) {
  for (int64_t i = 0; i < dy.count(); ++i) {
    dx.data<T>()[i] = dy.data<T>()[i] * static_cast<T>(factor);
    dshift.data<T>()[i] = dy.data<T>()[i];
  }
}

// --- vectors: y = exp(x)
// ------------------------------------------------------------------------------

template <class T>
void vector_exp(pydl::Tensor x, pydl::Tensor y) {
  const T* from = x.data<T>();
  T* to = y.data<T>();
  pydl::simd::for_each<T>(
      0, x.count(), [=](int64_t i, auto part) { part.store(to + i, exp(part.load(from + i))); });
}

// --- every kind of argument
// ---------------------------------------------------------------------------

void arguments(int64_t integer, double real, bool flag, const char* string, pydl::Ints integers,
               pydl::Tensor y) {
  double sum = 0;
  for (int64_t each : integers) sum += static_cast<double>(each);
  double* out = y.data<double>();
  out[0] = static_cast<double>(integer);
  out[1] = real;
  out[2] = flag;
  out[3] = static_cast<double>(std::string(string).size());
  out[4] = sum;
}
void arguments_shapes(int64_t, double, bool, const char*, pydl::Ints, pydl::Output y) {
  y.set(PYDL_FLOAT64, {5});
}

// --- two results, checked access, scratch memory, random numbers
// --------------------------------------

void row_extremes(const pydl::Context& context, pydl::Tensor x, pydl::Tensor low,
                  pydl::Tensor high) {
  pydl::Context::Scratch<float> row(context, x.size(1));
  for (int64_t i = 0; i < x.size(0); ++i) {
    for (int64_t j = 0; j < x.size(1); ++j) row[j] = x.at<float>(i, j);
    float least = INFINITY, most = -INFINITY;
    for (int64_t j = 0; j < x.size(1); ++j) {
      least = std::fmin(least, row[j]);
      most = std::fmax(most, row[j]);
    }
    low.at<float>(i) = least;
    high.at<float>(i) = most;
  }
}
void row_extremes_shapes(pydl::Tensor x, pydl::Output low, pydl::Output high) {
  pydl::check(x.rank() == 2, PYDL_ERROR_SHAPE, "expected 2 axes, got ", x.rank());
  low.set(PYDL_FLOAT32, {x.size(0)});
  high.set(PYDL_FLOAT32, {x.size(0)});
}

void stream(const pydl::Context& context, pydl::Tensor, pydl::Tensor y) {
  PydlRandomState state = context.random(64);
  y.data<int64_t>()[0] = static_cast<int64_t>(state.seed);
  y.data<int64_t>()[1] = static_cast<int64_t>(state.offset);
}
void stream_shapes(pydl::Tensor, pydl::Output y) { y.set(PYDL_INT64, {2}); }

// --- what goes wrong
// ----------------------------------------------------------------------------------

void same(pydl::Tensor, pydl::Tensor) {}
void throws_standard(pydl::Tensor, pydl::Tensor) {
  throw std::runtime_error("the moon is in the way");
}
void throws_integer(pydl::Tensor, pydl::Tensor) { throw 3; }
void throws_in_thread(const pydl::Context& context, pydl::Tensor x, pydl::Tensor) {
  context.parallel_for(x.count(), 1,
                       [](int64_t, int64_t) { pydl::fail(PYDL_ERROR_INDEX, "out of the range"); });
}
void out_of_bounds(pydl::Tensor x, pydl::Tensor) { x.at<float>(x.count()); }
void negative_size(pydl::Tensor, pydl::Output y) { y.set(PYDL_FLOAT32, {-1}); }
void huge_size(pydl::Tensor, pydl::Output y) {
  y.set(PYDL_FLOAT32, {int64_t{1} << 40, int64_t{1} << 40});
}
void no_dtype(pydl::Tensor, pydl::Output y) { y.set(77, {1}); }
void too_many_parameters(pydl::Tensor, double, pydl::Tensor) {}

}  // namespace

PYDL_REGISTER_OP(scale)
    .signature("(x: Tensor, factor: float = 2.0, shift: Tensor | None = None) -> y")
    .doc("x * factor + shift.")
    .shapes<scale_shapes>()
    .kernel<scale<float>>(PYDL_CPU, PYDL_FLOAT32)
    .kernel<scale<double>>(PYDL_CPU, PYDL_FLOAT64)
    .gradient("scale_backward");
PYDL_REGISTER_OP(scale_backward)
    .signature("(dy: Tensor, factor: float) -> dx, dshift")
    .kernel<scale_backward<float>>(PYDL_CPU, PYDL_FLOAT32)
    .kernel<scale_backward<double>>(PYDL_CPU, PYDL_FLOAT64);
PYDL_REGISTER_OP(vector_exp)
    .signature("(x: Tensor) -> y")
    .kernel<vector_exp<float>>(PYDL_CPU, PYDL_FLOAT32)
    .kernel<vector_exp<double>>(PYDL_CPU, PYDL_FLOAT64);
PYDL_REGISTER_OP(arguments)
    .signature(
        "(integer: int = -3, real: float = 1.5, flag: bool = True, string: str = 'abc', "
        "integers: list[int] = [1, 2]) -> y")
    .shapes<arguments_shapes>()
    .kernel<arguments>(PYDL_CPU);
PYDL_REGISTER_OP(row_extremes)
    .signature("(x: Tensor) -> low, high")
    .shapes<row_extremes_shapes>()
    .kernel<row_extremes>(PYDL_CPU, PYDL_FLOAT32);
PYDL_REGISTER_OP(stream)
    .signature("(x: Tensor) -> y")
    .shapes<stream_shapes>()
    .kernel<stream>(PYDL_CPU);
PYDL_REGISTER_OP(throws_standard).signature("(x: Tensor) -> y").kernel<throws_standard>(PYDL_CPU);
PYDL_REGISTER_OP(throws_integer).signature("(x: Tensor) -> y").kernel<throws_integer>(PYDL_CPU);
PYDL_REGISTER_OP(throws_in_thread).signature("(x: Tensor) -> y").kernel<throws_in_thread>(PYDL_CPU);
PYDL_REGISTER_OP(out_of_bounds).signature("(x: Tensor) -> y").kernel<out_of_bounds>(PYDL_CPU);
PYDL_REGISTER_OP(negative_size)
    .signature("(x: Tensor) -> y")
    .shapes<negative_size>()
    .kernel<same>(PYDL_CPU);
PYDL_REGISTER_OP(huge_size)
    .signature("(x: Tensor) -> y")
    .shapes<huge_size>()
    .kernel<same>(PYDL_CPU);
PYDL_REGISTER_OP(no_dtype).signature("(x: Tensor) -> y").shapes<no_dtype>().kernel<same>(PYDL_CPU);
PYDL_REGISTER_OP(too_many_parameters)
    .signature("(x: Tensor) -> y")
    .kernel<too_many_parameters>(PYDL_CPU);
PYDL_REGISTER_OP(no_kernel).signature("(x: Tensor) -> y");
