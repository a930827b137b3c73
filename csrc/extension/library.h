// Extensions: shared libraries that registered ops and kernels.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "extension/op_entry.h"

namespace pydl {

struct ExtensionLibrary {
  std::string name;  // the namespace of its ops
  std::string path;
  std::vector<std::shared_ptr<OpEntry>> ops;
  std::vector<uint64_t> overrides;          // handles of dispatch/overrides.h
  std::vector<std::string> override_names;  // "gemm: my_gemm"
};

// Opens the library, checks its ABI and lets it register. Nothing of it stays registered on an
// error.
std::shared_ptr<ExtensionLibrary> load_extension(const std::string& path);

// Takes its ops and kernels out of use. Its code stays in memory: graphs may still need it.
void unload_extension(const ExtensionLibrary& library);

}  // namespace pydl
