// Steps recorded as kernel calls on the CPU.
#include "dispatch/recording.h"

#include "bindings/python.h"
#include "ops/creation.h"

namespace pydl {
namespace {

// Whether `given` can take the place of the tensors that the step was recorded with.
bool alike(const std::vector<Tensor>& inputs, const std::vector<Tensor>& given) {
  if (inputs.size() != given.size()) return false;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].dtype() != given[i].dtype() || inputs[i].shape() != given[i].shape()) return false;
  return true;
}

// A recording and the tensors that its batches go to.
struct Repetition {
  Recording recording;
  std::vector<Tensor> inputs;

  explicit Repetition(int64_t limit) : recording(limit) {}

  void begin(std::vector<Tensor> fresh, const std::vector<Tensor>& watched,
             const std::vector<Tensor>& numbers) {
    inputs = std::move(fresh);
    recording.begin(watched, numbers);
  }

  bool repeat(const std::vector<Tensor>& given, int64_t step, double learning_rate) {
    if (!alike(inputs, given)) return false;
    for (size_t i = 0; i < inputs.size(); ++i) assign(inputs[i], given[i].detach());
    recording.repeat({step, learning_rate});
    return true;
  }
};

}  // namespace

void bind_recording(py::module_& module) {
  py::class_<Repetition>(module, "Recording")
      .def(py::init<int64_t>(), py::arg("limit"))
      .def("begin", &Repetition::begin, py::arg("inputs"), py::arg("watched"), py::arg("numbers"))
      .def("end", [](Repetition& self) { return self.recording.end(); })
      .def_property_readonly("obstacle",
                             [](const Repetition& self) { return self.recording.obstacle(); })
      .def("repeat", &Repetition::repeat, py::arg("batch"), py::arg("step"),
           py::arg("learning_rate"), WithoutGil());
}

}  // namespace pydl
