// Eight distances at once: sums and comparisons, of each a bit; what all_alternates.h judges candidates with.
//
// Sums stay below 2^31: the caller's. Pointers need no alignment. SSE2 where there is any, else plain loops.

#ifndef FLOWACCT_TOPOLOGY_EIGHT_CELLS_H_
#define FLOWACCT_TOPOLOGY_EIGHT_CELLS_H_

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace flowacct::topology {

// x[i] < to; x[i] + add[i] == to; x[i] + add == to[i]; x[i] < add[i] + to.
#if defined(__SSE2__)
inline uint32_t MaskOf(__m128i low, __m128i high) {
  return static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(low))) |
         static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(high))) << 4;
}
inline __m128i Load(const int32_t* x) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x)); }
inline uint32_t LessThan(const int32_t* x, int32_t to) {
  const __m128i t = _mm_set1_epi32(to);
  return MaskOf(_mm_cmplt_epi32(Load(x), t), _mm_cmplt_epi32(Load(x + 4), t));
}
inline uint32_t SumsThatAre(const int32_t* x, const int32_t* add, int32_t to) {
  const __m128i t = _mm_set1_epi32(to);
  return MaskOf(_mm_cmpeq_epi32(_mm_add_epi32(Load(x), Load(add)), t),
                _mm_cmpeq_epi32(_mm_add_epi32(Load(x + 4), Load(add + 4)), t));
}
inline uint32_t SumsThatAre(const int32_t* x, int32_t add, const int32_t* to) {
  const __m128i a = _mm_set1_epi32(add);
  return MaskOf(_mm_cmpeq_epi32(_mm_add_epi32(Load(x), a), Load(to)),
                _mm_cmpeq_epi32(_mm_add_epi32(Load(x + 4), a), Load(to + 4)));
}
inline uint32_t LessThanSums(const int32_t* x, const int32_t* add, int32_t to) {
  const __m128i t = _mm_set1_epi32(to);
  return MaskOf(_mm_cmplt_epi32(Load(x), _mm_add_epi32(Load(add), t)),
                _mm_cmplt_epi32(Load(x + 4), _mm_add_epi32(Load(add + 4), t)));
}
// As whole vectors: what four stores of one cell left is not read as one for a dozen cycles.
inline void Collect(const int32_t* from, const int32_t* places, int32_t* to) {
  for (int i = 0; i < 8; i += 4) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_setr_epi32(from[places[i]], from[places[i + 1]], from[places[i + 2]], from[places[i + 3]]));
  }
}
#else
inline uint32_t LessThan(const int32_t* x, int32_t to) {
  uint32_t mask = 0;
  for (unsigned i = 0; i < 8; ++i) mask |= uint32_t{x[i] < to} << i;
  return mask;
}
inline uint32_t SumsThatAre(const int32_t* x, const int32_t* add, int32_t to) {
  uint32_t mask = 0;
  for (unsigned i = 0; i < 8; ++i) mask |= uint32_t{x[i] + add[i] == to} << i;
  return mask;
}
inline uint32_t SumsThatAre(const int32_t* x, int32_t add, const int32_t* to) {
  uint32_t mask = 0;
  for (unsigned i = 0; i < 8; ++i) mask |= uint32_t{x[i] + add == to[i]} << i;
  return mask;
}
inline uint32_t LessThanSums(const int32_t* x, const int32_t* add, int32_t to) {
  uint32_t mask = 0;
  for (unsigned i = 0; i < 8; ++i) mask |= uint32_t{x[i] < add[i] + to} << i;
  return mask;
}
inline void Collect(const int32_t* from, const int32_t* places, int32_t* to) {
  for (int i = 0; i < 8; ++i) to[i] = from[places[i]];
}
#endif

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_EIGHT_CELLS_H_
