#include "extension/library.h"

#include <dlfcn.h>

#include <cctype>
#include <cstring>
#include <map>
#include <mutex>

#include "core/error.h"
#include "dispatch/overrides.h"

namespace pydl {
namespace {

std::mutex& mutex() {
  static std::mutex* instance = new std::mutex;
  return *instance;
}
std::map<std::string, std::string>& loaded_names() {  // namespace -> path
  static auto* names = new std::map<std::string, std::string>;
  return *names;
}

// Graphs name their ops, and may outlive the extension's use.
std::vector<std::shared_ptr<OpEntry>>& kept_ops() {
  static auto* ops = new std::vector<std::shared_ptr<OpEntry>>;
  return *ops;
}

// A struct of the extension, which may be shorter than ours: what it lacks is zero.
template <class T>
T copied(const T* given) {
  T full{};
  std::memcpy(&full, given, std::min<size_t>(given->struct_size, sizeof(T)));
  full.struct_size = sizeof(T);
  return full;
}

// What the extension's calls back reach; the first error is kept, as no exception may cross it.
struct Loading {
  PydlHost host;
  ExtensionLibrary* library;
  std::exception_ptr error;
};

template <class Body>
PydlStatus guarded(const PydlHost* host, Body body) {
  auto* loading = reinterpret_cast<Loading*>(const_cast<PydlHost*>(host));
  try {
    body(*loading->library);
    return PYDL_OK;
  } catch (...) {
    if (!loading->error) loading->error = std::current_exception();
    return PYDL_ERROR_VALUE;
  }
}

bool is_identifier(const char* name) {
  if (!name || std::isdigit(static_cast<unsigned char>(*name)) || !*name) return false;
  for (; *name; ++name)
    if (!std::isalnum(static_cast<unsigned char>(*name)) && *name != '_') return false;
  return true;
}

OpEntry* find(const ExtensionLibrary& library, const std::string& name) {
  for (const auto& op : library.ops)
    if (op->name == library.name + "." + name) return op.get();
  return nullptr;
}

PydlStatus register_op(const PydlHost* host, const PydlOpDefinition* given) {
  return guarded(host, [&](ExtensionLibrary& library) {
    PydlOpDefinition definition = copied(given);
    if (!is_identifier(definition.name))
      fail<ValueError>("[extension] expected op names of letters, digits and _, got '",
                       definition.name ? definition.name : "", "' in ", library.path);
    auto op = std::make_shared<OpEntry>();
    op->name = library.name + "." + definition.name;
    if (find(library, definition.name))
      fail<ValueError>("[extension] expected one op of each name, but '", op->name,
                       "' is registered twice in ", library.path);
    if (!definition.signature)
      fail<ValueError>("[", op->name,
                       "] expected a signature. Hint: .signature(\"(x: Tensor) -> y\")");
    op->doc = definition.doc ? definition.doc : "";
    op->signature = parse_signature(op->name, definition.signature);
    op->tensors = op->signature.tensor_count();
    op->attributes = op->signature.attribute_count();
    op->shapes = definition.shapes;
    op->gradient_op = definition.gradient ? definition.gradient : "";
    if (op->tensors > kMaxArguments || op->attributes > kMaxArguments ||
        op->signature.results.size() > kMaxArguments)
      fail<ValueError>("[", op->name, "] expected at most ", kMaxArguments,
                       " tensors, results and other arguments of each, got ", op->signature.text);
    bool has_first = !op->signature.parameters.empty() && op->signature.parameters[0].is_tensor &&
                     !op->signature.parameters[0].is_optional;
    if (!op->shapes && !has_first)
      fail<ValueError>("[", op->name,
                       "] expected a function for the shapes of its results, as its first "
                       "parameter is no tensor that they could be like");
    kept_ops().push_back(op);
    library.ops.push_back(std::move(op));
  });
}

PydlStatus register_kernel(const PydlHost* host, const PydlOpKernel* given) {
  return guarded(host, [&](ExtensionLibrary& library) {
    PydlOpKernel kernel = copied(given);
    OpEntry* op = find(library, kernel.op ? kernel.op : "");
    if (!op)
      fail<ValueError>("[extension] expected a kernel of an op that is registered, got '",
                       kernel.op ? kernel.op : "", "' in ", library.path);
    op->kernels.push_back(kernel);
  });
}

PydlStatus override_kernel(const PydlHost* host, const PydlKernelOverride* given) {
  return guarded(host, [&](ExtensionLibrary& library) {
    PydlKernelOverride kernel = copied(given);
    library.overrides.push_back(add_override(kernel, library.name));
    library.override_names.push_back(text(kernel.kernel, ": ", kernel.name));
  });
}

void connect_gradients(ExtensionLibrary& library) {
  for (const auto& op : library.ops) {
    if (op->gradient_op.empty()) continue;
    for (const auto& gradient : library.ops)
      if (gradient->name == library.name + "." + op->gradient_op)
        op->gradient = gradient_from_op(*op, gradient);
    if (!op->gradient)
      fail<ValueError>("[", op->name, "] expected its gradient '", op->gradient_op,
                       "' to be an op of the same extension, got no such op");
  }
}

template <class Function>
Function symbol(void* handle, const char* name, const std::string& path) {
  void* found = dlsym(handle, name);
  if (!found)
    fail<ValueError>(
        "[extension] expected ", path, " to have the function ", name,
        ", but it has none. Hint: PYDL_EXTENSION(\"name\") belongs in one of its sources");
  return reinterpret_cast<Function>(found);
}

}  // namespace

std::shared_ptr<ExtensionLibrary> load_extension(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* reason = dlerror();
    fail<ValueError>("[extension] expected a shared library at ", path,
                     ", got: ", reason ? reason : "unknown");
  }
  // From here on the library stays open, even when it is refused: its constructors have run.
  uint32_t abi = symbol<uint32_t (*)()>(handle, "pydl_extension_abi", path)();
  if (abi != PYDL_ABI_VERSION)
    fail<ValueError>("[extension] expected a library for ABI version ", PYDL_ABI_VERSION, ", but ",
                     path, " was built for version ", abi,
                     ". Hint: build it again with this pydl's headers");
  auto library = std::make_shared<ExtensionLibrary>();
  library->path = path;
  library->name = symbol<const char* (*)()>(handle, "pydl_extension_name", path)();
  if (!is_identifier(library->name.c_str()))
    fail<ValueError>("[extension] expected a name of letters, digits and _, got '", library->name,
                     "' in ", path);
  std::lock_guard<std::mutex> lock(mutex());
  auto [it, is_new] = loaded_names().try_emplace(library->name, path);
  if (!is_new)
    fail<ValueError>("[extension] expected a namespace that is free, but '", library->name,
                     "' is taken by ", it->second, ". Hint: unload() that one first");
  try {
    Loading loading{{sizeof(PydlHost), PYDL_ABI_VERSION, PYDL_VERSION_TEXT, register_op,
                     register_kernel, override_kernel},
                    library.get(),
                    nullptr};
    PydlStatus status =
        symbol<PydlStatus (*)(const PydlHost*)>(handle, "pydl_extension_load", path)(&loading.host);
    if (loading.error) std::rethrow_exception(loading.error);
    if (status != PYDL_OK)
      fail<ValueError>("[extension] expected ", path, " to load, got status ", status);
    connect_gradients(*library);
  } catch (...) {
    for (uint64_t handle : library->overrides) remove_override(handle);
    loaded_names().erase(library->name);
    throw;
  }
  return library;
}

void unload_extension(const ExtensionLibrary& library) {
  std::lock_guard<std::mutex> lock(mutex());
  auto it = loaded_names().find(library.name);
  if (it == loaded_names().end() || it->second != library.path) return;
  loaded_names().erase(it);
  for (uint64_t handle : library.overrides) remove_override(handle);
}

}  // namespace pydl
