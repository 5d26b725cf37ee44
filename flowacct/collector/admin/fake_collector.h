// A collector that answers from values which a test sets, and remembers what it was asked.

#ifndef FLOWACCT_COLLECTOR_ADMIN_FAKE_COLLECTOR_H_
#define FLOWACCT_COLLECTOR_ADMIN_FAKE_COLLECTOR_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

// Two inputs, two pipelines, a replica; every counter has a value of its own, and the identity holds.
CollectorStatus SampleStatus();
// The same some time later, at steady rates: 100,000 records a second and more.
CollectorStatus SampleStatusAfter(absl::Duration elapsed);
// Three exporters: NetFlow v9 with templates, IPFIX with loss, sFlow with samples.
std::vector<record::ExporterReport> SampleExporters();
// Exporters 10.0.0.0, 10.0.0.1, ... with 100, 101, ... datagrams.
std::vector<record::ExporterReport> ManyExporters(size_t count);

class FakeCollector : public CollectorControl {
 public:
  FakeCollector() : status_(SampleStatus()), exporters_(SampleExporters()) {}

  CollectorStatus Status() override {
    base::MutexLock lock(&mutex_);
    return status_;
  }
  std::vector<record::ExporterReport> Exporters(bool templates) override;
  absl::StatusOr<std::string> Query(const MemoryQuestion& question) override {
    base::MutexLock lock(&mutex_);
    questions_.push_back(question);
    return answer_;
  }
  absl::StatusOr<std::string> Ask(const WrittenQuestion& question) override {
    base::MutexLock lock(&mutex_);
    written_questions_.push_back(question);
    return answer_;
  }
  std::vector<SavedQuestion> Questions() override { return {{"peering", "top 20 dst_as by bytes from -24h"}}; }
  absl::StatusOr<std::string> ListRoutes(const RouteListQuestion& question) override {
    if (question.prefix == "bad") return absl::InvalidArgumentError("prefix: \"bad\" is no prefix");
    return std::string(R"({"columns":["prefix","peer"],"rows":[["198.51.100.0/24","192.0.2.1"]],"groups":7})");
  }
  absl::StatusOr<std::string> DumpRoutes(const std::string& peer) override { return "MRT of " + peer; }
  absl::StatusOr<std::string> Routes(const RoutesQuestion& question) override {
    base::MutexLock lock(&mutex_);
    routes_questions_.push_back(question);
    return answer_;
  }
  absl::StatusOr<std::string> Sessions(const SessionsQuestion& question) override {
    base::MutexLock lock(&mutex_);
    sessions_questions_.push_back(question);
    return answer_;
  }
  absl::StatusOr<std::string> Igp(const IgpQuestion& question) override {
    base::MutexLock lock(&mutex_);
    igp_questions_.push_back(question);
    return answer_;
  }
  absl::StatusOr<std::string> Rpki(const RpkiQuestion& question) override {
    base::MutexLock lock(&mutex_);
    rpki_questions_.push_back(question);
    return answer_;
  }
  absl::StatusOr<std::string> History(const HistoryQuestion& question) override {
    base::MutexLock lock(&mutex_);
    history_questions_.push_back(question);
    return answer_;
  }
  absl::Status Reload() override {
    base::MutexLock lock(&mutex_);
    ++reloads_;
    return reload_;
  }

  void Set(const std::function<void(CollectorStatus*)>& change) {
    base::MutexLock lock(&mutex_);
    change(&status_);
  }
  void SetExporters(std::vector<record::ExporterReport> exporters) {
    base::MutexLock lock(&mutex_);
    exporters_ = std::move(exporters);
  }
  void SetAnswer(absl::StatusOr<std::string> answer) {
    base::MutexLock lock(&mutex_);
    answer_ = std::move(answer);
  }
  void SetReload(absl::Status status) {
    base::MutexLock lock(&mutex_);
    reload_ = std::move(status);
  }
  std::vector<MemoryQuestion> questions() {
    base::MutexLock lock(&mutex_);
    return questions_;
  }
  std::vector<WrittenQuestion> written_questions() {
    base::MutexLock lock(&mutex_);
    return written_questions_;
  }
  std::vector<RoutesQuestion> routes_questions() {
    base::MutexLock lock(&mutex_);
    return routes_questions_;
  }
  std::vector<SessionsQuestion> sessions_questions() {
    base::MutexLock lock(&mutex_);
    return sessions_questions_;
  }
  std::vector<IgpQuestion> igp_questions() {
    base::MutexLock lock(&mutex_);
    return igp_questions_;
  }
  std::vector<RpkiQuestion> rpki_questions() {
    base::MutexLock lock(&mutex_);
    return rpki_questions_;
  }
  std::vector<HistoryQuestion> history_questions() {
    base::MutexLock lock(&mutex_);
    return history_questions_;
  }
  int reloads() {
    base::MutexLock lock(&mutex_);
    return reloads_;
  }

  // Three groups of two keys and two counters.
  static const char kAnswer[];

 private:
  base::Mutex mutex_;
  CollectorStatus status_ ABSL_GUARDED_BY(mutex_);
  std::vector<record::ExporterReport> exporters_ ABSL_GUARDED_BY(mutex_);
  absl::StatusOr<std::string> answer_ ABSL_GUARDED_BY(mutex_) = std::string(kAnswer);
  absl::Status reload_ ABSL_GUARDED_BY(mutex_);
  std::vector<MemoryQuestion> questions_ ABSL_GUARDED_BY(mutex_);
  std::vector<WrittenQuestion> written_questions_ ABSL_GUARDED_BY(mutex_);
  std::vector<RoutesQuestion> routes_questions_ ABSL_GUARDED_BY(mutex_);
  std::vector<SessionsQuestion> sessions_questions_ ABSL_GUARDED_BY(mutex_);
  std::vector<IgpQuestion> igp_questions_ ABSL_GUARDED_BY(mutex_);
  std::vector<RpkiQuestion> rpki_questions_ ABSL_GUARDED_BY(mutex_);
  std::vector<HistoryQuestion> history_questions_ ABSL_GUARDED_BY(mutex_);
  int reloads_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_FAKE_COLLECTOR_H_
