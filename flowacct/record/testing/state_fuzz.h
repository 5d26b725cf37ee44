// Any octets as the body of a decoder's state, with datagrams behind it.
//
//     octets of the body 2 | body | octets of a datagram 2 | datagram | ...
//
// True of a state that is accepted: the decoder saves one that is accepted too and saved again the same, and both
// decoders go on alike. One that is refused leaves a decoder that knows nothing.

#ifndef FLOWACCT_RECORD_TESTING_STATE_FUZZ_H_
#define FLOWACCT_RECORD_TESTING_STATE_FUZZ_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/base/sealed_octets.h"
#include "flowacct/record/datagram.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/testing/decoding_truths.h"

namespace flowacct::record::testing {

template <typename Decoder, typename... Options>
void FuzzState(absl::string_view kind, const uint8_t* data, size_t size, const Options&... options) {
  base::Octets rest(data, size);
  // A copy of its own, so that a sanitizer sees a read past the end.
  const auto take = [&rest] {
    std::vector<uint8_t> octets;
    if (rest.size() > 2) {
      const base::Octets told = rest.subspan(2, std::min<size_t>(base::LoadBe16(rest.data()), rest.size() - 2));
      octets.assign(told.begin(), told.end());
    }
    rest.remove_prefix(std::min(rest.size(), 2 + octets.size()));
    return octets;
  };
  Decoder first(&AllFields(), options...), second(&AllFields(), options...);
  const std::string nothing = first.SaveState();
  static_cast<void>(first.RestoreState(rest));  // not sealed
  Require(first.SaveState() == nothing);
  const std::string sealed = base::Seal(kind, 1, take());
  const auto restored = first.RestoreState(base::AsOctets(sealed));
  const std::string state = first.SaveState();
  if (!restored.ok()) Require(state == nothing);
  const auto again = second.RestoreState(base::AsOctets(state));
  Require(again.ok() && again->left_out == 0);
  if (restored.ok()) Require(again->exporters == restored->exporters && again->templates == restored->templates);
  Require(second.SaveState() == state);
  base::Interner interner;
  while (!rest.empty()) {
    const std::vector<uint8_t> octets = take();
    Datagram datagram;
    datagram.octets = octets;
    datagram.source = base::IpAddress::V4(0xc0000201);
    datagram.arrival_nanos = int64_t{1700000000} * 1000000000;
    FlowBatch a(&AllFields(), &interner), b(&AllFields(), &interner);
    const base::DecodeResult one = first.Decode(datagram, {&a, nullptr, nullptr});
    const base::DecodeResult other = second.Decode(datagram, {&b, nullptr, nullptr});
    Require(one.code == other.code && one.offset == other.offset);
    RequireSameRows(a, b);
  }
}

}  // namespace flowacct::record::testing

#endif  // FLOWACCT_RECORD_TESTING_STATE_FUZZ_H_
