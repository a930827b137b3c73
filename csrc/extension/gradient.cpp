// How the parameters of a gradient are matched, by name, with what the forward op had.
#include "core/error.h"
#include "extension/op_entry.h"

namespace pydl {
namespace {

int index_of(const std::vector<std::string>& names, const std::string& name) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<int>(i);
  return -1;
}

GradientSource source_of(const OpEntry& op, const std::string& gradient, const std::string& name) {
  int tensor = 0, attribute = 0;
  for (const Parameter& parameter : op.signature.parameters) {
    int& index = parameter.is_tensor ? tensor : attribute;
    if (parameter.name == name)
      return {parameter.is_tensor ? GradientSource::input : GradientSource::attribute, index};
    ++index;
  }
  int output = index_of(op.signature.results, name);
  if (output >= 0) return {GradientSource::output, output};
  if (name[0] == 'd') output = index_of(op.signature.results, name.substr(1));
  if (output >= 0) return {GradientSource::output_gradient, output};
  fail<ValueError>("[", gradient, "] expected parameters named after the arguments and results of ",
                   op.name, " ", op.signature.text, ", or 'd' and the name of a result, got '",
                   name, "'");
}

std::vector<std::string> tensor_names(const OpEntry& op) {
  std::vector<std::string> names;
  for (const Parameter& parameter : op.signature.parameters)
    if (parameter.is_tensor) names.push_back(parameter.name);
  return names;
}

}  // namespace

std::vector<GradientSource> gradient_sources(const OpEntry& op, const std::string& gradient,
                                             const std::vector<std::string>& names) {
  std::vector<GradientSource> sources;
  for (const std::string& name : names) sources.push_back(source_of(op, gradient, name));
  return sources;
}

std::shared_ptr<const Gradient> gradient_from_op(const OpEntry& op,
                                                 const std::shared_ptr<const OpEntry>& gradient) {
  auto result = std::make_shared<Gradient>();
  for (const Parameter& parameter : gradient->signature.parameters) {
    GradientSource source = source_of(op, gradient->name, parameter.name);
    if (parameter.is_tensor == (source.kind == GradientSource::attribute))
      fail<ValueError>("[", gradient->name, "] expected '", parameter.name,
                       "' to be of the type that ", op.name, " ", op.signature.text, " gives it");
    result->sources.push_back(source);
  }
  std::vector<std::string> names = tensor_names(op);
  std::vector<int> targets;  // the input that each result is the gradient of
  for (const std::string& name : gradient->signature.results) {
    targets.push_back(name[0] == 'd' ? index_of(names, name.substr(1)) : -1);
    if (targets.back() < 0)
      fail<ValueError>("[", gradient->name,
                       "] expected results named 'd' and the name of a tensor of ", op.name, " ",
                       op.signature.text, ", got '", name, "'");
  }
  size_t inputs = names.size();
  result->run = [gradient, targets, inputs](const std::vector<GradientArgument>& arguments) {
    std::vector<Tensor> tensors;
    std::vector<Attribute> attributes;
    for (const GradientArgument& argument : arguments) {
      if (argument.attribute)
        attributes.push_back(*argument.attribute);
      else
        tensors.push_back(argument.tensor);
    }
    std::vector<Tensor> found = call_op(gradient, tensors, attributes), grads(inputs);
    for (size_t i = 0; i < targets.size(); ++i) grads[targets[i]] = found[i];
    return grads;
  };
  return result;
}

}  // namespace pydl
