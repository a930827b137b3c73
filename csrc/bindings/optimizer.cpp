#include "bindings/python.h"
#include "ops/optimizer.h"

namespace pydl {

void bind_optimizer(py::module_& module) {
  module.def("sgd_step", &sgd_step, py::arg("params"), py::arg("grads"), py::arg("momentums"),
             py::arg("learning_rate"), py::arg("momentum"), py::arg("nesterov"),
             py::arg("weight_decay"), py::arg("scales"), py::arg("clip_value"), WithoutGil());
  module.def("rmsprop_step", &rmsprop_step, py::arg("params"), py::arg("grads"),
             py::arg("velocities"), py::arg("averages"), py::arg("momentums"),
             py::arg("learning_rate"), py::arg("rho"), py::arg("momentum"), py::arg("epsilon"),
             py::arg("weight_decay"), py::arg("scales"), py::arg("clip_value"), WithoutGil());
  module.def("adam_step", &adam_step, py::arg("params"), py::arg("grads"), py::arg("m"),
             py::arg("v"), py::arg("vhat"), py::arg("step"), py::arg("learning_rate"),
             py::arg("beta_1"), py::arg("beta_2"), py::arg("epsilon"), py::arg("weight_decay"),
             py::arg("scales"), py::arg("clip_value"), WithoutGil());
  module.def("adagrad_step", &adagrad_step, py::arg("params"), py::arg("grads"),
             py::arg("accumulators"), py::arg("learning_rate"),
             py::arg("epsilon"), py::arg("weight_decay"), py::arg("scales"),
             py::arg("clip_value"), WithoutGil());
  module.def("adadelta_step", &adadelta_step, py::arg("params"), py::arg("grads"),
             py::arg("squares"), py::arg("moves"), py::arg("learning_rate"),
             py::arg("rho"), py::arg("epsilon"), py::arg("weight_decay"),
             py::arg("scales"), py::arg("clip_value"), WithoutGil());
  module.def("adamax_step", &adamax_step, py::arg("params"), py::arg("grads"), py::arg("m"),
             py::arg("u"), py::arg("learning_rate"), py::arg("step"),
             py::arg("beta_1"), py::arg("beta_2"), py::arg("epsilon"),
             py::arg("weight_decay"), py::arg("scales"), py::arg("clip_value"),
             WithoutGil());
  module.def("nadam_step", &nadam_step, py::arg("params"), py::arg("grads"), py::arg("m"),
             py::arg("v"), py::arg("learning_rate"), py::arg("step"),
             py::arg("mean_share"), py::arg("gradient_share"), py::arg("beta_1"),
             py::arg("beta_2"), py::arg("epsilon"), py::arg("weight_decay"),
             py::arg("scales"), py::arg("clip_value"), WithoutGil());
  module.def("lion_step", &lion_step, py::arg("params"), py::arg("grads"), py::arg("m"),
             py::arg("learning_rate"), py::arg("beta_1"), py::arg("beta_2"),
             py::arg("weight_decay"), py::arg("scales"), py::arg("clip_value"),
             WithoutGil());
  module.def("ftrl_step", &ftrl_step, py::arg("params"), py::arg("grads"),
             py::arg("accumulators"), py::arg("linears"), py::arg("learning_rate"),
             py::arg("power"), py::arg("l1"), py::arg("l2"), py::arg("l2_shrinkage"),
             py::arg("weight_decay"), py::arg("scales"), py::arg("clip_value"),
             WithoutGil());
  module.def("global_norm", &global_norm, py::arg("tensors"), WithoutGil());
  module.def("clip_by_global_norm", &clip_by_global_norm, py::arg("tensors"), py::arg("clip_norm"),
             WithoutGil());
}

}  // namespace pydl
