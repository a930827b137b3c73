// What a kernel of an extension sees: tensors, contexts, errors. Included by extension.h.
#pragma once

#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <mutex>
#include <new>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#include "pydl/extension_abi.h"
#include "pydl/kernels/random.h"

#pragma GCC visibility push(hidden)
namespace pydl {
// Hidden, and with a version in every mangled name: no two libraries share these definitions.
inline namespace extension_v1 {

class Error : public std::exception {
 public:
  Error(PydlStatus status, std::string message) : status_(status), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  PydlStatus status() const { return status_; }

 private:
  PydlStatus status_;
  std::string message_;
};

// fail(PYDL_ERROR_SHAPE, "expected 2 axes, got ", x.rank());
template <class... Parts>
[[noreturn]] inline void fail(PydlStatus status, const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw Error(status, message.str());
}

template <class... Parts>
inline void check(bool condition, PydlStatus status, const Parts&... parts) {
  if (!condition) fail(status, parts...);
}

// Element types of other headers say which they are: T::kDType.
template <class T, class = void>
constexpr PydlDType kDTypeInside = -1;
template <class T>
constexpr PydlDType kDTypeInside<T, std::void_t<decltype(T::kDType)>> = T::kDType;

template <class T>
constexpr PydlDType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return PYDL_FLOAT32;
  else if constexpr (std::is_same_v<T, double>)
    return PYDL_FLOAT64;
  else if constexpr (std::is_same_v<T, int8_t>)
    return PYDL_INT8;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return PYDL_UINT8;
  else if constexpr (std::is_same_v<T, int32_t>)
    return PYDL_INT32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return PYDL_INT64;
  else if constexpr (std::is_same_v<T, bool>)
    return PYDL_BOOL;
  else if constexpr (kDTypeInside<T> >= 0)
    return kDTypeInside<T>;
  else
    static_assert(!sizeof(T), "no dtype has this element type; use data() for halves");
}

inline const char* dtype_name(PydlDType dtype) {
  static const char* const names[] = {"float32", "float64", "float16", "bfloat16", "int8",
                                      "uint8",   "int32",   "int64",   "bool"};
  return dtype >= 0 && dtype < PYDL_DTYPE_COUNT ? names[dtype] : "unknown dtype";
}

// A tensor of the call: a view, valid until the kernel returns.
class Tensor {
 public:
  explicit Tensor(const PydlTensorView* view) : view_(view) {}

  // Whether an optional tensor was given.
  explicit operator bool() const { return view_->dtype >= 0; }
  int rank() const { return view_->rank; }
  int64_t count() const { return view_->count; }
  PydlDType dtype() const { return view_->dtype; }
  int device() const { return view_->device_type; }

  // The extent of an axis, counted from the end when negative.
  int64_t size(int axis) const {
    int from_start = axis < 0 ? axis + rank() : axis;
    check(from_start >= 0 && from_start < rank(), PYDL_ERROR_INDEX, "expected an axis in [",
          -rank(), ", ", rank(), "), got ", axis);
    return view_->shape[from_start];
  }
  const int64_t* shape() const { return view_->shape; }
  bool has_shape_of(Tensor other) const {
    return rank() == other.rank() &&
           std::memcmp(shape(), other.shape(), sizeof(int64_t) * static_cast<size_t>(rank())) == 0;
  }

  void* data() const { return view_->data; }
  // The elements, dense and in row-major order.
  template <class T>
  T* data() const {
    check(dtype() == dtype_of<T>(), PYDL_ERROR_DTYPE, "expected ", dtype_name(dtype_of<T>()),
          ", got ", dtype_name(dtype()));
    return static_cast<T*>(view_->data);
  }
  // One element, with its index checked.
  template <class T, class... Indices>
  T& at(Indices... indices) const {
    const int64_t list[] = {static_cast<int64_t>(indices)...};
    check(sizeof...(indices) == static_cast<size_t>(rank()), PYDL_ERROR_INDEX, "expected ", rank(),
          " indices, got ", sizeof...(indices));
    int64_t offset = 0;
    for (int i = 0; i < rank(); ++i) {
      check(list[i] >= 0 && list[i] < view_->shape[i], PYDL_ERROR_INDEX, "expected index ", i,
            " below ", view_->shape[i], ", got ", list[i]);
      offset += list[i] * view_->strides[i];
    }
    return data<T>()[offset];
  }

 private:
  const PydlTensorView* view_;
};

inline std::ostream& operator<<(std::ostream& out, Tensor tensor) {
  out << '(';
  for (int i = 0; i < tensor.rank(); ++i) out << (i ? ", " : "") << tensor.size(i);
  return out << (tensor.rank() == 1 ? ",) " : ") ") << dtype_name(tensor.dtype());
}

// An output whose shape is being decided; and its dtype.
class Output {
 public:
  explicit Output(PydlTensorView* view) : view_(view) {}

  void set(PydlDType dtype, std::initializer_list<int64_t> shape) {
    set(dtype, static_cast<int>(shape.size()), shape.begin());
  }
  void set(PydlDType dtype, int rank, const int64_t* shape) {
    check(rank <= PYDL_MAX_RANK, PYDL_ERROR_SHAPE, "expected at most ", PYDL_MAX_RANK,
          " axes, got ", rank);
    view_->dtype = dtype;
    view_->rank = rank;
    for (int i = 0; i < rank; ++i) view_->shape[i] = shape[i];
  }
  void like(Tensor x) { set(x.dtype(), x.rank(), x.shape()); }

 private:
  PydlTensorView* view_;
};

struct Ints {  // an attribute of type list[int]
  const int64_t* values;
  int64_t count;
  const int64_t* begin() const { return values; }
  const int64_t* end() const { return values + count; }
};

// What a kernel may ask of pydl.
class Context {
 public:
  explicit Context(const PydlContext* c) : c_(c) {}

  int num_threads() const { return c_->num_threads; }
  void* stream() const { return c_->stream; }  // the CUDA stream to launch on
  const PydlContext* get() const { return c_; }

  // Calls body(begin, end) for contiguous ranges that make up [0, count), each of at least
  // `grain` items, on pydl's threads. Results must not depend on where the ranges are cut.
  template <class Body>
  void parallel_for(int64_t count, int64_t grain, Body&& body) const {
    using Plain = std::remove_reference_t<Body>;
    struct Shared {
      Plain* body;
      std::mutex mutex;
      std::exception_ptr error;
    } shared{&body, {}, nullptr};
    c_->parallel_for(
        c_, count, grain,
        [](void* arg, int64_t begin, int64_t end) {
          auto* s = static_cast<Shared*>(arg);
          try {
            (*s->body)(begin, end);
          } catch (...) {  // must not leave a thread of the pool
            std::lock_guard<std::mutex> lock(s->mutex);
            s->error = std::current_exception();
          }
        },
        &shared);
    if (shared.error) std::rethrow_exception(shared.error);
  }

  // The start of a stretch of pydl's random stream that nobody else will get; kernels/random.h
  // says what is in it.
  PydlRandomState random(int64_t words) const {
    PydlRandomState state{};
    c_->random(c_, words, &state.seed, &state.offset);
    return state;
  }

  // Scratch memory from pydl's allocator, 64-byte aligned, given back at the end of the scope.
  template <class T>
  class Scratch {
   public:
    Scratch(const Context& context, int64_t count)
        : c_(context.c_),
          data_(static_cast<T*>(c_->allocate(c_, static_cast<size_t>(count) * sizeof(T)))) {
      if (!data_) throw std::bad_alloc();
    }
    ~Scratch() { c_->release(c_, data_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    T* data() const { return data_; }
    T& operator[](int64_t i) const { return data_[i]; }

   private:
    const PydlContext* c_;
    T* data_;
  };

 private:
  const PydlContext* c_;
};

}  // namespace extension_v1
}  // namespace pydl
#pragma GCC visibility pop
