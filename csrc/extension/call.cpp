// One call of an op of an extension: shapes, memory, kernel, tape.
#include <array>

#include "autograd/node.h"
#include "extension/op_entry.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

PydlTensorView view_of(const Tensor& tensor) {
  PydlTensorView view{};
  view.struct_size = sizeof(view);
  view.dtype = PYDL_ANY;
  if (!tensor.defined()) return view;
  view.dtype = static_cast<PydlDType>(tensor.dtype());
  view.device_type = static_cast<int32_t>(tensor.device().type);
  view.device_index = tensor.device().index;
  view.rank = tensor.rank();
  view.count = tensor.count();
  for (int i = 0; i < view.rank; ++i) {
    view.shape[i] = tensor.size(i);
    view.strides[i] = tensor.strides()[i];
  }
  view.data = tensor.data();
  return view;
}

// The arguments of a call in the form of the C ABI.
class Call {
 public:
  Call(const OpEntry& entry, const std::vector<Tensor>& inputs, const std::vector<Attribute>& attributes)
      : inputs_(inputs.size()), outputs_(entry.signature.results.size()), attributes_(attributes.size()) {
    pointers_.reserve(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      inputs_[i] = view_of(inputs[i]);
      pointers_.push_back(&inputs_[i]);
    }
    for (PydlTensorView& output : outputs_) {
      output = view_of(Tensor());
      output_pointers_.push_back(&output);
    }
    for (size_t i = 0; i < attributes.size(); ++i) {
      attributes_[i] = attributes[i].view();
      attribute_pointers_.push_back(&attributes_[i]);
    }
    args = {sizeof(args),
            static_cast<int32_t>(inputs_.size()),
            static_cast<int32_t>(outputs_.size()),
            static_cast<int32_t>(attributes_.size()),
            pointers_.data(),
            output_pointers_.data(),
            attribute_pointers_.data()};
  }

  // Sizes beyond bounds are refused before the kernel sees them.
  std::vector<Tensor> allocate(const Op& op) {
    std::vector<Tensor> tensors;
    for (PydlTensorView& output : outputs_) {
      op.check<DTypeError>(output.dtype >= 0 && output.dtype < PYDL_DTYPE_COUNT,
                           "expected its shape function to set the dtype of every result, got ", output.dtype);
      op.check<ShapeError>(output.rank >= 0 && output.rank <= PYDL_MAX_RANK,
                           "expected its shape function to give results of 0 to ", PYDL_MAX_RANK,
                           " axes, got ", output.rank);
      Dims shape(output.shape, output.shape + output.rank);
      tensors.push_back(Tensor::empty(shape, static_cast<DType>(output.dtype), op.device()));
      output = view_of(tensors.back());
    }
    return tensors;
  }
  // Without a shape function each result is like the first tensor.
  void shapes_like_first() {
    for (PydlTensorView& output : outputs_) output = inputs_[0];
  }

  PydlOpArgs args;

 private:
  std::vector<PydlTensorView> inputs_, outputs_;
  std::vector<PydlAttribute> attributes_;
  std::vector<const PydlTensorView*> pointers_;
  std::vector<PydlTensorView*> output_pointers_;
  std::vector<const PydlAttribute*> attribute_pointers_;
};

std::string kernels_of(const OpEntry& entry) {
  std::string list;
  for (const PydlOpKernel& kernel : entry.kernels)
    list += text(list.empty() ? "" : ", ", kernel.device_type == PYDL_CPU ? "cpu" : "gpu", " ",
                 kernel.dtype == PYDL_ANY ? "any dtype" : name(static_cast<DType>(kernel.dtype)));
  return list.empty() ? "none" : list;
}

const PydlOpKernel& find_kernel(const Op& op, const OpEntry& entry, const Tensor& first) {
  auto device = static_cast<int32_t>(op.device().type);
  bool on_device = false;
  for (const PydlOpKernel& kernel : entry.kernels) {
    if (kernel.device_type != device) continue;
    on_device = true;
    if (kernel.dtype == PYDL_ANY || kernel.dtype == static_cast<PydlDType>(first.dtype())) return kernel;
  }
  if (!on_device)
    op.error<DeviceError>("expected a device that it has a kernel for, got ", op.device(),
                          ". Hint: its kernels are: ", kernels_of(entry));
  op.error<DTypeError>("expected a dtype that it has a kernel for, got ", first.dtype(),
                       ". Hint: its kernels are: ", kernels_of(entry));
}

// Extensions are asked to let no exception out; one that does must not end the process.
struct Run {
  PydlOpFunction function;
  const PydlOpArgs* args;
  static PydlStatus call(const void* self, const PydlContext* context, const void*) {
    auto* run = static_cast<const Run*>(self);
    try {
      return run->function(context, run->args);
    } catch (const std::exception& error) {
      return context->fail(context, PYDL_ERROR_RUNTIME, error.what());
    } catch (...) {
      return context->fail(context, PYDL_ERROR_RUNTIME, "the kernel threw something that is no exception");
    }
  }
};

void run(const Op& op, const char* kernel, PydlOpFunction function, const Call& call) {
  Run run{function, &call.args};
  if (config().verbose) last_launch() = {kernel, op.device().type == DeviceType::cpu ? "cpu" : "gpu"};
  run_function(op.name(), false, &Run::call, &run, nullptr);
}

bool any_needs_grad(const std::vector<Tensor>& inputs) {
  if (!grad_enabled()) return false;
  for (const Tensor& input : inputs)
    if (requires_grad(input)) return true;
  return false;
}

// What backward needs of a call, saved.
struct Tape {
  std::shared_ptr<const OpEntry> entry;
  std::vector<Saved> inputs;          // one for each source that is an input
  std::vector<SavedOutput> outputs;   // one for each source that is an output
  std::vector<Attribute> attributes;

  void operator()(Backward& b) const {
    const Gradient* gradient = entry->gradient.get();
    if (!gradient)
      fail<AutogradError>("[", entry->name, "] expected an op with a gradient, but its extension has none. "
                          "Hint: register one with pydl.extension.gradient, or detach() the inputs");
    std::vector<GradientArgument> arguments;
    size_t input = 0, output = 0;
    for (const GradientSource& source : gradient->sources) switch (source.kind) {
      case GradientSource::input: arguments.push_back({b[inputs[input++]]}); break;
      case GradientSource::output: arguments.push_back({b[outputs[output++]]}); break;
      case GradientSource::output_gradient: arguments.push_back({b.grad(source.index)}); break;
      case GradientSource::attribute: arguments.push_back({{}, &attributes[source.index]}); break;
    }
    std::vector<Tensor> grads = gradient->run(arguments);
    for (size_t i = 0; i < grads.size(); ++i)
      if (b.needs(static_cast<int>(i)) && grads[i].defined()) b.give(static_cast<int>(i), grads[i]);
  }
};

void record_call(const std::shared_ptr<const OpEntry>& entry, const std::vector<Tensor>& inputs,
                 const std::vector<Tensor>& outputs, const std::vector<Attribute>& attributes) {
  std::vector<Tensor> floating;
  for (const Tensor& output : outputs)
    if (is_floating(output.dtype())) floating.push_back(output);
  if (floating.empty()) return;
  if (floating.size() != outputs.size())
    fail<AutogradError>("[", entry->name, "] expected results that are all floating or all not, as they "
                        "are to be differentiated");
  Tape tape{entry, {}, {}, attributes};
  if (entry->gradient)
    for (const GradientSource& source : entry->gradient->sources) {
      if (source.kind == GradientSource::input) tape.inputs.emplace_back(inputs[source.index]);
      if (source.kind == GradientSource::output)
        tape.outputs.emplace_back(outputs[source.index], static_cast<uint32_t>(source.index));
    }
  record(entry->name.c_str(), outputs, inputs, std::move(tape));
}

}  // namespace

std::vector<Tensor> call_op(const std::shared_ptr<const OpEntry>& entry, const std::vector<Tensor>& inputs,
                            const std::vector<Attribute>& attributes) {
  Op op(entry->name.c_str(), inputs);
  std::vector<Tensor> dense;
  const Tensor* first = nullptr;
  for (const Tensor& input : inputs) {
    if (!input.defined()) dense.emplace_back();
    else dense.push_back(input.is_contiguous() ? input : contiguous(input.detach()));
    if (!first && input.defined()) first = &input;
  }
  Call call(*entry, dense, attributes);
  if (entry->shapes) run(op, "shapes", entry->shapes, call);
  else call.shapes_like_first();
  std::vector<Tensor> outputs = call.allocate(op);
  const Tensor& typed = first ? *first : outputs[0];
  run(op, entry->name.c_str(), find_kernel(op, *entry, typed).run, call);
  if (any_needs_grad(inputs)) record_call(entry, inputs, outputs, attributes);
  return outputs;
}

}  // namespace pydl
