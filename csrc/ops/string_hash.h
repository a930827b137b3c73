// Hashes of strings that stay the same for ever, so that models can be saved with what they learnt
// about buckets.
#pragma once

#include <cstdint>
#include <string_view>

namespace pydl {

// FarmHash's 64-bit fingerprint (Pike and Alakuijala, 2014), by which TensorFlow picks buckets.
uint64_t fingerprint(std::string_view text);

// Of a sequence of fingerprints, one after the other.
uint64_t join_fingerprints(uint64_t first, uint64_t second);

// SipHash-2-4 (Aumasson and Bernstein, 2012): buckets that nobody can aim at without the key.
uint64_t keyed_hash(std::string_view text, uint64_t key0, uint64_t key1);

}  // namespace pydl
