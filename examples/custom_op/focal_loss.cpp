// The focal loss of Lin et al., "Focal loss for dense object detection", 2017, on logits:
//
//   loss(z, y) = alpha_y (1 - p_y)^gamma * -log(p_y),   p_1 = sigmoid(z), p_0 = 1 - p_1,
//                                                       alpha_1 = alpha, alpha_0 = 1 - alpha
//
// One pass computes the loss and its slope dloss/dz, so that backward is one product.
#include <pydl/extension.h>
#include <pydl/simd.h>

PYDL_EXTENSION("focal")

namespace {

using pydl::simd::Mask;
using pydl::simd::Vec;

template <class T>
struct Settings {
  T alpha, gamma;
};

// With s = z for positives and -z for negatives: p = sigmoid(s), q = 1 - p = sigmoid(-s),
//   loss = a q^gamma softplus(-s),   dloss/ds = -a q^gamma (gamma p softplus(-s) + q).
template <class T>
void focal(Vec<T> logits, Vec<T> labels, Settings<T> set, Vec<T>* loss, Vec<T>* slope) {
  const Vec<T> one(T{1});
  const Mask<T> positive = labels > Vec<T>(T(0.5));
  const Vec<T> sign = select(positive, one, -one);
  const Vec<T> weight = select(positive, Vec<T>(set.alpha), Vec<T>(1 - set.alpha));
  const Vec<T> s = logits * sign;
  const Vec<T> e = exp(-abs(s));                            // in (0, 1]: nothing overflows
  const Vec<T> large = one / (one + e), small = e * large;  // sigmoid(|s|), sigmoid(-|s|)
  const Mask<T> right = s > Vec<T>(T{0});
  const Vec<T> p = select(right, large, small), q = select(right, small, large);
  const Vec<T> log_loss = log1p(e) + max(-s, Vec<T>(T{0}));  // softplus(-s)
  const Vec<T> scale =
      weight * exp(Vec<T>(set.gamma) * -(log_loss + s));  // q^gamma: log q = -(softplus(-s) + s)
  *loss = scale * log_loss;
  *slope = -sign * scale * (Vec<T>(set.gamma) * p * log_loss + q);
}

template <class T>
void forward(const pydl::Context& context, pydl::Tensor logits, pydl::Tensor labels, double alpha,
             double gamma, pydl::Tensor loss, pydl::Tensor slope) {
  const T *z = logits.data<T>(), *y = labels.data<T>();
  T *out = loss.data<T>(), *out_slope = slope.data<T>();
  const Settings<T> settings{static_cast<T>(alpha), static_cast<T>(gamma)};
  context.parallel_for(logits.count(), 4096, [=](int64_t begin, int64_t end) {
    pydl::simd::for_each<T>(begin, end, [=](int64_t i, auto part) {
      Vec<T> value, derivative;
      focal(part.load(z + i), part.load(y + i), settings, &value, &derivative);
      part.store(out + i, value);
      part.store(out_slope + i, derivative);
    });
  });
}

void shapes(pydl::Tensor logits, pydl::Tensor labels, double alpha, double gamma, pydl::Output loss,
            pydl::Output slope) {
  pydl::check(labels.has_shape_of(logits) && labels.dtype() == logits.dtype(), PYDL_ERROR_SHAPE,
              "expected labels like the logits ", logits, ", got ", labels);
  pydl::check(alpha >= 0 && alpha <= 1, PYDL_ERROR_VALUE, "expected alpha in [0, 1], got ", alpha);
  pydl::check(gamma >= 0, PYDL_ERROR_VALUE, "expected gamma of at least 0, got ", gamma);
  loss.like(logits);
  slope.like(logits);
}

template <class T>
void backward(const pydl::Context& context, pydl::Tensor slope, pydl::Tensor dloss,
              pydl::Tensor dlogits) {
  const T *a = slope.data<T>(), *b = dloss.data<T>();
  T* out = dlogits.data<T>();
  context.parallel_for(slope.count(), 16384, [=](int64_t begin, int64_t end) {
    pydl::simd::for_each<T>(begin, end, [=](int64_t i, auto part) {
      part.store(out + i, part.load(a + i) * part.load(b + i));
    });
  });
}

}  // namespace

PYDL_REGISTER_OP(focal_loss)
    .signature(
        "(logits: Tensor, labels: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> loss, slope")
    .doc(
        "The focal loss of each logit for its label, 0 or 1, and the loss's derivative by the "
        "logit.")
    .shapes<shapes>()
    .kernel<forward<float>>(PYDL_CPU, PYDL_FLOAT32)
    .kernel<forward<double>>(PYDL_CPU, PYDL_FLOAT64)
    .gradient("focal_loss_backward");

PYDL_REGISTER_OP(focal_loss_backward)
    .signature("(slope: Tensor, dloss: Tensor) -> dlogits")
    .kernel<backward<float>>(PYDL_CPU, PYDL_FLOAT32)
    .kernel<backward<double>>(PYDL_CPU, PYDL_FLOAT64);
