#include "core/device.h"

#include <charconv>

#include "core/error.h"

namespace pydl {
namespace {

thread_local Device current;

}  // namespace

Device device_from_name(std::string_view name) {
  if (name == "cpu" || name == "cpu:0") return {};
  Device device{DeviceType::gpu, 0};
  if (name == "gpu") return device;
  if (name.substr(0, 4) == "gpu:") {
    const char* end = name.data() + name.size();
    auto [stop, error] = std::from_chars(name.data() + 4, end, device.index);
    if (error == std::errc() && stop == end && device.index >= 0) return device;
  }
  fail<DeviceError>("[device] expected 'cpu' or 'gpu:' and a number, got '", name, "'");
}

Device default_device() { return current; }
void set_default_device(Device device) { current = device; }

}  // namespace pydl
