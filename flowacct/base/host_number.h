// Unsigned numbers in the machine's order of octets whose size is known only when they are read: a field's value in a
// row.
//
// Rows are little-endian, as the machines are that this is built for. Any thread. Cost: a jump and a load for 1, 2, 4
// and 8 octets.

#ifndef FLOWACCT_BASE_HOST_NUMBER_H_
#define FLOWACCT_BASE_HOST_NUMBER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "flowacct/base/octets.h"

namespace flowacct::base {

// `size`: up to 8.
inline uint64_t LoadHostNumber(const uint8_t* p, size_t size) {
  switch (size) {
    case 1:
      return *p;
    case 2:
      return LoadHost<uint16_t>(p);
    case 4:
      return LoadHost<uint32_t>(p);
    case 8:
      return LoadHost<uint64_t>(p);
    default: {
      uint64_t number = 0;
      std::memcpy(&number, p, size);
      return number;
    }
  }
}

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_HOST_NUMBER_H_
