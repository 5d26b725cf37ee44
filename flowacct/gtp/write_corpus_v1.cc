// Writes the seeds of the fuzz test's corpus:
//     bazel build //flowacct/gtp:write_corpus_v1 && bazel-bin/flowacct/gtp/write_corpus_v1 flowacct/gtp/corpus_v1

#include <fstream>

#include "absl/strings/str_cat.h"
#include "flowacct/gtp/testing/gtp1_builder.h"

int main(int argc, char** argv) {
  using namespace flowacct::gtp::testing;
  if (argc != 2) return 2;
  const Bytes imsi = Tv(2, Hex("62021100000000f1")), cause = Tv(1, {128}), nsapi = Tv(20, {5});
  const Bytes teids = Join({Tv(16, Hex("00000011")), Tv(17, Hex("00000022"))});
  const Bytes addresses = Join({Tlv(133, {10, 0, 0, 1}), Tlv(133, Hex("20010db8000000000000000000000001"))});
  const Bytes qos = Tlv(135, Hex("021b921f719640fe74fb00ff1064"));
  const Bytes places = Join({Tv(3, Hex("62f220010203")), Tlv(151, {1}), Tlv(152, Hex("0162f22001020304")),
                             Tlv(153, {0x40, 0}), Tlv(154, Hex("53612000917884f0")), Tlv(182, {1})});
  const Bytes user = Join({Tlv(128, Hex("f18d0a000063")), Tlv(131, Hex("08696e7465726e6574")),
                           Tlv(134, Hex("91947100f1")), Tlv(198, Hex("00000064000000c8"))});
  const Bytes context =
      Tlv(130, Hex("c503 04020b921f 04010b921f 04030b921f 0001 0002 03 04 0000000a 0000000b 0c f1 21 04 0a000001"
                   "04c0a80001 1020010db8000000000000000000000001 08 07696e7465726e65 01 07 57"
                   "10 20010db8000000010000000000000005"));
  const Bytes messages[] = {
      Build(V1Header(1).Sequence(1), {}),
      Build(V1Header(2).Sequence(1), Tv(14, {9})),
      Build(V1Header(16).Sequence(1), Join({imsi, teids, nsapi, addresses, qos, places, user})),
      Build(V1Header(17, 1).Sequence(1), Join({cause, teids, Tv(127, {0, 0, 0, 1}), user, addresses, addresses})),
      Build(V1Header(18, 1).Sequence(2), Join({teids, nsapi, addresses, qos, places})),
      Build(V1Header(19, 1).Sequence(2), Join({cause, qos})),
      Build(V1Header(20, 1).Sequence(3), Join({Tv(19, {0xff}), nsapi})),
      Build(V1Header(26).Sequence(0), Join({Tv(16, Hex("00000011")), addresses})),
      Build(V1Header(31).Sequence(0), {141, 2, 0x85, 0xc0}),
      Build(V1Header(51, 1).Sequence(4), Join({cause, imsi, teids, context, addresses})),
      Build(V1Header(54, 1).Sequence(4),
            Join({cause, teids, Tv(18, Hex("0500000011")), addresses, Tlv(140, Hex("06000000130a000004"))})),
      Build(V1Header(254, 7), {}),
      Build(V1Header(255, 7).Sequence(0x4500).Extend(0x85, Hex("0089a0000000")).Extend(0xc0, {1, 2}), Hex("45000014")),
      Build(V0Header(16).FlowLabel(3).Tid(0x6202110000000051),
            Join({Tv(6, Hex("0b921f")), Tv(16, {0, 17}), Tv(17, {0, 34}), user, addresses})),
      Build(V0Header(255).FlowLabel(3).Tid(0x6202110000000051).NpduNumber(1), Hex("45000014")),
      Build(PrimeHeader{0, false, 240, 1}, Join({Tv(126, {1}), Tlv(252, {1, 2, 3})})),
      Build(PrimeHeader{2, true, 241, 1}, Join({cause, Tlv(253, {0, 1})})),
      Build(V1Header(16), Tv(100, {1})),
      Build(V1Header(255, 7).Extend(0x85, {0x10, 9}).Length(6), {}),
  };
  bool ok = true;
  size_t n = 0;
  for (const Bytes& message : messages) {
    std::ofstream out(absl::StrCat(argv[1], "/message_", n++), std::ios::binary);
    out.write(reinterpret_cast<const char*>(message.data()), static_cast<std::streamsize>(message.size()));
    ok = ok && out.good();
  }
  return ok ? 0 : 1;
}
