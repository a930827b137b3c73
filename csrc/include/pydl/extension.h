// Ops of your own, in C++17 over extension_abi.h. See docs/extending.md.
//
//   #include <pydl/extension.h>
//
//   PYDL_EXTENSION("mine")
//
//   template <class T>
//   void scale(const pydl::Context& context, pydl::Tensor x, double factor, pydl::Tensor y) {
//     const T* from = x.data<T>();
//     T* to = y.data<T>();
//     context.parallel_for(x.count(), 4096, [=](int64_t begin, int64_t end) {
//       for (int64_t i = begin; i < end; ++i) to[i] = from[i] * static_cast<T>(factor);
//     });
//   }
//
//   PYDL_REGISTER_OP(scale)
//       .signature("(x: Tensor, factor: float = 2.0) -> y")
//       .doc("Multiply every element by a factor.")
//       .kernel<scale<float>>(PYDL_CPU, PYDL_FLOAT32)
//       .kernel<scale<double>>(PYDL_CPU, PYDL_FLOAT64);
//
// Kernels are plain functions. Their parameters are the signature's in order, then its results; a
// context may come first. Errors are thrown with pydl::fail.
#pragma once

#include <tuple>

#include "pydl/extension_view.h"
#include "pydl/kernel_table.h"

#pragma GCC visibility push(hidden)
namespace pydl {
inline namespace extension_v1 {

// --- from PydlOpArgs to the parameters of a plain function ----------------------------------------

struct Cursor {
  const PydlOpArgs* args;
  int tensor = 0;  // inputs, then outputs
  int attribute = 0;

  const PydlAttribute& next_attribute(int kind) {
    check(attribute < args->attribute_count, PYDL_ERROR_VALUE,
          "the kernel has more parameters than its op's signature");
    const PydlAttribute& value = *args->attributes[attribute++];
    check(value.kind == kind, PYDL_ERROR_VALUE, "parameter ", attribute,
          " of the kernel that is no tensor has another type than in its op's signature");
    return value;
  }
  PydlTensorView* next_tensor() {
    int index = tensor++;
    if (index < args->input_count) return const_cast<PydlTensorView*>(args->inputs[index]);
    check(index < args->input_count + args->output_count, PYDL_ERROR_VALUE,
          "the kernel has more tensors than its op's signature");
    return args->outputs[index - args->input_count];
  }
};

template <class T>
T take(Cursor& cursor) {
  if constexpr (std::is_same_v<T, Tensor> || std::is_same_v<T, Output>)
    return T(cursor.next_tensor());
  else if constexpr (std::is_same_v<T, bool>)
    return cursor.next_attribute(PYDL_ATTRIBUTE_BOOL).integer != 0;
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(cursor.next_attribute(PYDL_ATTRIBUTE_FLOAT).real);
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(cursor.next_attribute(PYDL_ATTRIBUTE_INT).integer);
  else if constexpr (std::is_same_v<T, const char*>)
    return cursor.next_attribute(PYDL_ATTRIBUTE_STRING).string;
  else if constexpr (std::is_same_v<T, Ints>) {
    const PydlAttribute& value = cursor.next_attribute(PYDL_ATTRIBUTE_INTS);
    return Ints{value.integers, value.integer_count};
  } else
    static_assert(!sizeof(T),
                  "expected Tensor, Output, double, int64_t, bool, const char* or Ints");
}

template <class Result, class... Parameters>
Result invoke(Result (*function)(Parameters...), const PydlContext*, Cursor cursor) {
  std::tuple<Parameters...> values{take<Parameters>(cursor)...};  // braces: in order
  return std::apply(function, values);
}
template <class Result, class... Parameters>
Result invoke(Result (*function)(const Context&, Parameters...), const PydlContext* context,
              Cursor cursor) {
  std::tuple<Parameters...> values{take<Parameters>(cursor)...};
  return std::apply([&](auto... each) { return function(Context(context), each...); }, values);
}

// No exception leaves an extension. Functions return nothing, or a status that they told the
// context of.
template <auto function>
PydlStatus call(const PydlContext* context, const PydlOpArgs* args) {
  using Result = decltype(invoke(function, context, Cursor{args}));
  static_assert(std::is_void_v<Result> || std::is_same_v<Result, PydlStatus>,
                "expected a function that returns void or PydlStatus");
  try {
    if constexpr (std::is_void_v<Result>) {
      invoke(function, context, Cursor{args});
      return PYDL_OK;
    } else {
      return invoke(function, context, Cursor{args});
    }
  } catch (const Error& error) {
    return context->fail(context, error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return context->fail(context, PYDL_ERROR_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return context->fail(context, PYDL_ERROR_RUNTIME, error.what());
  } catch (...) {
    return context->fail(context, PYDL_ERROR_RUNTIME,
                         "the kernel threw something that is no exception");
  }
}

// --- registration --------------------------------------------------------------------------------

// What an extension will register when it is loaded; built by the macros below.
class Registration {
 public:
  virtual ~Registration() = default;
  virtual PydlStatus apply(const PydlHost* host) const = 0;
  virtual bool is_op() const { return false; }  // ops are registered before kernels

  static Registration*& first();  // defined by PYDL_EXTENSION
  Registration* next = nullptr;

 protected:
  Registration() {
    Registration** end = &first();
    while (*end) end = &(*end)->next;
    *end = this;
  }
};

class OpRegistration final : public Registration {
 public:
  explicit OpRegistration(const char* name) {
    op_.struct_size = sizeof(op_);
    op_.name = name;
    op_.doc = "";
  }
  OpRegistration& signature(const char* text) {
    op_.signature = text;
    return *this;
  }
  OpRegistration& doc(const char* text) {
    op_.doc = text;
    return *this;
  }
  // A function with the signature's parameters and an Output for each result. Without one, each
  // result is like the first tensor.
  template <auto function>
  OpRegistration& shapes() {
    op_.shapes = &call<function>;
    return *this;
  }
  // The op of this extension that computes the gradient; extension_abi.h says how it names
  // things.
  OpRegistration& gradient(const char* op) {
    op_.gradient = op;
    return *this;
  }
  template <auto function>
  OpRegistration& kernel(int device_type, PydlDType dtype = PYDL_ANY) {
    kernels_ =
        new Kernel{{sizeof(PydlOpKernel), op_.name, device_type, dtype, &call<function>}, kernels_};
    return *this;
  }

  bool is_op() const override { return true; }
  PydlStatus apply(const PydlHost* host) const override {
    PydlStatus status = host->register_op(host, &op_);
    for (const Kernel* k = kernels_; k && status == PYDL_OK; k = k->next)
      status = host->register_kernel(host, &k->kernel);
    return status;
  }

 private:
  struct Kernel {
    PydlOpKernel kernel;
    Kernel* next;
  };
  PydlOpDefinition op_{};
  Kernel* kernels_ = nullptr;
};

// A kernel of an op that another source registers.
class KernelRegistration final : public Registration {
 public:
  explicit KernelRegistration(const PydlOpKernel& kernel) : kernel_(kernel) {}
  PydlStatus apply(const PydlHost* host) const override {
    return host->register_kernel(host, &kernel_);
  }

 private:
  PydlOpKernel kernel_;
};

template <class Args>
class OverrideRegistration final : public Registration {
 public:
  using Run = PydlStatus (*)(const PydlContext*, const Args*);
  using Supported = bool (*)(const Args&);

  OverrideRegistration(const char* kernel, const char* name, Run run) {
    override_.struct_size = sizeof(override_);
    override_.kernel = kernel;
    override_.name = name;
    override_.device_type = PYDL_CPU;
    override_.dtype = PYDL_ANY;
    override_.args_size = sizeof(Args);
    override_.run = reinterpret_cast<PydlStatus (*)(const PydlContext*, const void*)>(run);
  }
  OverrideRegistration& device(int type) {
    override_.device_type = type;
    return *this;
  }
  OverrideRegistration& dtype(PydlDType dtype) {
    override_.dtype = dtype;
    return *this;
  }
  OverrideRegistration& isa(const char* name) {
    override_.isa = name;
    return *this;
  }
  OverrideRegistration& priority(int value) {
    override_.priority = value;
    return *this;
  }
  template <Supported function>
  OverrideRegistration& when() {
    override_.is_supported = [](const void* args) -> int32_t {
      return function(*static_cast<const Args*>(args));
    };
    return *this;
  }
  PydlStatus apply(const PydlHost* host) const override {
    return host->override_kernel(host, &override_);
  }

 private:
  PydlKernelOverride override_{};
};

inline PydlStatus apply_all(const PydlHost* host) {
  for (bool ops : {true, false})
    for (const Registration* r = Registration::first(); r; r = r->next) {
      if (r->is_op() != ops) continue;
      if (PydlStatus status = r->apply(host)) return status;
    }
  return PYDL_OK;
}

template <class Args>
OverrideRegistration<Args>& override_kernel(const char* kernel, const char* name,
                                            PydlStatus (*run)(const PydlContext*, const Args*)) {
  return *new OverrideRegistration<Args>(kernel, name, run);
}

}  // namespace extension_v1
}  // namespace pydl
#pragma GCC visibility pop

#define PYDL_EXPORT extern "C" __attribute__((visibility("default")))

// Once in an extension: the namespace of its ops, which are called as pydl.ops.<name>.<op>.
#define PYDL_EXTENSION(name)                                             \
  pydl::Registration*& pydl::Registration::first() {                     \
    static Registration* list = nullptr;                                 \
    return list;                                                         \
  }                                                                      \
  PYDL_EXPORT uint32_t pydl_extension_abi() { return PYDL_ABI_VERSION; } \
  PYDL_EXPORT const char* pydl_extension_name() { return name; }         \
  PYDL_EXPORT PydlStatus pydl_extension_load(const PydlHost* host) { return pydl::apply_all(host); }

// PYDL_REGISTER_OP(name).signature("(x: Tensor) -> y").kernel<function>(PYDL_CPU);
#define PYDL_REGISTER_OP(name)                                         \
  [[maybe_unused]] static pydl::OpRegistration& pydl_register_##name = \
      (*new pydl::OpRegistration(#name))

// In another source than the op: PYDL_REGISTER_KERNEL(name, function, PYDL_GPU, PYDL_FLOAT32);
#define PYDL_REGISTER_KERNEL(op, function, device_type, dtype)                               \
  [[maybe_unused]] static pydl::KernelRegistration& PYDL_UNIQUE(pydl_kernel_, __COUNTER__) = \
      (*new pydl::KernelRegistration(                                                        \
          {sizeof(PydlOpKernel), #op, device_type, dtype, &pydl::call<function>}))
#define PYDL_UNIQUE(stem, number) PYDL_JOIN(stem, number)
#define PYDL_JOIN(stem, number) stem##number

// PYDL_OVERRIDE_KERNEL(gemm, function).dtype(PYDL_FLOAT32).priority(10);
#define PYDL_OVERRIDE_KERNEL(kernel, function)                        \
  [[maybe_unused]] static auto& pydl_override_##kernel##_##function = \
      pydl::override_kernel(#kernel, #function, &function)
