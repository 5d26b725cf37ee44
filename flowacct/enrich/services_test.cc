#include "flowacct/enrich/services.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "flowacct/record/field_set.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using record::FieldSet;

TEST(Services, NamesPorts) {
  const auto services = Services::Parse(
      "# Network services\n"
      "\n"
      "https\t\t443/tcp\t\t\t\t# http protocol over TLS/SSL\n"
      "https\t\t443/udp\r\n"
      "domain 53/udp dns\n"
      "other 443/tcp\n",
      "services");
  ASSERT_TRUE(services.ok()) << services.status();
  EXPECT_EQ((*services)->size(), 3u);
  const record::Layout layout({F::kProtocol, F::kSrcPort, F::kDstPort, F::kSrcService, F::kDstService});
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  const auto add = [&](int protocol, uint16_t from, uint16_t to) {
    auto row = batch.Append();
    if (protocol >= 0) row.Set<F::kProtocol>(static_cast<uint8_t>(protocol));
    row.Set<F::kSrcPort>(from);
    row.Set<F::kDstPort>(to);
  };
  add(6, 443, 50000);
  add(17, 53, 443);
  add(6, 53, 443);
  add(-1, 443, 443);
  ServicesEnricher enricher(*services);
  EXPECT_EQ(enricher.RequiredFields(FieldSet({F::kDstService})), (std::vector<F>{F::kProtocol, F::kDstPort}));
  EXPECT_TRUE(enricher.RequiredFields(FieldSet({F::kDstPort})).empty());
  enricher.Bind(layout, FieldSet(layout.fields()));
  enricher.Apply(batch);
  std::string names;
  for (size_t i = 0; i < batch.size(); ++i) {
    for (F field : {F::kSrcService, F::kDstService}) {
      const auto row = batch.row(i);
      names += row.Has(field)
                   ? std::string(base::AsText(interner.Find(static_cast<base::InternId>(row.GetNumber(field))))) + " "
                   : "- ";
    }
  }
  EXPECT_EQ(names, "https - domain https - https - - ");
}

TEST(Services, ErrorsNameTheLine) {
  const auto error = [](absl::string_view text) { return std::string(Services::Parse(text, "s").status().message()); };
  EXPECT_EQ(error("a 1/tcp\nhttps"), "s:2: a line is NAME PORT/PROTOCOL, such as: https 443/tcp");
  EXPECT_EQ(error("https 443"), "s:1: no protocol is called \"\"");
  EXPECT_EQ(error("https 65536/tcp"), "s:1: \"65536/tcp\" has no port from 0 to 65535, as 443/tcp has");
  EXPECT_EQ(error("https 1/tcpp"), "s:1: no protocol is called \"tcpp\"");
}

}  // namespace
}  // namespace flowacct::enrich
