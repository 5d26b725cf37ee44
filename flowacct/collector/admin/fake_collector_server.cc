// A collector that is none behind a real administration: its counters go up by the clock, for whoever tries a client.
//
//     fake_collector_server [ADDRESS]        prints where it listens, and ends with its standard input or on a signal

#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/admin/admin_server.h"
#include "flowacct/collector/admin/fake_collector.h"

namespace flowacct::collector {
namespace {

class LivelyCollector : public FakeCollector {
 public:
  CollectorStatus Status() override { return SampleStatusAfter(absl::Now() - start_); }

  std::vector<record::ExporterReport> Exporters(bool templates) override {
    const uint64_t seconds = Seconds();
    std::vector<record::ExporterReport> exporters = FakeCollector::Exporters(templates);
    for (size_t i = 0; i < exporters.size(); ++i) {
      exporters[i].datagrams += seconds * 1000 / (i + 1);
      exporters[i].octets += seconds * 1400000 / (i + 1);
      exporters[i].flow_records += seconds * 24000 / (i + 1);
    }
    exporters[1].sequence.lost += 77 * seconds;
    return exporters;
  }

  // What it was asked.
  absl::StatusOr<std::string> Ask(const WrittenQuestion& question) override {
    if (question.question == "dst_ass") return absl::InvalidArgumentError("question, column 1: no such field");
    return absl::StrCat("asked ", question.question, question.saved.empty() ? "" : "saved ", question.saved, " of ",
                        question.store.empty() ? "any" : question.store, " as ", question.format, "\n");
  }

  absl::StatusOr<std::string> Query(const MemoryQuestion& question) override {
    if (question.pipeline != "as") {
      return absl::NotFoundError(absl::StrCat("no pipeline with a memory sink is called \"", question.pipeline, "\""));
    }
    const size_t groups = 200, told = question.top > 0 && question.top < groups ? question.top : groups;
    std::string json = R"({"columns":["src_as","dst_as","packets","bytes"],"rows":[)";
    for (size_t i = 0; i < told; ++i) {
      const uint64_t packets = (1 + Seconds()) * 100000 / (i + 1);
      absl::StrAppend(&json, i == 0 ? "" : ",", "[", 64496 + i, ",", 64511 - i % 7, ",", packets, ",", 800 * packets,
                      "]");
    }
    return absl::StrCat(json, "],\"groups\":", groups, ",\"incomplete\":true}\n");
  }

 private:
  uint64_t Seconds() const { return static_cast<uint64_t>(absl::ToInt64Seconds(absl::Now() - start_)); }

  const absl::Time start_ = absl::Now();
};

int Main(int argc, char** argv) {
  LivelyCollector collector;
  AdminApi api(&collector, {});
  AdminServerOptions options;
  options.listen = {argc > 1 ? argv[1] : "127.0.0.1:0"};
  const absl::StatusOr<std::unique_ptr<AdminServer>> server = AdminServer::Start(&api, options);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", std::string(server.status().message()).c_str());
    return 1;
  }
  std::printf("%s\n", (*server)->addresses()[0].c_str());
  std::fflush(stdout);
  char octet;
  while (read(0, &octet, 1) > 0) {
  }
  return 0;
}

}  // namespace
}  // namespace flowacct::collector

int main(int argc, char** argv) { return flowacct::collector::Main(argc, argv); }
