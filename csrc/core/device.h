#pragma once

#include <cstdint>
#include <ostream>
#include <string_view>

namespace pydl {

enum class DeviceType : int32_t { cpu = 0, gpu = 1 };

struct Device {
  DeviceType type = DeviceType::cpu;
  int32_t index = 0;

  bool operator==(const Device& other) const { return type == other.type && index == other.index; }
  bool operator!=(const Device& other) const { return !(*this == other); }
};

inline std::ostream& operator<<(std::ostream& out, Device device) {
  if (device.type == DeviceType::cpu) return out << "cpu";
  return out << "gpu:" << device.index;
}

Device device_from_name(std::string_view name);  // "cpu", "gpu", "gpu:1"; throws DeviceError

// Where this thread makes tensors unless it is told a device.
Device default_device();
void set_default_device(Device device);

}  // namespace pydl
