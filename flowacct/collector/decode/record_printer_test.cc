#include "flowacct/collector/decode/record_printer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flowacct::collector {
namespace {

using record::ElementType;
using F = record::FieldId;

std::string Json(ElementType type, std::vector<uint8_t> octets) {
  std::string out;
  AppendElementJson({"x", type, octets}, &out);
  return out;
}

TEST(AppendElementJson, EachTypeReadsAsItShould) {
  EXPECT_EQ(Json(ElementType::kUnsigned, {0, 0, 1, 0}), "256");
  EXPECT_EQ(Json(ElementType::kUnsigned, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "18446744073709551615");
  EXPECT_EQ(Json(ElementType::kSigned, {0xff}), "-1");
  EXPECT_EQ(Json(ElementType::kSigned, {0xff, 0xfe}), "-2");
  EXPECT_EQ(Json(ElementType::kFloat, {0x3f, 0xc0, 0, 0}), "1.5");
  EXPECT_EQ(Json(ElementType::kFloat, {0x7f, 0xc0, 0, 0}), "null") << "JSON has no NaN";
  EXPECT_EQ(Json(ElementType::kBoolean, {1}), "true");
  EXPECT_EQ(Json(ElementType::kBoolean, {2}), "false");
  EXPECT_EQ(Json(ElementType::kBoolean, {7}), "\"07\"");
  EXPECT_EQ(Json(ElementType::kMac, {2, 0, 0, 0, 0, 1}), "\"02:00:00:00:00:01\"");
  EXPECT_EQ(Json(ElementType::kString, {'a', '"', 0, 0}), "\"a\\\"\"");
  EXPECT_EQ(Json(ElementType::kIpv4, {192, 0, 2, 1}), "\"192.0.2.1\"");
  EXPECT_EQ(Json(ElementType::kSeconds, {0, 0, 0, 1}), "\"1970-01-01T00:00:01Z\"");
  EXPECT_EQ(Json(ElementType::kMilliseconds, {0x03, 0xe9}), "\"1970-01-01T00:00:01.001Z\"");
  EXPECT_EQ(Json(ElementType::kMicroseconds, {0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0}), "\"1970-01-01T00:00:00.5Z\"");
  EXPECT_EQ(Json(ElementType::kOctets, {0xab, 0x01}), "\"ab01\"");
}

TEST(AppendElementJson, ALengthThatATypeCannotHaveIsShownAsOctets) {
  EXPECT_EQ(Json(ElementType::kUnsigned, {}), "\"\"");
  EXPECT_EQ(Json(ElementType::kUnsigned, {1, 2, 3, 4, 5, 6, 7, 8, 9}), "\"010203040506070809\"");
  EXPECT_EQ(Json(ElementType::kIpv4, {1, 2, 3}), "\"010203\"");
  EXPECT_EQ(Json(ElementType::kMicroseconds, {1}), "\"01\"");
}

TEST(AppendElementJson, ATimeBeyondSixtyFourBitsOfNanosecondsIsANumber) {
  EXPECT_EQ(Json(ElementType::kSeconds, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "18446744073709551615");
  EXPECT_EQ(Json(ElementType::kSeconds, {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "9223372036854775807");
}

class RecordPrinterTest : public ::testing::Test {
 protected:
  record::Layout layout_{{F::kBytes, F::kSrcAs}};
  record::Layout counter_layout_{{F::kCounter, F::kValue}};
  base::Interner interner_;
  record::FlowBatch flows_{&layout_, &interner_};
  record::FlowBatch counters_{&counter_layout_, &interner_};
  RecordPrinter printer_{&flows_, &counters_};
  std::string out_;
};

TEST_F(RecordPrinterTest, ARecordIsALineWithItsFieldsAndItsElements) {
  const std::vector<uint8_t> seven = {7};
  printer_.Begin("datagram", 12);
  printer_.OnRecord(record::RecordKind::kFlow, 260);
  printer_.OnElement({"octetDeltaCount", ElementType::kUnsigned, seven});
  printer_.OnElement({"octetDeltaCount", ElementType::kUnsigned, seven});
  printer_.OnListBegin("aList");
  printer_.OnElement({"octetDeltaCount", ElementType::kUnsigned, seven});
  printer_.OnListEnd();
  flows_.Append().Set<F::kBytes>(700);
  printer_.OnRecordEnd(1);
  printer_.End(base::DecodeResult::Ok(), "netflow9", &out_);
  EXPECT_EQ(out_,
            "{\"datagram\":12,\"kind\":\"flow\",\"export\":\"netflow9\",\"template\":260,\"bytes\":700,"
            "\"elements\":{\"octetDeltaCount\":7,\"octetDeltaCount#2\":7,\"aList\":{\"octetDeltaCount\":7}}}\n");
  EXPECT_TRUE(flows_.empty());
}

TEST_F(RecordPrinterTest, ABiflowIsTwoLinesAndOptionsHaveNoFields) {
  printer_.Begin("datagram", 1);
  printer_.OnRecord(record::RecordKind::kFlow, 256);
  flows_.Append().Set<F::kBytes>(1);
  flows_.Append().Set<F::kBytes>(2);
  printer_.OnRecordEnd(2);
  printer_.OnRecord(record::RecordKind::kOption, 257);
  printer_.OnRecordEnd(0);
  printer_.OnRecord(record::RecordKind::kCounter, 0);
  counters_.Append().Set<F::kValue>(3);
  printer_.OnRecordEnd(1);
  printer_.OnRecord(record::RecordKind::kFlow, 256);
  flows_.Append().Set<F::kBytes>(4);
  printer_.OnRecordEnd(1);
  printer_.End(base::DecodeResult::Ok(), "ipfix", &out_);
  EXPECT_EQ(out_,
            "{\"datagram\":1,\"kind\":\"flow\",\"export\":\"ipfix\",\"template\":256,\"bytes\":1,\"elements\":{}}\n"
            "{\"datagram\":1,\"kind\":\"flow\",\"export\":\"ipfix\",\"template\":256,\"bytes\":2}\n"
            "{\"datagram\":1,\"kind\":\"option\",\"export\":\"ipfix\",\"template\":257,\"elements\":{}}\n"
            "{\"datagram\":1,\"kind\":\"counter\",\"export\":\"ipfix\",\"value\":3,\"elements\":{}}\n"
            "{\"datagram\":1,\"kind\":\"flow\",\"export\":\"ipfix\",\"template\":256,\"bytes\":4,\"elements\":{}}\n");
}

TEST_F(RecordPrinterTest, AnErrorIsALineWithPlaceAndReason) {
  printer_.Begin("datagram", 3);
  printer_.End(base::DecodeResult::Error(base::DecodeCode::kTruncated, 24), "netflow5", &out_);
  EXPECT_EQ(out_,
            "{\"datagram\":3,\"kind\":\"error\",\"export\":\"netflow5\",\"reason\":\"truncated\",\"offset\":24,"
            "\"help\":\"ends before what its lengths promise\"}\n");
}

}  // namespace
}  // namespace flowacct::collector
