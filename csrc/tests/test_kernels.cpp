// Runs the kernels of every instruction set that this CPU has and compares their float32 and float64
// results, and their gradients, with the generic ones in float64. Needs no Python, so it also runs
// cross-compiled, under an emulator. Prints a line a failure; exits with 1 if there was one.
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "autograd/engine.h"
#include "autograd/node.h"
#include "dispatch/backends.h"
#include "ops/conv.h"
#include "ops/ops.h"

namespace pydl {
namespace {

using Inputs = std::vector<Tensor>;

struct Case {
  const char* name;
  std::vector<Dims> shapes;
  std::function<Tensor(const Inputs&)> run;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> list = {
      {"add", {{33, 17}, {17}}, [](const Inputs& x) { return add(x[0], x[1]); }},
      {"multiply", {{5, 1, 67}, {3, 1}}, [](const Inputs& x) { return multiply(x[0], x[1]); }},
      {"neg", {{1031}}, [](const Inputs& x) { return neg(x[0]); }},
      {"sum rows", {{37, 129}}, [](const Inputs& x) { return sum(x[0], Dims{1}); }},
      {"sum columns", {{129, 37}}, [](const Inputs& x) { return sum(x[0], Dims{0}); }},
      {"mean", {{7, 11, 13}}, [](const Inputs& x) { return mean(x[0]); }},
      {"softmax", {{9, 131}}, [](const Inputs& x) { return softmax(x[0]); }},
      {"softmax of few", {{131, 9}}, [](const Inputs& x) { return softmax(x[0]); }},
      {"matmul", {{70, 45}, {45, 67}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {"matmul transposed", {{45, 70}, {67, 45}},
       [](const Inputs& x) { return matmul(swap_last(x[0]), swap_last(x[1])); }},
      {"matmul thin", {{3, 1, 300}, {300, 5}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {"exp", {{1031}}, [](const Inputs& x) { return exp(x[0]); }},
      {"log of squares", {{1031}}, [](const Inputs& x) { return log1p(square(x[0])); }},
      {"tanh", {{1031}}, [](const Inputs& x) { return tanh(x[0]); }},
      {"gelu", {{1031}}, [](const Inputs& x) { return gelu(x[0]); }},
      {"divide", {{33, 17}, {33, 17}},
       [](const Inputs& x) { return divide(x[0], add(square(x[1]), square(x[0]))); }},
      {"max rows", {{37, 129}}, [](const Inputs& x) { return max(x[0], Dims{1}); }},
      {"variance", {{37, 129}}, [](const Inputs& x) { return var(x[0], Dims{1}, false); }},
      {"cumsum", {{5, 129}}, [](const Inputs& x) { return cumsum(x[0], 1); }},
      {"log_softmax", {{9, 131}}, [](const Inputs& x) { return log_softmax(x[0]); }},
      {"layer_norm", {{9, 67}, {67}, {67}},
       [](const Inputs& x) { return layer_norm(x[0], x[1], x[2], {-1}, 1e-3); }},
      {"linear", {{33, 40}, {40, 19}, {19}},
       [](const Inputs& x) { return linear(x[0], x[1], x[2], "silu"); }},
      {"conv", {{2, 9, 11, 5}, {3, 3, 5, 18}, {18}},
       [](const Inputs& x) { return conv(x[0], x[1], x[2], {}, 1); }},
      {"conv strided", {{2, 13, 11, 4}, {3, 2, 2, 6}},
       [](const Inputs& x) {
         ConvOptions options;
         options.strides = {2, 1};
         options.padding.mode = Padding::Mode::same;
         return conv(x[0], x[1], {}, options, 2);
       }},
      {"depthwise_conv", {{2, 9, 11, 35}, {3, 3, 35, 1}},
       [](const Inputs& x) { return depthwise_conv(x[0], x[1], {}, {}); }},
      {"max_pool", {{2, 9, 11, 35}},
       [](const Inputs& x) { return max_pool(x[0], {3, 3}, {2, 2}, {}, false); }},
      {"average_pool", {{2, 9, 11, 35}},
       [](const Inputs& x) { return average_pool(x[0], {2, 2}, {}, {}, false); }},
      {"permute", {{12, 5, 31}}, [](const Inputs& x) { return copy(permute(x[0], {2, 0, 1})); }},
  };
  return list;
}

// The same numbers in [-1, 1) on every machine.
Tensor pseudo_random(const Dims& shape, DType dtype, uint32_t seed) {
  Tensor x = Tensor::empty(shape, DType::float64);
  for (int64_t i = 0; i < x.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    x.data_as<double>()[i] = seed / 2147483648.0 - 1;
  }
  Tensor result = copy(cast(x, dtype));
  set_requires_grad(result, true);
  return result;
}

// The result, then the gradient of its sum of squares for each input; all in float64.
std::vector<Tensor> evaluate(const Case& each, DType dtype) {
  Inputs inputs;
  for (size_t i = 0; i < each.shapes.size(); ++i)
    inputs.push_back(pseudo_random(each.shapes[i], dtype, static_cast<uint32_t>(i + 1)));
  Tensor y = each.run(inputs);
  std::vector<Tensor> results{y.detach()};
  for (Tensor& g : grad({sum(multiply(y, y))}, inputs, {}, false, false, false)) results.push_back(g);
  for (Tensor& result : results) result = contiguous(cast(result, DType::float64));
  return results;
}

double largest_error(const Tensor& got, const Tensor& want) {
  double scale = 1, error = 0;
  for (int64_t i = 0; i < want.count(); ++i) {
    double difference = std::fabs(got.data_as<double>()[i] - want.data_as<double>()[i]);
    scale = std::fmax(scale, std::fabs(want.data_as<double>()[i]));
    error = std::isnan(difference) ? INFINITY : std::fmax(error, difference);
  }
  return error / scale;
}

int run_all() {
  int passed = 0, failed = 0;
  for (const Case& each : cases()) {
    set_cpu_isa("generic");
    std::vector<Tensor> want = evaluate(each, DType::float64);
    for (const std::string& isa : supported_cpu_isas()) {
      set_cpu_isa(isa);
      for (DType dtype : {DType::float64, DType::float32}) {
        std::vector<Tensor> got = evaluate(each, dtype);
        double error = 0;
        for (size_t i = 0; i < want.size(); ++i)
          error = std::fmax(error, largest_error(got[i], want[i]));
        bool good = error < (dtype == DType::float64 ? 1e-12 : 1e-5);
        (good ? passed : failed) += 1;
        if (!good)
          std::printf("%s, %s, %s: error %.2e\n", each.name, isa.c_str(), name(dtype), error);
      }
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}

}  // namespace
}  // namespace pydl

int main() { return pydl::run_all(); }
