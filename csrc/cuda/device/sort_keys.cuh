// Unsigned integers that are in the order of the values they stand for, NaN last.
#pragma once

#include "cuda/kernel.h"

namespace pydl::cuda {
namespace {

constexpr PydlDType kKeys = -1;  // beside dtypes, what sorted arrays hold: keys already

inline int bits_of(PydlDType dtype) {
  switch (dtype) {
    case PYDL_FLOAT64:
    case PYDL_INT64:
      return 64;
    case PYDL_FLOAT32:
    case PYDL_INT32:
      return 32;
    case PYDL_FLOAT16:
    case PYDL_BFLOAT16:
      return 16;
    default:
      return 8;
  }
}

// From values to keys and back. Dtypes of 8 bytes have keys of 64 bits, the others of 32.
struct KeyCodec {
  PydlDType dtype;
  bool equal_zeros;  // -0 and 0 get one key, for where equal values must stay in order
  bool falling;      // the largest value gets the smallest key

  template <class K>
  __device__ K load(const void* x, int64_t i) const {
    K key;
    if constexpr (sizeof(K) == 8) {
      const K bits = static_cast<const K*>(x)[i];
      if (dtype == kKeys) return bits;
      key = dtype == PYDL_INT64 ? bits ^ sign_bit<64, K>() : float_key<64, K>(bits, kInfinity64);
    } else {
      key = load_narrow(x, i);
    }
    return falling ? ~key : key;
  }

  // Of a key that load made.
  template <class K>
  __device__ void store(void* x, int64_t i, K key) const {
    if constexpr (sizeof(K) == 8) {
      if (dtype == PYDL_INT64) key ^= sign_bit<64, K>();
      if (dtype == PYDL_FLOAT64) key = float_bits<64, K>(key);
      static_cast<K*>(x)[i] = key;
    } else {
      store_narrow(x, i, key);
    }
  }

 private:
  static constexpr uint64_t kInfinity64 = 0x7ff0000000000000;

  template <int bits, class K>
  __device__ static K sign_bit() {
    return K{1} << (bits - 1);
  }
  // The bits of negative numbers fall where their values rise, so all of them are flipped.
  template <int bits, class K>
  __device__ K float_key(K x, K infinity) const {
    constexpr K kSign = K{1} << (bits - 1);
    constexpr K kAll = kSign | (kSign - 1);
    if ((x & ~kSign) > infinity) return kAll;
    if (equal_zeros && x == kSign) return kSign;
    return x & kSign ? x ^ kAll : x | kSign;
  }
  template <int bits, class K>
  __device__ static K float_bits(K key) {
    constexpr K kSign = K{1} << (bits - 1);
    constexpr K kAll = kSign | (kSign - 1);
    return key & kSign ? key ^ kSign : key ^ kAll;
  }

  __device__ uint32_t load_narrow(const void* x, int64_t i) const {
    switch (dtype) {
      case PYDL_FLOAT32:
        return float_key<32, uint32_t>(static_cast<const uint32_t*>(x)[i], 0x7f800000u);
      case PYDL_FLOAT16:
        return float_key<16, uint32_t>(static_cast<const uint16_t*>(x)[i], 0x7c00u);
      case PYDL_BFLOAT16:
        return float_key<16, uint32_t>(static_cast<const uint16_t*>(x)[i], 0x7f80u);
      case PYDL_INT32:
        return static_cast<const uint32_t*>(x)[i] ^ 0x80000000u;
      case PYDL_INT8:
        return static_cast<const uint8_t*>(x)[i] ^ 0x80u;
      case kKeys:
        return static_cast<const uint32_t*>(x)[i];
      default:
        return static_cast<const uint8_t*>(x)[i];
    }
  }
  __device__ void store_narrow(void* x, int64_t i, uint32_t key) const {
    switch (dtype) {
      case PYDL_FLOAT32:
        static_cast<uint32_t*>(x)[i] = float_bits<32, uint32_t>(key);
        return;
      case PYDL_FLOAT16:
      case PYDL_BFLOAT16:
        static_cast<uint16_t*>(x)[i] = static_cast<uint16_t>(float_bits<16, uint32_t>(key));
        return;
      case PYDL_INT32:
        static_cast<uint32_t*>(x)[i] = key ^ 0x80000000u;
        return;
      case PYDL_INT8:
        static_cast<uint8_t*>(x)[i] = static_cast<uint8_t>(key ^ 0x80u);
        return;
      case kKeys:
        static_cast<uint32_t*>(x)[i] = key;
        return;
      default:
        static_cast<uint8_t*>(x)[i] = static_cast<uint8_t>(key);
    }
  }
};

// What a sort reads or writes.
struct SortedArray {
  KeyCodec codec;
  void* keys;          // on the way out, NULL where nobody wants them
  int32_t* positions;  // on the way in, NULL for the columns; on the way out, if wanted
};

}  // namespace
}  // namespace pydl::cuda
