// Whatever a kept state holds: it is refused, or it is restored and what comes of it can be closed and kept again.
// The input is the bodies of pieces, each behind its length (2 octets); they are sealed here.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "flowacct/aggregate/aggregate_test_rows.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace base = flowacct::base;
  base::OctetReader bodies(base::Octets(data, size));
  base::OctetWriter state;
  while (bodies.remaining() > 2) {
    const size_t length = bodies.U16();
    const std::string piece = base::Seal("open time bins", 1, bodies.Bytes(std::min(length, bodies.remaining())));
    state.U32(static_cast<uint32_t>(piece.size())).Text(piece);
  }
  flowacct::aggregate::AggregatorOptions options = flowacct::aggregate::OfEveryKind();
  options.max_groups = 1000;
  flowacct::aggregate::Bench bench(options);
  static_cast<void>(bench.aggregator->RestoreState(base::Octets(data, size)));  // not sealed
  if (!bench.aggregator->RestoreState(state.octets()).ok()) {
    if (bench.aggregator->open_groups() != 0) std::abort();
    return 0;
  }
  if (bench.aggregator->open_groups() > options.max_groups) std::abort();
  std::string again;
  const absl::Status saved = bench.aggregator->SaveState([&again](base::Octets piece) {
    again += std::string(base::AsText(piece));
    return absl::OkStatus();
  });
  flowacct::aggregate::Bench other(options);
  if (!saved.ok() || !other.aggregator->RestoreState(base::AsOctets(again)).ok()) std::abort();
  if (other.aggregator->open_groups() != bench.aggregator->open_groups()) std::abort();
  bench.aggregator->Close();
  return 0;
}
