// Writes seeds for checkpoint_fuzz: states of aggregators, as bodies of their pieces.
//
//     bazel run //flowacct/aggregate:write_checkpoint_corpus -- $PWD/flowacct/aggregate/corpus_checkpoint

#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/aggregate/aggregate_test_rows.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/sealed_octets.h"

namespace flowacct::aggregate {
namespace {

int Main(const std::string& folder) {
  // Few records, as the test cuts at every octet; many of one group, so that sketches are dense.
  for (const int records : {0, 1, 12, 3000}) {
    Bench bench(OfEveryKind());
    if (records < 1000) {
      AddOfEveryKind(&bench, static_cast<uint32_t>(records), records);
    } else {
      for (int i = 0; i < records; ++i) {
        auto row = bench.Row();
        row.Set<record::FieldId::kDstPort>(static_cast<uint16_t>(i));
        row.Set<record::FieldId::kBytes>(UINT64_MAX);
        row.Set<record::FieldId::kStartTime>(Seconds(1));
      }
      bench.Flush();
    }
    base::OctetWriter bodies;
    const absl::Status status = bench.aggregator->SaveState([&bodies](base::Octets piece) {
      const auto sealed = base::Unseal("open time bins", 1, piece.subspan(4));
      if (!sealed.ok()) return sealed.status();
      bodies.U16(static_cast<uint16_t>(sealed->body.size())).Bytes(sealed->body);
      return absl::OkStatus();
    });
    if (!status.ok()) {
      std::cerr << status << "\n";
      return 1;
    }
    std::ofstream file(absl::StrCat(folder, "/records-", records), std::ios::binary);
    file << base::AsText(bodies.octets());
    if (!file.good()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace flowacct::aggregate

int main(int argc, char** argv) { return argc == 2 ? flowacct::aggregate::Main(argv[1]) : 2; }
