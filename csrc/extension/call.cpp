// One call of an op of an extension: shapes, memory, kernel, tape.
#include "autograd/node.h"
#include "dispatch/recording.h"
#include "extension/op_entry.h"
#include "ops/op.h"
#include "ops/ops.h"

namespace pydl {
namespace {

void set_view(PydlTensorView& view, const Tensor& tensor) {
  view.struct_size = sizeof(view);
  view.dtype = PYDL_ANY;
  view.device_type = view.device_index = view.rank = 0;
  view.count = 0;
  view.data = nullptr;
  if (!tensor.defined()) return;
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
}

// The arguments of a call in the form of the C ABI; in fixed arrays, as calls must be cheap.
class Call {
 public:
  Call(const std::vector<Tensor>& inputs, const std::vector<Attribute>& attributes, size_t outputs) {
    args = {sizeof(args),
            static_cast<int32_t>(inputs.size()),
            static_cast<int32_t>(outputs),
            static_cast<int32_t>(attributes.size()),
            input_pointers_,
            output_pointers_,
            attribute_pointers_};
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Tensor& x = inputs[i];
      if (x.defined() && !x.is_contiguous()) dense_[i] = contiguous(x.detach());
      set_view(inputs_[i], dense_[i].defined() ? dense_[i] : x);
      input_pointers_[i] = &inputs_[i];
    }
    for (size_t i = 0; i < outputs; ++i) {
      set_view(outputs_[i], Tensor());
      output_pointers_[i] = &outputs_[i];
    }
    for (size_t i = 0; i < attributes.size(); ++i) {
      attributes_[i] = attributes[i].view();
      attribute_pointers_[i] = &attributes_[i];
    }
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Without a shape function each result is like the first tensor.
  void shapes_like_first() {
    for (int i = 0; i < args.output_count; ++i) outputs_[i] = inputs_[0];
  }
  // Sizes beyond bounds are refused before the kernel sees them.
  std::vector<Tensor> allocate(const Op& op) {
    std::vector<Tensor> tensors;
    tensors.reserve(args.output_count);
    for (int i = 0; i < args.output_count; ++i) {
      PydlTensorView& output = outputs_[i];
      op.check<DTypeError>(output.dtype >= 0 && output.dtype < PYDL_DTYPE_COUNT,
                           "expected its shape function to set the dtype of every result, got ",
                           output.dtype);
      op.check<ShapeError>(output.rank >= 0 && output.rank <= PYDL_MAX_RANK,
                           "expected its shape function to give results of 0 to ", PYDL_MAX_RANK,
                           " axes, got ", output.rank);
      Dims shape(output.shape, output.shape + output.rank);
      tensors.push_back(Tensor::empty(shape, static_cast<DType>(output.dtype), op.device()));
      set_view(output, tensors.back());
    }
    return tensors;
  }

  PydlOpArgs args;

 private:
  Tensor dense_[kMaxArguments];  // copies of inputs that are not
  PydlTensorView inputs_[kMaxArguments], outputs_[kMaxArguments];
  PydlAttribute attributes_[kMaxArguments];
  const PydlTensorView* input_pointers_[kMaxArguments];
  PydlTensorView* output_pointers_[kMaxArguments];
  const PydlAttribute* attribute_pointers_[kMaxArguments];
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
    if (kernel.dtype == PYDL_ANY || kernel.dtype == static_cast<PydlDType>(first.dtype()))
      return kernel;
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
      return context->fail(context, PYDL_ERROR_RUNTIME,
                           "the kernel threw something that is no exception");
    }
  }
};

void run(const Op& op, const char* kernel, PydlOpFunction function, const Call& call) {
  Run run{function, &call.args};
  refuse_recording("it calls an op of an extension");
  if (config().verbose)
    last_launch() = {kernel, op.device().type == DeviceType::cpu ? "cpu" : "gpu"};
  run_function(op.name(), op.device(), false, &Run::call, &run, nullptr);
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
  std::vector<Saved> inputs;         // one for each source that is an input
  std::vector<SavedOutput> outputs;  // one for each source that is an output
  std::vector<Attribute> attributes;

  void operator()(Backward& b) const {
    const Gradient* gradient = entry->gradient.get();
    if (!gradient)
      fail<AutogradError>(
          "[", entry->name,
          "] expected an op with a gradient, but its extension has none. "
          "Hint: register one with pydl.extension.gradient, or detach() the inputs");
    std::vector<GradientArgument> arguments;
    size_t input = 0, output = 0;
    for (const GradientSource& source : gradient->sources) switch (source.kind) {
        case GradientSource::input:
          arguments.push_back({b[inputs[input++]]});
          break;
        case GradientSource::output:
          arguments.push_back({b[outputs[output++]]});
          break;
        case GradientSource::output_gradient:
          arguments.push_back({b.grad(source.index)});
          break;
        case GradientSource::attribute:
          arguments.push_back({{}, &attributes[source.index]});
          break;
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
    fail<AutogradError>("[", entry->name,
                        "] expected results that are all floating or all not, as they "
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

std::vector<Tensor> call_op(const std::shared_ptr<const OpEntry>& entry,
                            const std::vector<Tensor>& inputs,
                            const std::vector<Attribute>& attributes) {
  Op op(entry->name.c_str(), inputs);
  const Tensor* first = nullptr;
  for (const Tensor& input : inputs)
    if (!first && input.defined()) first = &input;
  Call call(inputs, attributes, entry->signature.results.size());
  if (entry->shapes)
    run(op, "shapes", entry->shapes, call);
  else
    call.shapes_like_first();
  std::vector<Tensor> outputs = call.allocate(op);
  const Tensor& typed = first ? *first : outputs[0];
  run(op, entry->name.c_str(), find_kernel(op, *entry, typed).run, call);
  if (any_needs_grad(inputs)) record_call(entry, inputs, outputs, attributes);
  return outputs;
}

}  // namespace pydl
