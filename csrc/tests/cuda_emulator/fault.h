// While a launch runs, a thread that touches memory that is not there fails the launch instead of the
// process.
#pragma once

namespace pydl::emulator {

struct FaultScope {
  FaultScope();
  ~FaultScope();
};

}  // namespace pydl::emulator
