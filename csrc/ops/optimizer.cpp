#include "ops/optimizer.h"

#include <cmath>
#include <memory>
#include <unordered_set>

#include "dispatch/recording.h"
#include "ops/creation.h"
#include "ops/op.h"
#include "pydl/kernels/optimizer.h"

namespace pydl {
namespace {

// Puts the learning rate and the number of a step into its arguments.
template <class Args>
void set_numbers(Args& args, const StepNumbers& numbers) {
  args.learning_rate = numbers.learning_rate;
}
void set_numbers(PydlScaleTensorsArgs&, const StepNumbers&) {}
void set_numbers(PydlAdamStepArgs& args, const StepNumbers& numbers) {
  const double t = static_cast<double>(numbers.step);
  args.learning_rate = numbers.learning_rate;
  args.corrected_rate = numbers.learning_rate * std::sqrt(1 - std::pow(args.beta_2, t)) /
                        (1 - std::pow(args.beta_1, t));
}
void set_numbers(PydlAdamaxStepArgs& args, const StepNumbers& numbers) {
  const double t = static_cast<double>(numbers.step);
  args.learning_rate = numbers.learning_rate;
  args.corrected_rate = numbers.learning_rate / (1 - std::pow(args.beta_1, t));
}

// What a step reads and writes, checked, as kernel arguments.
class Step {
 public:
  Step(const char* name, const Tensors& params, const Tensors& grads,
       const std::vector<double>& scales)
      : op_(name, params), params_(params), written_{&params} {
    op_.check(params.size() == grads.size(), "expected a gradient for each of ", params.size(),
              " parameters, got ", grads.size());
    op_.check(scales.empty() || scales.size() == params.size(), "expected a scale for each of ",
              params.size(), " gradients, got ", scales.size());
    entries_.resize(params.size());
    kept_.reserve(params.size());
    for (size_t i = 0; i < params.size(); ++i) {
      const Tensor& p = params[i];
      check_target("parameter", p, p, i);
      op_.check_floating(p);
      op_.check<ShapeError>(grads[i].shape() == p.shape(), "expected a gradient of shape ",
                            p.shape(), " for parameter ", i, ", got ", grads[i].shape());
      check_device("gradient", grads[i], p, i);
      const Tensor gradient = needs_grad(grads[i]) ? grads[i].detach() : grads[i];
      kept_.push_back(contiguous(cast(gradient, p.dtype())));
      entries_[i].count = p.count();
      entries_[i].parameter = p.data();
      entries_[i].gradient = kept_.back().data();
      entries_[i].scale = scales.empty() ? 1.0 : scales[i];
    }
  }

  // Hands the kernel a list of state tensors that it may do without.
  void optional_state(const char* what, const Tensors& tensors,
                      void* PydlOptimizerTensor::*member) {
    if (!tensors.empty()) state(what, tensors, member);
  }

  // Hands the kernel a list of state tensors.
  void state(const char* what, const Tensors& tensors, void* PydlOptimizerTensor::*member) {
    op_.check(tensors.size() == params_.size(), "expected ", what, " for each of ",
              params_.size(), " parameters, got ", tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      check_target(what, tensors[i], params_[i], i);
      entries_[i].*member = tensors[i].data();
    }
    written_.push_back(&tensors);
  }

  // One launch for the parameters of each dtype.
  template <class Args>
  void run(Args args, Kernel<Args> PydlKernelTable::*kernel) {
    count_writes();
    if (Recording* recording = current_recording()) keep_for(recording);
    for (PydlDType dtype = 0; dtype < PYDL_DTYPE_COUNT; ++dtype) {
      auto group = std::make_shared<std::vector<PydlOptimizerTensor>>();
      for (size_t i = 0; i < params_.size(); ++i)
        if (static_cast<PydlDType>(params_[i].dtype()) == dtype) group->push_back(entries_[i]);
      if (group->empty()) continue;
      args.dtype = dtype;
      args.tensor_count = static_cast<int64_t>(group->size());
      args.tensors = group->data();
      op_.launch(kernel, args);
      if (Recording* recording = current_recording())
        recording->depends_on_numbers(group, renew<Args>);
    }
  }

 private:
  template <class Args>
  static void renew(void* args, const StepNumbers& numbers) {
    set_numbers(*static_cast<Args*>(args), numbers);
  }

  void keep_for(Recording* recording) const {
    for (const Tensor& gradient : kept_) recording->keep(gradient);
    for (const Tensors* tensors : written_)
      for (const Tensor& tensor : *tensors) recording->keep(tensor);
  }

  // Kernels share the tensors among threads, so no memory may be written twice. A storage whose
  // version moves by more than one holds several of them, or one several times: that is rare, and
  // only then it is worth the time to look.
  void count_writes() {
    std::vector<uint32_t> versions;
    for (const Tensors* tensors : written_)
      for (const Tensor& tensor : *tensors) versions.push_back(tensor.version());
    bool shared = false;
    size_t i = 0;
    for (const Tensors* tensors : written_)
      for (const Tensor& tensor : *tensors) {
        shared |= tensor.version() != versions[i++];
        tensor.impl()->storage->bump_version();
      }
    if (shared) check_distinct();
  }

  void check_distinct() const {
    std::unordered_set<const void*> seen;
    for (const Tensors* tensors : written_)
      for (size_t i = 0; i < tensors->size(); ++i)
        op_.check((*tensors)[i].count() == 0 || seen.insert((*tensors)[i].data()).second,
                  "expected each parameter and its state once, got those of parameter ", i,
                  " in a list twice. Hint: list shared weights once");
  }

  void check_target(const char* what, const Tensor& tensor, const Tensor& like, size_t i) const {
    op_.check<ShapeError>(tensor.shape() == like.shape(), "expected ", what, " of shape ",
                          like.shape(), " for parameter ", i, ", got ", tensor.shape());
    op_.check<DTypeError>(tensor.dtype() == like.dtype(), "expected ", what, " of dtype ",
                          like.dtype(), " for parameter ", i, ", got ", tensor.dtype());
    check_device(what, tensor, like, i);
    op_.check_writable(tensor);
    op_.check(tensor.is_contiguous(), "expected ", what, " ", i,
              " to be contiguous, because it changes in place");
  }

  void check_device(const char* what, const Tensor& tensor, const Tensor& like, size_t i) const {
    op_.check<DeviceError>(tensor.device() == like.device(), "expected ", what, " ", i, " on ",
                           like.device(), ", where its parameter is, got ", tensor.device());
  }

  Op op_;
  const Tensors& params_;
  Tensors kept_;  // gradients made dense
  std::vector<PydlOptimizerTensor> entries_;
  std::vector<const Tensors*> written_;
};

// The arguments that all steps have.
template <class Args>
Args arguments(double learning_rate, double weight_decay, double clip_value) {
  Args args{};
  args.learning_rate = learning_rate;
  args.weight_decay = weight_decay;
  args.clip_value = clip_value;
  return args;
}

double norm_of(const Op& op, const Tensors& tensors) {
  refuse_recording("it reads the norm of tensors");
  double total = 0;
  for (PydlDType dtype = 0; dtype < PYDL_DTYPE_COUNT; ++dtype) {
    Tensors kept;
    std::vector<PydlOptimizerTensor> group;
    for (const Tensor& tensor : tensors) {
      if (static_cast<PydlDType>(tensor.dtype()) != dtype) continue;
      op.check_floating(tensor);
      kept.push_back(contiguous(tensor.detach()));
      group.push_back({});
      group.back().count = tensor.count();
      group.back().gradient = kept.back().data();
    }
    if (group.empty()) continue;
    std::vector<double> squares(group.size());
    op.launch(&PydlKernelTable::squared_norms,
              PydlSquaredNormsArgs{dtype, static_cast<int64_t>(group.size()), group.data(),
                                   squares.data()});
    for (double square : squares) total += square;
  }
  return std::sqrt(total);
}

Tensor as_scalar(double value, const Tensors& tensors, Device device) {
  DType dtype = DType::float32;
  for (const Tensor& tensor : tensors)
    if (tensor.dtype() == DType::float64) dtype = DType::float64;
  return full({}, value, dtype, device);
}

}  // namespace

void sgd_step(const Tensors& params, const Tensors& grads, const Tensors& momentums,
              double learning_rate, double momentum, bool nesterov, double weight_decay,
              const std::vector<double>& scales, double clip_value) {
  Step step("sgd_step", params, grads, scales);
  step.optional_state("momentum", momentums, &PydlOptimizerTensor::first);
  auto args = arguments<PydlSgdStepArgs>(learning_rate, weight_decay, clip_value);
  args.momentum = momentum;
  args.nesterov = nesterov;
  step.run(args, &PydlKernelTable::sgd_step);
}

void rmsprop_step(const Tensors& params, const Tensors& grads, const Tensors& velocities,
                  const Tensors& averages, const Tensors& momentums, double learning_rate,
                  double rho, double momentum, double epsilon, double weight_decay,
                  const std::vector<double>& scales, double clip_value) {
  Step step("rmsprop_step", params, grads, scales);
  step.state("velocity", velocities, &PydlOptimizerTensor::second);
  step.optional_state("average gradient", averages, &PydlOptimizerTensor::third);
  step.optional_state("momentum", momentums, &PydlOptimizerTensor::first);
  auto args = arguments<PydlRmspropStepArgs>(learning_rate, weight_decay, clip_value);
  args.rho = rho;
  args.momentum = momentum;
  args.epsilon = epsilon;
  step.run(args, &PydlKernelTable::rmsprop_step);
}

void adam_step(const Tensors& params, const Tensors& grads, const Tensors& m, const Tensors& v,
               const Tensors& vhat, int64_t step_number, double learning_rate, double beta_1,
               double beta_2, double epsilon, double weight_decay,
               const std::vector<double>& scales, double clip_value) {
  Step step("adam_step", params, grads, scales);
  step.state("m", m, &PydlOptimizerTensor::first);
  step.state("v", v, &PydlOptimizerTensor::second);
  step.optional_state("vhat", vhat, &PydlOptimizerTensor::third);
  auto args = arguments<PydlAdamStepArgs>(learning_rate, weight_decay, clip_value);
  args.beta_1 = beta_1;
  args.beta_2 = beta_2;
  args.epsilon = epsilon;
  set_numbers(args, {step_number, learning_rate});
  step.run(args, &PydlKernelTable::adam_step);
}

void adagrad_step(const Tensors& params, const Tensors& grads, const Tensors& accumulators,
                  double learning_rate, double epsilon, double weight_decay,
                  const std::vector<double>& scales, double clip_value) {
  Step step("adagrad_step", params, grads, scales);
  step.state("accumulator", accumulators, &PydlOptimizerTensor::second);
  auto args = arguments<PydlAdagradStepArgs>(learning_rate, weight_decay, clip_value);
  args.epsilon = epsilon;
  step.run(args, &PydlKernelTable::adagrad_step);
}

void adadelta_step(const Tensors& params, const Tensors& grads, const Tensors& squares,
                   const Tensors& moves, double learning_rate, double rho, double epsilon,
                   double weight_decay, const std::vector<double>& scales, double clip_value) {
  Step step("adadelta_step", params, grads, scales);
  step.state("mean square", squares, &PydlOptimizerTensor::second);
  step.state("mean squared move", moves, &PydlOptimizerTensor::third);
  auto args = arguments<PydlAdadeltaStepArgs>(learning_rate, weight_decay, clip_value);
  args.rho = rho;
  args.epsilon = epsilon;
  step.run(args, &PydlKernelTable::adadelta_step);
}

void adamax_step(const Tensors& params, const Tensors& grads, const Tensors& m, const Tensors& u,
                 double learning_rate, int64_t step_number, double beta_1, double beta_2,
                 double epsilon, double weight_decay, const std::vector<double>& scales,
                 double clip_value) {
  Step step("adamax_step", params, grads, scales);
  step.state("m", m, &PydlOptimizerTensor::first);
  step.state("u", u, &PydlOptimizerTensor::second);
  auto args = arguments<PydlAdamaxStepArgs>(learning_rate, weight_decay, clip_value);
  args.beta_1 = beta_1;
  args.beta_2 = beta_2;
  args.epsilon = epsilon;
  set_numbers(args, {step_number, learning_rate});
  step.run(args, &PydlKernelTable::adamax_step);
}

void nadam_step(const Tensors& params, const Tensors& grads, const Tensors& m, const Tensors& v,
                double learning_rate, int64_t step_number, double mean_share,
                double gradient_share, double beta_1, double beta_2, double epsilon,
                double weight_decay, const std::vector<double>& scales, double clip_value) {
  refuse_recording("it holds a step whose numbers come from Python");
  Step step("nadam_step", params, grads, scales);
  step.state("m", m, &PydlOptimizerTensor::first);
  step.state("v", v, &PydlOptimizerTensor::second);
  auto args = arguments<PydlNadamStepArgs>(learning_rate, weight_decay, clip_value);
  args.mean_rate = learning_rate * mean_share;
  args.gradient_rate = learning_rate * gradient_share;
  args.square_scale = 1 / (1 - std::pow(beta_2, static_cast<double>(step_number)));
  args.beta_1 = beta_1;
  args.beta_2 = beta_2;
  args.epsilon = epsilon;
  step.run(args, &PydlKernelTable::nadam_step);
}

void lion_step(const Tensors& params, const Tensors& grads, const Tensors& m,
               double learning_rate, double beta_1, double beta_2, double weight_decay,
               const std::vector<double>& scales, double clip_value) {
  Step step("lion_step", params, grads, scales);
  step.state("m", m, &PydlOptimizerTensor::first);
  auto args = arguments<PydlLionStepArgs>(learning_rate, weight_decay, clip_value);
  args.beta_1 = beta_1;
  args.beta_2 = beta_2;
  step.run(args, &PydlKernelTable::lion_step);
}

void ftrl_step(const Tensors& params, const Tensors& grads, const Tensors& accumulators,
               const Tensors& linears, double learning_rate, double power, double l1, double l2,
               double l2_shrinkage, double weight_decay, const std::vector<double>& scales,
               double clip_value) {
  Step step("ftrl_step", params, grads, scales);
  step.state("accumulator", accumulators, &PydlOptimizerTensor::second);
  step.state("linear", linears, &PydlOptimizerTensor::third);
  auto args = arguments<PydlFtrlStepArgs>(learning_rate, weight_decay, clip_value);
  args.power = power;
  args.l1 = l1;
  args.l2 = l2;
  args.l2_shrinkage = l2_shrinkage;
  step.run(args, &PydlKernelTable::ftrl_step);
}

Tensor global_norm(const Tensors& tensors) {
  Op op("global_norm", tensors);
  return as_scalar(norm_of(op, tensors), tensors, op.device());
}

Tensor clip_by_global_norm(const Tensors& tensors, double clip_norm) {
  Op op("clip_by_global_norm", tensors);
  op.check(clip_norm > 0, "expected clip_norm above 0, got ", clip_norm);
  double norm = norm_of(op, tensors);
  if (norm > clip_norm) {
    // Two parameters may have one gradient, which must not shrink twice.
    Tensors distinct;
    std::unordered_set<const void*> seen;
    for (const Tensor& tensor : tensors)
      if (seen.insert(tensor.data()).second) distinct.push_back(tensor);
    std::vector<double> scales(distinct.size(), clip_norm / norm);
    Step step("clip_by_global_norm", distinct, distinct, scales);
    step.run(PydlScaleTensorsArgs{}, &PydlKernelTable::scale_tensors);
  }
  return as_scalar(norm, tensors, op.device());
}

}  // namespace pydl
