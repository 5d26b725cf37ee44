// One octet that says how the rest is split, then what a cache says: the client ends where it ends whatever the split,
// its set holds only what may be, and the table agrees with a scan of it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "flowacct/rpki/client.h"
#include "flowacct/rpki/vrp_table.h"

namespace flowacct::rpki {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

RovState Scan(const VrpSet& vrps, const base::IpPrefix& prefix, uint32_t as) {
  bool covered = false;
  for (const Vrp& vrp : vrps) {
    if (vrp.prefix.length() > prefix.length() || !vrp.prefix.Contains(prefix.address())) continue;
    covered = true;
    if (prefix.length() <= vrp.max_length && as == vrp.as && as != 0) return RovState::kValid;
  }
  return covered ? RovState::kInvalid : RovState::kNotFound;
}

void Check(const Client& client) {
  Require(client.vrps().size() <= 16);
  std::vector<Vrp> vrps;
  for (const Vrp& vrp : client.vrps()) {
    Require(IsValid(vrp));
    vrps.push_back(vrp);
  }
  const VrpTable table(vrps);
  for (const Vrp& vrp : vrps) {
    for (const uint8_t length : {vrp.prefix.length(), vrp.max_length}) {
      const base::IpPrefix prefix(vrp.prefix.address(), length);
      for (const uint32_t as : {vrp.as, vrp.as + 1})
        Require(table.Validate(prefix, as) == Scan(client.vrps(), prefix, as));
    }
  }
}

}  // namespace
}  // namespace flowacct::rpki

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct::rpki;
  if (size == 0) return 0;
  const flowacct::base::Octets stream(data + 1, size - 1);
  const size_t step = size_t{1} + data[0];
  ClientOptions options;
  options.max_vrps = 16;
  options.max_pdu_octets = 256;
  ClientListener silent;
  Client whole(options, &silent), split(options, &silent);
  whole.Connected(absl::UnixEpoch());
  split.Connected(absl::UnixEpoch());
  (void)whole.Receive(stream, absl::UnixEpoch());
  for (size_t at = 0; at < stream.size(); at += step) {
    if (!split.Receive(stream.subspan(at, std::min(step, stream.size() - at)), absl::UnixEpoch())) break;
  }
  Require(whole.state() == split.state() && whole.vrps() == split.vrps() && whole.output() == split.output());
  Check(whole);
  whole.Tick(absl::UnixEpoch() + absl::Hours(48));
  Require(whole.vrps().empty());
  return 0;
}
