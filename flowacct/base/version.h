// Which release this is: what programs tell of themselves, and what they write into files and metrics.

#ifndef FLOWACCT_BASE_VERSION_H_
#define FLOWACCT_BASE_VERSION_H_

namespace flowacct::base {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace flowacct::base

#endif  // FLOWACCT_BASE_VERSION_H_
