// A stream in pieces of any size: the same messages come out as of the whole, and no octet is unaccounted for.
//
// The first octet of the input says how it is cut.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/stream/message_cutter.h"

namespace flowacct::collector {
namespace {

struct Outcome {
  std::vector<size_t> messages;  // their lengths
  size_t octets = 0;
  size_t begun = 0;
  base::DecodeCode code = base::DecodeCode::kOk;
};

Outcome CutInPieces(base::Octets stream, size_t piece, bool grow) {
  Outcome outcome;
  MessageCutter cutter;
  std::vector<uint8_t> buffer;
  size_t given = 0;
  while (given < stream.size() && outcome.code == base::DecodeCode::kOk) {
    const size_t n = std::min(piece, stream.size() - given);
    buffer.assign(cutter.begun().begin(), cutter.begun().end());
    buffer.insert(buffer.end(), stream.begin() + static_cast<ptrdiff_t>(given),
                  stream.begin() + static_cast<ptrdiff_t>(given + n));
    std::vector<base::Octets> messages;
    outcome.code = cutter.Cut(buffer, &messages);
    for (const base::Octets message : messages) {
      // What comes out is what went in.
      if (!std::equal(message.begin(), message.end(), stream.begin() + static_cast<ptrdiff_t>(outcome.octets))) abort();
      outcome.octets += message.size();
      outcome.messages.push_back(message.size());
    }
    given += n;
    if (given != outcome.octets + cutter.begun().size() + cutter.lost()) abort();
    if (cutter.begun().size() >= 65535) abort();
    if (grow) piece += 3;
  }
  outcome.begun = cutter.begun().size();
  cutter.End();
  if (given != outcome.octets + cutter.lost() || !cutter.begun().empty()) abort();
  return outcome;
}

}  // namespace
}  // namespace flowacct::collector

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using flowacct::collector::CutInPieces;
  if (size == 0) return 0;
  const flowacct::base::Octets stream(data + 1, size - 1);
  const auto whole = CutInPieces(stream, size, false);
  for (const bool grow : {false, true}) {
    const auto pieces = CutInPieces(stream, 1 + data[0] % 64, grow);
    if (pieces.messages != whole.messages || pieces.code != whole.code || pieces.octets != whole.octets) std::abort();
    if (whole.code == flowacct::base::DecodeCode::kOk && pieces.begun != whole.begun) std::abort();
  }
  return 0;
}
