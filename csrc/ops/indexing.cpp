#include "ops/indexing.h"

#include "dispatch/recording.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

using Kind = IndexItem::Kind;

// An array of a key, and the axes of the basic view that it indexes.
struct ArrayIndex {
  Tensor indices;  // integers, or flat positions of a mask
  int first;       // axis of the view
  int axes;        // how many; a mask may have several
  int64_t extent;  // their product
  int axis;        // of x
};

// A key in two steps: a strided view, which drops and adds axes, then its axes that arrays index.
struct Plan {
  Dims begin, count, step;  // the slice of every axis of x
  Dims shape;               // of the view
  std::vector<ArrayIndex> arrays;
  bool arrays_first = false;  // something stands between arrays or integers
};

bool is_mask(const IndexItem& item) {
  return item.kind == Kind::array && item.array.dtype() == DType::boolean;
}

int axes_used(const IndexItem& item) {
  switch (item.kind) {
    case Kind::integer:
    case Kind::slice:
      return 1;
    case Kind::array:
      return is_mask(item) ? item.array.rank() : 1;
    default:
      return 0;
  }
}

// The positions of the true elements, as int64.
Tensor nonzero(const Tensor& mask) {
  Op op("index", mask);
  Tensor dense = contiguous(mask);
  int64_t total = 0;
  refuse_recording("it uses a mask as an index");
  PydlNonzeroArgs args = {dense.count(), dense.data_as<uint8_t>(), &total, nullptr};
  op.launch(&PydlKernelTable::nonzero, args);
  Tensor out = Tensor::empty({total}, DType::int64, op.device());
  args.out = out.data_as<int64_t>();
  if (total > 0) op.launch(&PydlKernelTable::nonzero, args);
  return out;
}

class Planner {
 public:
  Planner(const Tensor& x, const IndexKey& key) : x_(x) {
    int used = 0, ellipses = 0;
    for (const IndexItem& item : key) {
      used += axes_used(item);
      ellipses += item.kind == Kind::ellipsis;
    }
    if (ellipses > 1) fail<IndexError>("[index] expected at most one ellipsis, got ", ellipses);
    if (used > x.rank())
      fail<IndexError>("[index] expected at most ", x.rank(), " indices for shape ", x.shape(),
                       ", got ", used);
    rest_ = x.rank() - used;
    for (const IndexItem& item : key) add(item);
    if (ellipses == 0) add_whole(rest_);
  }

  Plan plan() { return std::move(plan_); }

 private:
  void add(const IndexItem& item) {
    if (item.kind == Kind::array || item.kind == Kind::integer) {
      // Integers count as arrays where it matters: when there is one.
      plan_.arrays_first |= separated_;
      seen_ = true;
    } else if (item.kind != Kind::ellipsis || rest_ > 0) {
      separated_ |= seen_;
    }
    switch (item.kind) {
      case Kind::integer:
        return add_integer(item.integer);
      case Kind::slice:
        return add_slice(item);
      case Kind::ellipsis:
        return add_whole(rest_);
      case Kind::new_axis:
        return plan_.shape.push_back(1);
      case Kind::array:
        return add_array(item);
    }
  }

  int axis() const { return plan_.begin.size(); }  // of x, that comes next

  void add_axis(int64_t begin, int64_t count, int64_t step) {
    plan_.begin.push_back(begin);
    plan_.count.push_back(count);
    plan_.step.push_back(step);
  }
  void add_whole(int axes) {
    for (; axes > 0; --axes) {
      plan_.shape.push_back(x_.size(axis()));
      add_axis(0, x_.size(axis()), 1);
    }
  }

  void add_integer(int64_t index) {
    int64_t extent = x_.size(axis());
    if (index < -extent || index >= extent)
      fail<IndexError>("[index] expected an index in [", -extent, ", ", extent, ") for axis ",
                       axis(), " of extent ", extent, ", got ", index);
    add_axis(index < 0 ? index + extent : index, 1, 1);
  }

  void add_slice(const IndexItem& item) {
    int64_t extent = x_.size(axis()), step = item.step;
    if (step == 0) fail<ValueError>("[index] expected a slice with a step other than 0");
    // Bounds outside the axis mean its ends, which a negative step reaches one place further down.
    int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? extent : extent - 1;
    auto clip = [&](int64_t bound) {
      if (bound < 0) bound = std::max(bound, -extent - 1) + extent;
      return std::min(std::max(bound, lowest), highest);
    };
    int64_t start = item.start ? clip(*item.start) : step > 0 ? lowest : highest;
    int64_t stop = item.stop ? clip(*item.stop) : step > 0 ? highest : lowest;
    int64_t span = step > 0 ? stop - start : start - stop;
    // Unsigned, because the step may be the lowest integer.
    uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
    int64_t count = span > 0 ? static_cast<int64_t>((span - 1) / stride) + 1 : 0;
    add_axis(count > 0 ? start : 0, count, count > 1 ? step : 1);
    plan_.shape.push_back(count);
  }

  void add_array(const IndexItem& item) {
    int first = plan_.shape.size(), at = axis();
    Tensor array = to_device(item.array, x_.device());
    if (!is_mask(item)) {
      plan_.arrays.push_back({array, first, 1, x_.size(at), at});
      return add_whole(1);
    }
    const Dims& shape = item.array.shape();
    Dims covered(x_.shape().begin() + at, x_.shape().begin() + at + shape.size());
    if (covered != shape)
      fail<IndexError>("[index] expected a boolean mask of shape ", covered, " at axis ", at,
                       ", got ", shape);
    int axes = shape.size();
    add_whole(axes);
    if (axes == 0) {  // a single boolean keeps or drops everything: an index into an axis of 1
      plan_.shape.push_back(1);
      axes = 1;
    }
    plan_.arrays.push_back({nonzero(array), first, axes, count_elements(shape), at});
  }

  const Tensor& x_;
  Plan plan_;
  int rest_ = 0;            // axes that the key does not mention
  bool seen_ = false;       // an array or integer
  bool separated_ = false;  // something else after it
};

// The view that a plan without arrays is; one node for its slice and its change of shape.
Tensor basic_view(const Tensor& x, const Plan& plan) {
  Op op("index", x);
  Tensor part = slice_view(x, plan.begin, plan.count, plan.step);
  Tensor y = reshape(part, plan.shape);
  if (needs_grad(x))
    record("index", {&y}, {&x},
           [shape = x.shape(), begin = plan.begin, count = plan.count, step = plan.step](
               Backward& b) { b.give(0, embed(reshape(b.grad(), count), shape, begin, step)); });
  return y;
}

bool adjacent(const std::vector<ArrayIndex>& arrays) {
  for (size_t i = 1; i < arrays.size(); ++i)
    if (arrays[i].first != arrays[i - 1].first + arrays[i - 1].axes) return false;
  return true;
}

// The order of axes that brings those of the arrays together, at the front.
Dims gathered_axes(const std::vector<ArrayIndex>& arrays, int rank) {
  Dims axes;
  for (const ArrayIndex& array : arrays)
    for (int i = 0; i < array.axes; ++i) axes.push_back(array.first + i);
  for (int i = 0; i < rank; ++i)
    if (!axes.contains(i)) axes.push_back(i);
  return axes;
}

// The basic view with the axes of all arrays side by side, and where they begin.
struct Aligned {
  Tensor view;
  int first;
  int axes;  // how many

  Aligned(const Tensor& basic, const Plan& plan)
      : view(basic), first(plan.arrays[0].first), axes(0) {
    for (const ArrayIndex& array : plan.arrays) axes += array.axes;
    if (adjacent(plan.arrays)) return;
    view = permute(basic, gathered_axes(plan.arrays, basic.rank()));
    first = 0;
  }

  // The shape with those axes replaced by `by`.
  Dims shape_with(const Dims& by) const {
    const Dims& shape = view.shape();
    Dims result(shape.begin(), shape.begin() + first);
    for (int64_t extent : by) result.push_back(extent);
    for (int i = first + axes; i < shape.size(); ++i) result.push_back(shape[i]);
    return result;
  }
};

int64_t merged_extent(const Plan& plan) {
  int64_t extent = 1;
  for (const ArrayIndex& array : plan.arrays) extent *= array.extent;
  return extent;
}

Tensor merged_positions(const Plan& plan) {
  std::vector<AxisIndex> indices;
  for (const ArrayIndex& array : plan.arrays)
    indices.push_back({array.indices, array.extent, array.axis});
  return positions("index", indices);
}

// Moves `count` axes from one place to another.
Tensor move_axes(const Tensor& x, int from, int count, int to) {
  Dims axes;
  for (int i = 0; i < x.rank(); ++i)
    if (i < from || i >= from + count) axes.push_back(i);
  for (int i = 0; i < count; ++i) axes.insert(to + i, from + i);
  return permute(x, axes);
}

}  // namespace

Tensor index(const Tensor& x, const IndexKey& key) {
  Plan plan = Planner(x, key).plan();
  if (plan.arrays.empty()) return basic_view(x, plan);
  Tensor at = merged_positions(plan);
  Aligned aligned(basic_view(x, plan), plan);
  Tensor merged = reshape(aligned.view, aligned.shape_with({merged_extent(plan)}));
  Tensor y = take_at("index", merged, at, aligned.first);
  bool move = plan.arrays_first && aligned.first > 0;
  return move ? move_axes(y, aligned.first, at.rank(), 0) : y;
}

namespace {

// `value` in the dtype of x, broadcast to `shape`; leading axes of 1 too many are dropped.
Tensor assigned_value(const Tensor& x, const Tensor& value, const Dims& shape) {
  Tensor source = value.detach();
  while (source.rank() > shape.size() && source.size(0) == 1) source = squeeze(source, Dims{0});
  Op op("index", x, source);
  bool fits = source.rank() <= shape.size();
  for (int i = 1; fits && i <= source.rank(); ++i) {
    int64_t extent = source.size(source.rank() - i);
    fits = extent == 1 || extent == shape[shape.size() - i];
  }
  op.check<ShapeError>(fits, "expected a value that broadcasts to ", shape, ", got shape ",
                       value.shape());
  return broadcast_to(cast(source, x.dtype()), shape);
}

}  // namespace

void index_assign(const Tensor& x, const IndexKey& key, const Tensor& value) {
  GradModeScope no_grad(false);
  Op("index", x).check_writable(x);
  Plan plan = Planner(x, key).plan();
  Tensor basic = basic_view(x, plan);
  if (plan.arrays.empty()) return assign(basic, assigned_value(x, value, basic.shape()));
  Tensor at = merged_positions(plan);
  Aligned aligned(basic, plan);
  Dims shape = aligned.shape_with(at.shape());
  int first = aligned.first;
  Tensor values;
  if (plan.arrays_first && first > 0) {
    Dims wanted = at.shape();
    for (int i = 0; i < shape.size(); ++i)
      if (i < first || i >= first + at.rank()) wanted.push_back(shape[i]);
    values = move_axes(assigned_value(x, value, wanted), 0, at.rank(), first);
  } else {
    values = assigned_value(x, value, shape);
  }
  // The kernel writes to dense memory: x's own where that is possible, else a copy that goes back.
  Tensor merged = reshape(aligned.view, aligned.shape_with({merged_extent(plan)}));
  bool in_place = merged.impl()->storage == x.impl()->storage && merged.is_contiguous();
  Tensor target = contiguous(merged), dense = contiguous(values);
  if (dense.impl()->storage->overlaps(*target.impl()->storage)) dense = copy(dense);
  put_at("index", target, at, dense, first);
  if (!in_place) assign(aligned.view, reshape(target, aligned.view.shape()));
}

}  // namespace pydl
