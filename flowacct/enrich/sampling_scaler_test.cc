#include "flowacct/enrich/sampling_scaler.h"

#include <gtest/gtest.h>

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

class SamplingScalerTest : public ::testing::Test {
 protected:
  void Add(uint64_t packets, uint64_t rate) {
    record::MutableRow row = batch_.Append();
    row.Set<F::kPackets>(packets);
    row.Set<F::kFlows>(1);
    if (rate != 0) {
      row.Set<F::kSamplingRate>(rate);
      row.Set<F::kSamplingSource>(static_cast<uint8_t>(record::SamplingSource::kOptions));
    }
  }
  void Bind(SamplingScaler& scaler) { scaler.Bind(layout_, record::FieldSet(layout_.fields())); }
  uint64_t Packets(size_t i) { return batch_.row(i).Get<F::kPackets>(); }

  record::Layout layout_{{F::kPackets, F::kFlows, F::kSamplingRate, F::kSamplingSource}};
  base::Interner interner_;
  record::FlowBatch batch_{&layout_, &interner_};
};

TEST_F(SamplingScalerTest, MultipliesByTheRecordsOwnRate) {
  Add(3, 1000);
  Add(3, 1);
  Add(3, 0);
  SamplingScaler scaler({});
  Bind(scaler);
  scaler.Apply(batch_);
  EXPECT_EQ(Packets(0), 3000u);
  EXPECT_EQ(Packets(1), 3u);
  EXPECT_EQ(Packets(2), 3u);
  EXPECT_EQ(batch_.row(0).Get<F::kFlows>(), 1u) << "flows are not estimated";
  EXPECT_FALSE(batch_.row(2).Has(F::kSamplingRate));
  EXPECT_EQ(scaler.records_scaled(), 1u);
}

TEST_F(SamplingScalerTest, TheConfiguredRateFillsGapsAndIsNamed) {
  Add(3, 0);
  Add(3, 10);
  SamplingScaler scaler({/*default_rate=*/100, /*override_rate=*/false});
  Bind(scaler);
  scaler.Apply(batch_);
  EXPECT_EQ(Packets(0), 300u);
  EXPECT_EQ(Packets(1), 30u);
  EXPECT_EQ(batch_.row(0).Get<F::kSamplingSource>(), static_cast<uint8_t>(record::SamplingSource::kConfigured));
  EXPECT_EQ(batch_.row(1).Get<F::kSamplingSource>(), static_cast<uint8_t>(record::SamplingSource::kOptions));
}

TEST_F(SamplingScalerTest, TheConfiguredRateMayOverride) {
  Add(3, 10);
  SamplingScaler scaler({/*default_rate=*/100, /*override_rate=*/true});
  Bind(scaler);
  scaler.Apply(batch_);
  EXPECT_EQ(Packets(0), 300u);
}

TEST_F(SamplingScalerTest, AProductThatDoesNotFitIsHeldAndCounted) {
  Add(~uint64_t{0} / 2, 3);
  SamplingScaler scaler({});
  Bind(scaler);
  scaler.Apply(batch_);
  EXPECT_EQ(Packets(0), ~uint64_t{0});
  EXPECT_EQ(scaler.overflows(), 1u);
}

TEST(SamplingScaler, AsksForTheRateOnlyIfACounterIsWanted) {
  SamplingScaler scaler({});
  EXPECT_TRUE(scaler.RequiredFields(record::FieldSet({F::kFlows, F::kSrcAddr})).empty());
  EXPECT_EQ(scaler.RequiredFields(record::FieldSet({F::kBytes})), (std::vector<F>{F::kSamplingRate}));
}

}  // namespace
}  // namespace flowacct::enrich
