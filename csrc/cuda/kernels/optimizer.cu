// The steps of SGD, RMSprop and Adam; norms and scaling of many tensors.
#include "cuda/device/optimizer.cuh"
#include "cuda/memory.h"

namespace pydl::cuda {
namespace {

template <class C_>
struct Sgd : Uncorrected {
  using C = C_;
  C rate, momentum;
  bool nesterov;

  __host__ __device__ explicit Sgd(const PydlSgdStepArgs& args)
      : rate(static_cast<C>(args.learning_rate)),
        momentum(static_cast<C>(args.momentum)),
        nesterov(args.nesterov != 0) {}
  __device__ void operator()(Element<C>& e, const PydlOptimizerTensor& tensor) const {
    const C move = e.gradient * rate;
    e.first = e.first * momentum - move;
    const bool looks_ahead = nesterov && tensor.first;
    e.parameter += looks_ahead ? e.first * momentum - move : e.first;
  }
};

template <class C_>
struct Rmsprop : Uncorrected {
  using C = C_;
  C rate, momentum, rho, fresh, epsilon;

  __host__ __device__ explicit Rmsprop(const PydlRmspropStepArgs& args)
      : rate(static_cast<C>(args.learning_rate)),
        momentum(static_cast<C>(args.momentum)),
        rho(static_cast<C>(args.rho)),
        fresh(static_cast<C>(1 - args.rho)),
        epsilon(static_cast<C>(args.epsilon)) {}
  __device__ void operator()(Element<C>& e, const PydlOptimizerTensor& tensor) const {
    const C g = e.gradient;
    e.second = rho * e.second + fresh * (g * g);
    e.third = rho * e.third + fresh * g;
    const C variance = tensor.third ? e.second - e.third * e.third : e.second;
    e.first = rate * g / ::sqrt(variance + epsilon) + momentum * e.first;
    e.parameter -= e.first;
  }
};

template <class C_>
struct Adam {
  using C = C_;
  C rate, fresh_1, fresh_2, epsilon;

  __host__ __device__ explicit Adam(const PydlAdamStepArgs& args)
      : rate(static_cast<C>(args.corrected_rate)),
        fresh_1(static_cast<C>(1 - args.beta_1)),
        fresh_2(static_cast<C>(1 - args.beta_2)),
        epsilon(static_cast<C>(args.epsilon)) {}
  __device__ static void correct(PydlAdamStepArgs& args, double step) {
    const double mean = 1 - ::pow(args.beta_1, step), square = 1 - ::pow(args.beta_2, step);
    args.corrected_rate = args.learning_rate * ::sqrt(square) / mean;
  }
  __device__ void operator()(Element<C>& e, const PydlOptimizerTensor& tensor) const {
    const C g = e.gradient;
    e.first = ::fma(g - e.first, fresh_1, e.first);
    e.second = ::fma(g * g - e.second, fresh_2, e.second);
    e.third = maximum(e.third, e.second);
    const C largest = tensor.third ? e.third : e.second;
    e.parameter -= e.first * rate / (::sqrt(largest) + epsilon);
  }
};

__device__ double block_sum(double value) {
  __shared__ double values[kTensorThreads];
  values[threadIdx.x] = value;
  for (unsigned half = kTensorThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) values[threadIdx.x] += values[threadIdx.x + half];
  }
  return values[0];  // right in thread 0
}

template <class T>
__global__ void __launch_bounds__(kTensorThreads)
    square_kernel(const __grid_constant__ TensorList list, double* sums) {
  using C = Compute<T>;
  const TensorPart part(list);
  const T* gradient = static_cast<const T*>(list.tensors[part.tensor].gradient);
  C sum = 0;
  for (int64_t i = part.begin + threadIdx.x; i < part.end; i += kTensorThreads) {
    const C g = to_compute(gradient[i]);
    sum = ::fma(g, g, sum);
  }
  const double total = block_sum(static_cast<double>(sum));
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

// A block a tensor.
__global__ void __launch_bounds__(kTensorThreads)
    add_squares_kernel(const __grid_constant__ TensorList list, const double* sums, double* norms) {
  double sum = 0;
  const int end = list.first_block[blockIdx.x + 1];
  for (int i = list.first_block[blockIdx.x] + static_cast<int>(threadIdx.x); i < end;
       i += kTensorThreads)
    sum += sums[i];
  const double total = block_sum(sum);
  if (threadIdx.x == 0) norms[blockIdx.x] = total;
}

template <class T>
PydlStatus square_tensors(const PydlContext* context, const PydlSquaredNormsArgs* args,
                          double* norms) {
  return for_each_list(args->tensors, args->tensor_count, [&](const TensorList& list) {
    const Scratch<double> sums(context, list.blocks() + 1);
    if (!sums) return PydlStatus{PYDL_ERROR_MEMORY};
    if (list.blocks() > 0) {
      const PydlStatus status = launch(context, dim3(list.blocks()), dim3(kTensorThreads), 0,
                                       square_kernel<T>, list, sums.data());
      if (status != PYDL_OK) return status;
    }
    double* const to = norms;
    norms += list.count;
    return launch(context, dim3(list.count), dim3(kTensorThreads), 0, add_squares_kernel, list,
                  static_cast<const double*>(sums.data()), to);
  });
}

template <class T>
__global__ void __launch_bounds__(kTensorThreads)
    scale_kernel(const __grid_constant__ TensorList list) {
  const TensorPart part(list);
  const PydlOptimizerTensor& tensor = list.tensors[part.tensor];
  T* values = static_cast<T*>(tensor.parameter);
  const auto scale = static_cast<Compute<T>>(tensor.scale);
  for (int64_t i = part.begin + threadIdx.x; i < part.end; i += kTensorThreads)
    values[i] = from_compute<T>(to_compute(values[i]) * scale);
}

}  // namespace

PydlStatus sgd_step(const PydlContext* context, const PydlSgdStepArgs* args) {
  return run_step<Sgd>(context, "sgd_step", args);
}

PydlStatus rmsprop_step(const PydlContext* context, const PydlRmspropStepArgs* args) {
  return run_step<Rmsprop>(context, "rmsprop_step", args);
}

PydlStatus adam_step(const PydlContext* context, const PydlAdamStepArgs* args) {
  return run_step<Adam>(context, "adam_step", args);
}

PydlStatus squared_norms(const PydlContext* context, const PydlSquaredNormsArgs* args) {
  if (args->tensor_count == 0) return PYDL_OK;
  const Scratch<double> norms(context, args->tensor_count);
  if (!norms) return PYDL_ERROR_MEMORY;
  const PydlStatus status = visit_floating(context, "global_norm", args->dtype, [&](auto zero) {
    return square_tensors<decltype(zero)>(context, args, norms.data());
  });
  if (status != PYDL_OK) return status;
  return read_back(context, norms.data(), args->tensor_count * sizeof(double), args->squared_norms);
}

PydlStatus scale_tensors(const PydlContext* context, const PydlScaleTensorsArgs* args) {
  return visit_floating(context, "clip_by_global_norm", args->dtype, [&](auto zero) {
    return for_each_list(args->tensors, args->tensor_count, [&](const TensorList& list) {
      if (list.blocks() == 0) return PydlStatus{PYDL_OK};
      return launch(context, dim3(list.blocks()), dim3(kTensorThreads), 0,
                    scale_kernel<decltype(zero)>, list);
    });
  });
}

}  // namespace pydl::cuda
