#include <gtest/gtest.h>

#include <random>
#include <set>

#include "flowacct/record/field.h"
#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/projection.h"

namespace flowacct::record {
namespace {

using F = FieldId;

TEST(Field, NamesAreUniqueAndFound) {
  std::set<absl::string_view> names;
  for (size_t i = 0; i < kFieldCount; ++i) {
    const FieldInfo& info = Info(static_cast<F>(i));
    EXPECT_EQ(static_cast<size_t>(info.id), i);
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(FindField(info.name), info.id) << info.name;
    EXPECT_TRUE(info.pmacct_primitive.empty() || FindField(info.pmacct_primitive).has_value());
    EXPECT_FALSE(info.help.empty());
  }
}

TEST(Field, AliasesOfPmacctAndIpfixAreAccepted) {
  EXPECT_EQ(FindField("src_host"), F::kSrcAddr);
  EXPECT_EQ(FindField("ip_src"), F::kSrcAddr);
  EXPECT_EQ(FindField("SRC_IP"), F::kSrcAddr);
  EXPECT_EQ(FindField("sourceIPv4Address"), F::kSrcAddr);
  EXPECT_EQ(FindField("proto"), F::kProtocol);
}

TEST(Field, AnUnknownNameIsToldWithTheNearest) {
  const auto status = FieldFromName("src_adr").status();
  EXPECT_EQ(status.message(), "no field is called \"src_adr\"; did you mean src_addr or src_as?");
}

TEST(Row, AbsentIsNotZero) {
  const Layout layout({F::kSrcAs, F::kDstPort});
  base::Interner interner;
  FlowBatch batch(&layout, &interner);
  MutableRow row = batch.Append();
  EXPECT_FALSE(row.Has(F::kSrcAs));
  row.Set<F::kSrcAs>(0);
  EXPECT_TRUE(row.Has(F::kSrcAs));
  EXPECT_FALSE(row.Has(F::kDstPort));
  row.Set<F::kBytes>(7);  // not in the layout: nothing happens
  EXPECT_FALSE(row.Has(F::kBytes));
  EXPECT_EQ(row.Get<F::kBytes>(), 0u);
  EXPECT_FALSE(row.SetNumber(F::kDstPort, 65536)) << "does not fit";
  EXPECT_TRUE(row.SetNumber(F::kDstPort, 65535));
  EXPECT_EQ(row.GetNumber(F::kDstPort), 65535u);
  row.Unset(F::kDstPort);
  EXPECT_FALSE(row.Has(F::kDstPort));
}

TEST(Row, EveryTypeRoundTrips) {
  const Layout layout = Layout::All();
  base::Interner interner;
  FlowBatch batch(&layout, &interner);
  MutableRow row = batch.Append();
  const auto address = *base::IpAddress::Parse("2001:db8::1");
  const auto prefix = *base::IpPrefix::Parse("192.0.2.0/24");
  const auto mac = *base::MacAddress::Parse("02:00:00:00:00:01");
  row.Set<F::kSrcAddr>(address);
  row.Set<F::kSrcNet>(prefix);
  row.Set<F::kSrcMac>(mac);
  row.Set<F::kStartTime>(-1);
  row.Set<F::kVrfName>(interner.Intern("blue"));
  EXPECT_EQ(row.Get<F::kSrcAddr>(), address);
  EXPECT_EQ(row.Get<F::kSrcNet>(), prefix);
  EXPECT_EQ(row.Get<F::kSrcMac>(), mac);
  EXPECT_EQ(row.Get<F::kStartTime>(), -1);
  EXPECT_EQ(base::AsText(interner.Find(row.Get<F::kVrfName>())), "blue");
}

// The slow twin: field by field.
TEST(Projection, EqualsAFieldByFieldCopyOnRandomLayouts) {
  std::mt19937 random(1);
  base::Interner interner;
  for (int round = 0; round < 300; ++round) {
    std::vector<F> all;
    for (size_t i = 0; i < kFieldCount; ++i) all.push_back(static_cast<F>(i));
    if (round % 3 != 0) std::shuffle(all.begin(), all.end(), random);
    const Layout from(absl::MakeSpan(all).subspan(random() % 40, 1 + random() % 90));
    if (round % 2 != 0) std::shuffle(all.begin(), all.end(), random);
    const Layout to(absl::MakeSpan(all).subspan(random() % 40, 1 + random() % 90));
    FlowBatch source(&from, &interner);
    for (int i = 0; i < 5; ++i) {
      source.Append();
      uint8_t* octets = source.data() + static_cast<size_t>(i) * source.stride();
      for (F field : from.fields()) {
        if (random() % 4 == 0) continue;
        for (size_t k = 0; k < FieldTypeSize(Info(field).type); ++k)
          octets[from.offset(field) + k] = static_cast<uint8_t>(random());
        octets[from.index(field) / 8] |= static_cast<uint8_t>(1 << from.index(field) % 8);
      }
    }
    std::vector<uint8_t> target(5 * to.row_size(), 0xee);
    Projection(from, to).Apply(source.data(), source.stride(), 5, target.data(), to.row_size());
    for (size_t i = 0; i < 5; ++i) {
      const uint8_t* got = target.data() + i * to.row_size();
      std::vector<uint8_t> want(to.row_size());
      for (F field : to.fields()) {
        if (!source.row(i).Has(field)) continue;
        std::memcpy(want.data() + to.offset(field), source.row(i).octets() + from.offset(field),
                    FieldTypeSize(Info(field).type));
        want[to.index(field) / 8] |= static_cast<uint8_t>(1 << to.index(field) % 8);
      }
      ASSERT_EQ(std::vector<uint8_t>(got, got + to.row_size()), want) << "round " << round;
    }
  }
}

TEST(FlowBatch, KeepsSomeRows) {
  const Layout layout({F::kSrcPort});
  base::Interner interner;
  FlowBatch batch(&layout, &interner);
  for (uint16_t i = 0; i < 5; ++i) batch.Append().Set<F::kSrcPort>(i);
  batch.Keep({0, 2, 3});
  ASSERT_EQ(batch.size(), 3u);
  EXPECT_EQ(batch.row(0).Get<F::kSrcPort>(), 0);
  EXPECT_EQ(batch.row(1).Get<F::kSrcPort>(), 2);
  EXPECT_EQ(batch.row(2).Get<F::kSrcPort>(), 3);
  batch.Keep({});
  EXPECT_TRUE(batch.empty());
}

TEST(FieldSet, HasWhatWasAdded) {
  FieldSet set({F::kSrcAs, F::kPackets});
  EXPECT_TRUE(set.Has(F::kSrcAs) && set.HasAny({F::kBytes, F::kPackets}));
  EXPECT_FALSE(set.Has(F::kBytes) || set.HasAny({F::kBytes, F::kDstAs}) || FieldSet().Has(F::kSrcAs));
  set.Add(F::kBytes);
  EXPECT_TRUE(set.Has(F::kBytes));
}

}  // namespace
}  // namespace flowacct::record
