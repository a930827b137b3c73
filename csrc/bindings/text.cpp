#include "ops/text.h"

#include "bindings/python.h"
#include "ops/word2vec.h"

namespace pydl {
namespace {

// Views of the UTF-8 text that Python keeps with each string; valid as long as the tuple is, which
// nobody can change while the GIL is free.
Strings views(const py::tuple& kept) {
  Strings strings;
  strings.reserve(kept.size());
  for (py::handle item : kept) {
    Py_ssize_t size = 0;
    const char* data = PyUnicode_Check(item.ptr())
                           ? PyUnicode_AsUTF8AndSize(item.ptr(), &size)
                           : (PyErr_Format(PyExc_TypeError, "[text] expected strings, got %s",
                                           Py_TYPE(item.ptr())->tp_name),
                              nullptr);
    if (!data) throw py::error_already_set();
    strings.emplace_back(data, static_cast<size_t>(size));
  }
  return strings;
}

py::str python_string(std::string_view text) { return py::str(text.data(), text.size()); }

py::array_t<int64_t> to_array(const std::vector<int64_t>& values) {
  return py::array_t<int64_t>(static_cast<py::ssize_t>(values.size()), values.data());
}

TextRules make_rules(bool lower, bool strip_punctuation, const std::string& split,
                     std::vector<int> ngrams) {
  return {lower, strip_punctuation, split_by_name(split), std::move(ngrams)};
}

template <class Hash>
py::array_t<int64_t> buckets(const py::list& strings, uint64_t count, Hash&& hash) {
  const py::tuple kept(strings);
  const Strings all = views(kept);
  std::vector<int64_t> found;
  found.reserve(all.size());
  for (std::string_view each : all) found.push_back(static_cast<int64_t>(hash(each) % count));
  return to_array(found);
}

}  // namespace

void bind_text(py::module_& module) {
  py::class_<TextRules>(module, "TextRules")
      .def(py::init(&make_rules), py::arg("lower"), py::arg("strip_punctuation"), py::arg("split"),
           py::arg("ngrams"));
  py::class_<TokenTable>(module, "TokenTable")
      .def(py::init([](const py::list& tokens) { return TokenTable(views(py::tuple(tokens))); }),
           py::arg("tokens"))
      .def(
          "encode",
          [](const TokenTable& table, const py::list& documents, const TextRules& rules,
             int64_t limit) {
            const py::tuple kept(documents);
            const Strings all = views(kept);
            EncodedText encoded;
            {
              py::gil_scoped_release released;
              encoded = encode_text(table, rules, all, limit);
            }
            return py::make_tuple(to_array(encoded.numbers), to_array(encoded.lengths));
          },
          py::arg("documents"), py::arg("rules"), py::arg("limit"));
  py::class_<TokenCounter>(module, "TokenCounter")
      .def(py::init<TextRules>(), py::arg("rules"))
      .def(
          "update",
          [](TokenCounter& counter, const py::list& strings, const std::vector<int64_t>& rows) {
            const py::tuple kept(strings);
            const Strings all = views(kept);
            py::gil_scoped_release released;
            counter.update(all, rows);
          },
          py::arg("strings"), py::arg("rows"))
      .def_property_readonly("documents", &TokenCounter::documents)
      .def("sorted", [](const TokenCounter& counter) {
        py::list tokens;
        std::vector<int64_t> total, documents;
        for (const auto& count : counter.sorted()) {
          tokens.append(python_string(count.token));
          total.push_back(count.total);
          documents.push_back(count.documents);
        }
        return py::make_tuple(tokens, to_array(total), to_array(documents));
      });
  module.def(
      "string_buckets",
      [](const py::list& strings, uint64_t count) { return buckets(strings, count, &fingerprint); },
      py::arg("strings"), py::arg("count"));
  module.def(
      "keyed_string_buckets",
      [](const py::list& strings, uint64_t count, uint64_t key0, uint64_t key1) {
        return buckets(strings, count,
                       [&](std::string_view each) { return keyed_hash(each, key0, key1); });
      },
      py::arg("strings"), py::arg("count"), py::arg("key0"), py::arg("key1"));
  module.def(
      "train_word2vec",
      [](const std::vector<int32_t>& words, const std::vector<int64_t>& sentences,
         const std::vector<int64_t>& counts, Tensor vectors, Tensor contexts, bool cbow,
         int64_t window, int64_t negative, int64_t epochs, double sample, double learning_rate,
         double last_learning_rate, uint64_t seed) {
        const Word2VecOptions options = {cbow,   window,        negative,           epochs,
                                         sample, learning_rate, last_learning_rate, seed};
        py::gil_scoped_release released;
        train_word2vec(words, sentences, counts, options, vectors.size(1), vectors.data_as<float>(),
                       contexts.data_as<float>());
      },
      py::arg("words"), py::arg("sentences"), py::arg("counts"), py::arg("vectors"),
      py::arg("contexts"), py::arg("cbow"), py::arg("window"), py::arg("negative"),
      py::arg("epochs"), py::arg("sample"), py::arg("learning_rate"), py::arg("last_learning_rate"),
      py::arg("seed"));
  module.def(
      "crossed_buckets",
      [](const py::list& columns, uint64_t count) {
        // Each column is a list of strings or of integers, which stand for themselves.
        std::vector<uint64_t> hashes;
        for (py::handle column : columns) {
          const auto list = py::cast<py::list>(column);
          hashes.resize(list.size(), 956888297470);  // the start that TensorFlow has
          for (size_t i = 0; i < list.size(); ++i) {
            const uint64_t value = py::isinstance<py::str>(list[i])
                                       ? fingerprint(py::cast<std::string>(list[i]))
                                       : static_cast<uint64_t>(py::cast<int64_t>(list[i]));
            hashes[i] = join_fingerprints(hashes[i], value);
          }
        }
        std::vector<int64_t> found;
        for (uint64_t hash : hashes) found.push_back(static_cast<int64_t>(hash % count));
        return to_array(found);
      },
      py::arg("columns"), py::arg("count"));
}

}  // namespace pydl
