#include "ops/image.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/ops.h"

namespace pydl {
namespace {

// How much the pixel at distance x counts.
using Weight = double (*)(double x);

double triangle(double x) { return std::max(0.0, 1 - x); }
double cubic(double x) {  // Keys, 1981, with a = -1/2
  if (x >= 2) return 0;
  return x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1;
}
template <int radius>
double lanczos(double x) {
  constexpr double kPi = 3.14159265358979323846;
  if (x > radius) return 0;
  if (x <= 1e-3) return 1;
  return radius * std::sin(kPi * x) * std::sin(kPi * x / radius) / (kPi * kPi * x * x);
}

struct Method {
  const char* name;
  Weight weight;  // none for the nearest pixel
  int radius;
};
constexpr Method kMethods[] = {{"nearest", nullptr, 0},
                               {"bilinear", triangle, 1},
                               {"bicubic", cubic, 2},
                               {"lanczos3", lanczos<3>, 3},
                               {"lanczos5", lanczos<5>, 5}};

// The rows of a matrix, each with its first column and as many weights as the longest needs.
struct Table {
  int64_t taps = 1;
  std::vector<int32_t> first;
  std::vector<double> weights;

  double at(int64_t row, int64_t column) const {
    const int64_t k = column - first[row];
    return k >= 0 && k < taps ? weights[row * taps + k] : 0;
  }
  int64_t rows() const { return static_cast<int64_t>(first.size()); }
};

Table nearest_table(int64_t size, int64_t out_size) {
  Table table;
  for (int64_t i = 0; i < out_size; ++i) {
    const double place = (static_cast<double>(i) + 0.5) * size / out_size;
    table.first.push_back(static_cast<int32_t>(std::min<double>(std::floor(place), size - 1)));
    table.weights.push_back(1);
  }
  return table;
}

Table weight_table(int64_t size, int64_t out_size, const Method& method, bool antialias) {
  const double step = static_cast<double>(size) / out_size;
  const double stretch = antialias ? std::max(step, 1.0) : 1.0, reach = method.radius * stretch;
  Table table;
  table.taps = std::min(size, static_cast<int64_t>(std::ceil(2 * reach)) + 1);
  for (int64_t i = 0; i < out_size; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * step - 0.5;
    const int64_t from = static_cast<int64_t>(std::ceil(center - reach));
    const int64_t first = std::clamp<int64_t>(from, 0, size - table.taps);
    double sum = 0;
    for (int64_t k = 0; k < table.taps; ++k) {
      const double distance = std::abs(center - static_cast<double>(first + k));
      const double weight = method.weight(distance / stretch);
      table.weights.push_back(weight);
      sum += weight;
    }
    for (int64_t k = 0; k < table.taps; ++k) table.weights[i * table.taps + k] /= sum;
    table.first.push_back(static_cast<int32_t>(first));
  }
  return table;
}

// The matrix the other way around: what gives the gradient.
Table transposed(const Table& table, int64_t columns) {
  std::vector<int64_t> begin(columns, table.rows()), end(columns, 0);
  for (int64_t row = 0; row < table.rows(); ++row)
    for (int64_t column = table.first[row]; column < table.first[row] + table.taps; ++column) {
      begin[column] = std::min(begin[column], row);
      end[column] = row + 1;
    }
  Table result;
  for (int64_t column = 0; column < columns; ++column)
    result.taps = std::max(result.taps, end[column] - begin[column]);
  for (int64_t column = 0; column < columns; ++column) {
    const int64_t first = std::min(std::max<int64_t>(begin[column], 0), table.rows() - result.taps);
    result.first.push_back(static_cast<int32_t>(first));
    for (int64_t k = 0; k < result.taps; ++k) result.weights.push_back(table.at(first + k, column));
  }
  return result;
}

// The values where kernels of the device can read them; on the CPU, without a copy.
template <class T>
Tensor on_device(const std::vector<T>& values, DType dtype, Device device) {
  const auto count = static_cast<int64_t>(values.size());
  auto storage = Storage::borrow(const_cast<T*>(values.data()), count * sizeof(T), {}, false, [] {});
  return to_device(Tensor::on(std::move(storage), {count}, {1}, 0, dtype), device);
}

Tensor resample(const Tensor& x, const Table& rows, const Table& columns) {
  Op op("resize", x);
  Tensor dense = contiguous(x.detach());
  Tensor y =
      Tensor::empty({x.size(0), rows.rows(), columns.rows(), x.size(3)}, x.dtype(), x.device());
  PydlResampleArgs args = {};
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.batch = x.size(0);
  args.channels = x.size(3);
  const Table* tables[] = {&rows, &columns};
  Tensor first[2], weights[2];
  for (int i = 0; i < 2; ++i) {
    args.size[i] = x.size(1 + i);
    args.out_size[i] = tables[i]->rows();
    args.taps[i] = tables[i]->taps;
    first[i] = on_device(tables[i]->first, DType::int32, op.device());
    weights[i] = on_device(tables[i]->weights, DType::float64, op.device());
    args.first[i] = first[i].data_as<int32_t>();
    args.weights[i] = weights[i].data_as<double>();
  }
  args.x = dense.data();
  args.y = y.data();
  if (y.count() > 0) op.launch(&PydlKernelTable::resample, args);
  if (needs_grad(x))
    record(op.name(), {&y}, {&x},
           [height = x.size(1), width = x.size(2), rows, columns](Backward& b) {
             b.give(0, resample(b.grad(), transposed(rows, height), transposed(columns, width)));
           });
  return y;
}

void check_images(const Op& op, const Tensor& x) {
  op.check_floating(x);
  op.check<ShapeError>(x.rank() == 4,
                       "expected images (batch, height, width, channels), got shape ", x.shape());
}

void check_no_grad(const Op& op, const char* name, const Tensor& x) {
  op.check<AutogradError>(!needs_grad(x), "expected ", name, " that needs no gradient, as there is ",
                          "none. Hint: detach() it");
}

// Numbers of every image as float64 on the images' device.
Tensor per_image(const Op& op, const char* name, const Tensor& values, int64_t batch,
                 int64_t each) {
  op.check<ShapeError>(values.count() == batch * each || values.count() == each, "expected ", name,
                       " for each of ", batch, " images, ", each, " numbers a piece, got shape ",
                       values.shape());
  check_no_grad(op, name, values);
  Tensor wide = to_device(cast(values.detach(), DType::float64), op.device());
  Tensor flat = reshape(contiguous(wide), {-1, each});
  return contiguous(broadcast_to(flat, {batch, each}));
}

struct Transforming {
  Tensor transforms;
  bool bilinear;
  int32_t fill_mode;
  double fill_value;

  PydlTransformArgs args(const Tensor& x, const Tensor& y) const {
    PydlTransformArgs args = {};
    args.dtype = static_cast<PydlDType>(x.dtype());
    args.batch = x.size(0);
    args.channels = x.size(3);
    args.size[0] = x.size(1);
    args.size[1] = x.size(2);
    args.transforms = transforms.data_as<double>();
    args.bilinear = bilinear;
    args.fill_mode = fill_mode;
    args.fill_value = fill_value;
    args.x = x.data();
    args.y = y.data();
    return args;
  }
};

Tensor transform_backward(const Transforming& transforming, const Tensor& dy);

Tensor transform_forward(const Transforming& transforming, const Tensor& x) {
  Op op("affine_transform", x);
  Tensor dense = contiguous(x.detach()), y = Tensor::empty(x.shape(), x.dtype(), x.device());
  if (y.count() > 0) op.launch(&PydlKernelTable::transform_images, transforming.args(dense, y));
  if (needs_grad(x))
    record(op.name(), {&y}, {&x},
           [transforming](Backward& b) { b.give(0, transform_backward(transforming, b.grad())); });
  return y;
}

Tensor transform_backward(const Transforming& transforming, const Tensor& dy) {
  Op op("affine_transform_backward", dy);
  Tensor dense = contiguous(dy.detach()), dx = Tensor::empty(dy.shape(), dy.dtype(), dy.device());
  if (dx.count() > 0)
    op.launch(&PydlKernelTable::transform_images_backward, transforming.args(dense, dx));
  if (needs_grad(dy))
    record(op.name(), {&dx}, {&dy}, [transforming](Backward& b) {
      Transforming linear = transforming;
      linear.fill_value = 0;
      b.give(0, transform_forward(linear, b.grad()));
    });
  return dx;
}

}  // namespace

Tensor resize(const Tensor& x, int64_t height, int64_t width, const std::string& method,
              bool antialias) {
  Op op("resize", x);
  check_images(op, x);
  op.check(height > 0 && width > 0, "expected a height and a width of at least 1, got ", height,
           " and ", width);
  op.check<ShapeError>(x.size(1) > 0 && x.size(2) > 0, "expected images with pixels, got shape ",
                       x.shape());
  const Method* found = std::find_if(std::begin(kMethods), std::end(kMethods),
                                     [&](const Method& each) { return method == each.name; });
  op.check(found != std::end(kMethods),
           "expected interpolation nearest, bilinear, bicubic, lanczos3 or lanczos5, got ", method);
  auto table = [&](int64_t size, int64_t out_size) {
    return found->weight ? weight_table(size, out_size, *found, antialias)
                         : nearest_table(size, out_size);
  };
  return resample(x, table(x.size(1), height), table(x.size(2), width));
}

Tensor affine_transform(const Tensor& x, const Tensor& transforms, const std::string& interpolation,
                        const std::string& fill_mode, double fill_value) {
  Op op("affine_transform", x);
  check_images(op, x);
  const char* modes[] = {"constant", "nearest", "wrap", "mirror", "reflect"};
  const auto mode = std::find(std::begin(modes), std::end(modes), fill_mode);
  op.check(mode != std::end(modes),
           "expected fill_mode constant, nearest, wrap, mirror or reflect, got ", fill_mode);
  op.check(interpolation == "bilinear" || interpolation == "nearest",
           "expected interpolation bilinear or nearest, got ", interpolation);
  Transforming transforming = {per_image(op, "transforms", transforms, x.size(0), 8),
                               interpolation == "bilinear",
                               static_cast<int32_t>(mode - std::begin(modes)), fill_value};
  return transform_forward(transforming, x);
}

Tensor adjust_hue(const Tensor& x, const Tensor& hue, const Tensor& saturation,
                  double largest_saturation) {
  Op op("adjust_hue", x);
  check_images(op, x);
  check_no_grad(op, "x", x);
  op.check<ShapeError>(x.size(3) == 3, "expected 3 channels, got shape ", x.shape());
  const Tensor shifts = per_image(op, "hue", hue, x.size(0), 1);
  const Tensor factors = per_image(op, "saturation", saturation, x.size(0), 1);
  Tensor dense = contiguous(x.detach()), y = Tensor::empty(x.shape(), x.dtype(), x.device());
  PydlHueArgs args = {};
  args.dtype = static_cast<PydlDType>(x.dtype());
  args.batch = x.size(0);
  args.pixels = x.size(1) * x.size(2);
  args.hue = shifts.data_as<double>();
  args.saturation = factors.data_as<double>();
  args.largest_saturation = largest_saturation;
  args.x = dense.data();
  args.y = y.data();
  if (y.count() > 0) op.launch(&PydlKernelTable::adjust_hue, args);
  return y;
}

}  // namespace pydl
