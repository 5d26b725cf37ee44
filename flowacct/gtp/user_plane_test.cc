#include "flowacct/gtp/user_plane.h"

#include <map>
#include <string>

#include "flowacct/gtp/testing/gtp1_builder.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

using base::DecodeCode;
using testing::Build;
using testing::Bytes;
using testing::Hex;
using testing::Join;
using testing::Tlv;
using testing::Tv;
using testing::V0Header;
using testing::V1Header;

const Bytes kPacket = Hex("45 00 00 14 00 00 00 00 40 11 00 00 0a 00 00 01 0a 00 00 02");

struct Read {
  explicit Read(Bytes octets) : kept(std::move(octets)) {
    EXPECT_TRUE(MessageView::Parse(kept, &message).ok());
    result = ReadUserPlane(message, &view);
  }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;
  Bytes inner() const { return Bytes(view.inner.begin(), view.inner.end()); }

  Bytes kept;
  MessageView message;
  UserPlaneView view;
  base::DecodeResult result;
};

TEST(ExtensionHeaders, AreGivenOneByOne) {
  V1Header header(255, 1);
  std::map<int, std::string> names;
#define X(number, id, text)                                   \
  header.Extend(number, Bytes(4 * (number % 5) + 2, number)); \
  names[number] = text;
  FLOWACCT_GTP_EXTENSION_HEADERS(X)
#undef X
  header.Extend(0x7f, {1, 2});
  const Bytes octets = Build(header, kPacket);
  MessageView view;
  ASSERT_TRUE(MessageView::Parse(octets, &view).ok());
  ExtensionReader reader(view);
  size_t i = 0;
  for (ExtensionHeader extension; reader.Next(&extension); ++i) {
    ASSERT_LT(i, header.extensions.size());
    EXPECT_EQ(extension.type, header.extensions[i].type);
    EXPECT_EQ(Bytes(extension.content.begin(), extension.content.end()), header.extensions[i].content);
    EXPECT_EQ(ExtensionTypeName(extension.type), names[extension.type]);
  }
  EXPECT_EQ(i, header.extensions.size());
}

TEST(ExtensionHeaders, OfSessions) {
  const struct {
    const char* octets;
    int type, qfi;
    bool reflective;
    int policy;  // -1: none
    bool monitoring;
  } kCases[] = {
      {"00 09", 0, 9, false, -1, false},
      {"00 49", 0, 9, true, -1, false},
      {"00 89 a0 000000", 0, 9, false, 5, false},
      {"08 3f 0000000000000000", 0, 63, false, -1, true},
      {"10 01", 1, 1, false, -1, false},
      {"10 c1", 1, 1, false, -1, false},  // of uplink these bits mean other things
      {"20 c1", 2, 0, false, -1, false},  // of a type that nobody knows
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.octets);
    const std::optional<PduSessionContainer> container = ReadPduSessionContainer(Hex(c.octets));
    ASSERT_TRUE(container);
    EXPECT_EQ(container->pdu_type, c.type);
    EXPECT_EQ(container->qfi, c.qfi);
    EXPECT_EQ(container->reflective_qos, c.reflective);
    EXPECT_EQ(container->paging_policy ? *container->paging_policy : -1, c.policy);
    EXPECT_EQ(container->qos_monitoring, c.monitoring);
  }
  EXPECT_FALSE(ReadPduSessionContainer(Hex("00")));
  EXPECT_FALSE(ReadPduSessionContainer(Hex("00 89")));
}

TEST(ExtensionHeaders, OfNumbers) {
  EXPECT_EQ(ReadLongPdcpNumber(Hex("ff ff fe 00 00 00")), 0x3fffeu);
  EXPECT_EQ(ReadPdcpNumber(Hex("12 34")), 0x1234);
  EXPECT_EQ(ReadUdpPort(Hex("08 68")), 2152);
  EXPECT_EQ(ReadServiceClass(Hex("07 00")), 7);
  EXPECT_FALSE(ReadLongPdcpNumber(Hex("01 02")));
  EXPECT_FALSE(ReadPdcpNumber(Hex("01")));
  EXPECT_FALSE(ReadServiceClass({}));
}

// The inner packet begins where the header says, even if what is before it looks like one.
TEST(UserPlane, GivesTheInnerPacket) {
  const Bytes kLooksLikeIpv4 = {0x45, 0x00};
  const struct {
    Bytes octets;
    uint32_t teid;
    int qfi;  // -1: none
  } kCases[] = {
      {Build(V1Header(255, 7), kPacket), 7, -1},
      {Build(V1Header(255, 7).Sequence(0x4500), kPacket), 7, -1},
      {Build(V1Header(255, 7).NpduNumber(0x45), kPacket), 7, -1},
      {Build(V1Header(255, 7).Extend(0x85, {0x10, 0x09}), kPacket), 7, 9},
      {Build(V1Header(255, 7).Sequence(0x4500).Extend(0x40, kLooksLikeIpv4).Extend(0x85, {0x00, 0x41}), kPacket), 7, 1},
      {Build(V1Header(255, 7).Extend(0xc0, kLooksLikeIpv4), kPacket), 7, -1},
      {Build(V0Header(255).FlowLabel(0x4500), kPacket), 0x4500, -1},
  };
  for (const auto& c : kCases) {
    const Read read(c.octets);
    EXPECT_TRUE(read.result.ok());
    EXPECT_EQ(read.view.kind, UserPlaneKind::kPacket);
    EXPECT_EQ(read.view.teid, c.teid);
    EXPECT_EQ(read.view.session ? read.view.session->qfi : -1, c.qfi);
    EXPECT_EQ(read.inner(), kPacket);
  }
  EXPECT_TRUE(Read(Build(V1Header(255, 7), {})).inner().empty());
  EXPECT_EQ(Read(Build(V1Header(255, 7).Extend(0x85, {0x00, 0x89}), kPacket)).view.bad_elements, 1);
}

TEST(UserPlane, ReadsWhatSignals) {
  const Read error(Build(V1Header(26).Sequence(0), Join({Tv(16, {0, 0, 1, 2}), Tlv(133, {10, 0, 0, 9})})));
  EXPECT_EQ(error.view.kind, UserPlaneKind::kErrorIndication);
  EXPECT_EQ(error.view.unknown_teid, 0x102u);
  EXPECT_EQ(error.view.peer, base::IpAddress::V4(0x0a000009));
  const Read error_v0(Build(V0Header(26).FlowLabel(0x102), {}));
  EXPECT_EQ(error_v0.view.kind, UserPlaneKind::kErrorIndication);
  EXPECT_EQ(error_v0.view.unknown_teid, 0x102u);
  const Read end(Build(V1Header(254, 9), {}));
  EXPECT_EQ(end.view.kind, UserPlaneKind::kEndMarker);
  EXPECT_EQ(end.view.teid, 9u);
  const Read echo(Build(V1Header(2).Sequence(1), Tv(14, {3})));
  EXPECT_EQ(echo.view.kind, UserPlaneKind::kEcho);
  EXPECT_EQ(echo.view.recovery, 3);
  const Read supported(Build(V1Header(31), {141, 2, 0x85, 0x40}));
  EXPECT_EQ(supported.view.kind, UserPlaneKind::kSupportedExtensions);
  EXPECT_EQ(Bytes(supported.view.extension_types.begin(), supported.view.extension_types.end()), (Bytes{0x85, 0x40}));
  EXPECT_EQ(Read(Build(V1Header(253, 9), {})).view.kind, UserPlaneKind::kTunnelStatus);
}

TEST(UserPlane, TellsWhatItCannotRead) {
  EXPECT_EQ(Read(Build(V1Header(16), {})).result.code, DecodeCode::kUnsupported);
  EXPECT_EQ(Read(Build(V1Header(200), {})).result.code, DecodeCode::kUnsupported);
  EXPECT_EQ(Read(Build(V0Header(254), {})).result.code, DecodeCode::kUnsupported);
  EXPECT_EQ(Read(Hex("40 01 0004 00000000")).result.code, DecodeCode::kBadVersion);
  const Read cut(Build(V1Header(26), Join({Tv(16, {0, 0, 1, 2}), {133, 0, 4, 10}})));
  EXPECT_EQ(cut.result.code, DecodeCode::kTruncated);
  EXPECT_EQ(cut.result.offset, 13u);
  EXPECT_EQ(cut.view.unknown_teid, 0x102u);
  EXPECT_EQ(Read(Build(V1Header(26), Tlv(133, {1, 2, 3}))).view.bad_elements, 1);
}

}  // namespace
}  // namespace flowacct::gtp
