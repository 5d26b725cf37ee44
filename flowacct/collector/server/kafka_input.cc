#include "flowacct/collector/server/kafka_input.h"

#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/sink/queue/secret.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;

// How long partitions that the group wants back wait for a checkpoint: well within Kafka's five minutes.
constexpr absl::Duration kGivePatience = absl::Minutes(1);
constexpr absl::Duration kCommitPatience = absl::Seconds(3);

KafkaSourceOptions OptionsOf(const config::KafkaInput& kafka) {
  KafkaSourceOptions options;
  options.connection.brokers = kafka.brokers();
  options.connection.user = kafka.user();
  options.connection.tls = kafka.tls();
  options.connection.ca_file = kafka.ca_file();
  options.connection.certificate_file = kafka.certificate_file();
  options.connection.key_file = kafka.key_file();
  options.connection.timeout = ConfigFile::DurationOf(kafka.timeout());
  options.connection.sasl_mechanism = kafka.sasl_mechanism();
  if (!kafka.password_file().empty()) {
    options.connection.password = {kafka.password_file(), ""};
  } else if (!kafka.sasl_mechanism().empty()) {
    options.connection.password = {"", "KAFKA_PASSWORD"};
  }
  for (const config::KafkaProperty& property : kafka.property()) {
    options.connection.properties.emplace_back(property.name(), property.value());
  }
  options.topics.assign(kafka.topic().begin(), kafka.topic().end());
  options.group = kafka.group();
  options.member = kafka.member();
  options.session_timeout = ConfigFile::DurationOf(kafka.session_timeout());
  options.payload = kafka.payload() == config::KafkaInput::RECORDS ? KafkaSourceOptions::Payload::kRecords
                                                                   : KafkaSourceOptions::Payload::kDatagrams;
  options.from_oldest = kafka.from_oldest();
  options.max_fetched_octets = ConfigFile::OctetsOf(kafka.max_fetched());
  return options;
}

}  // namespace

absl::Status CheckKafkaInput(const ConfigFile& file, const config::KafkaInput& kafka) {
  const absl::Status status = KafkaSource::Check(OptionsOf(kafka));
  return status.ok() ? status : file.ErrorAt(kafka, "", status.message());
}

absl::StatusOr<std::unique_ptr<KafkaInput>> KafkaInput::New(const ConfigFile& file, const config::Input& input,
                                                            const std::string& position,
                                                            std::function<void(absl::string_view)> log) {
  std::unique_ptr<KafkaInput> made(new KafkaInput());
  made->name_ = input.name();
  made->log_ = std::move(log);
  // What the keeper had is checked by its seal.
  made->from_ = KafkaPosition::Parse(position).value_or(KafkaPosition());
  KafkaSourceOptions options = OptionsOf(input.kafka());
  options.from = made->from_;
  options.on_revoke = [made = made.get()](KafkaSource* source, const KafkaPosition& going) {
    for (const auto& [partition, next] : going.next) made->from_.next[partition] = next;
    // A failure is counted: then the checkpoint is all that knows, and the other member reads again.
    (void)source->CommitAndWait(going, kCommitPatience);
  };
  auto source = KafkaSource::New(std::move(options));
  if (!source.ok()) return file.ErrorAt(input.kafka(), "", source.status().message());
  made->source_ = *std::move(source);
  return made;
}

Reading KafkaInput::Read() {
  Reading reading;
  if (source_->gives() && !may_give_) {
    if (give_at_ == absl::InfiniteFuture()) give_at_ = absl::Now() + kGivePatience;
    if (absl::Now() < give_at_) {
      // The poller need not come back for what waits: it looks in by itself.
      uint64_t ignored = 0;
      if (read(source_->descriptor(), &ignored, sizeof(ignored)) < 0) ignored = 0;
      return reading;
    }
  }
  const KafkaReading read = source_->Poll();
  may_give_ = false;
  give_at_ = absl::InfiniteFuture();
  reading.datagrams = read.datagrams;
  messages_.clear();
  for (const KafkaRecords& records : read.records) messages_.push_back(records.octets);
  reading.messages = messages_;
  return reading;
}

void KafkaInput::Tick() {
  const bool trouble = !source_->trouble().empty();
  if (trouble == told_trouble_) return;
  told_trouble_ = trouble;
  if (!log_) return;
  log_(absl::StrCat("input ", name_, ": ", trouble ? source_->trouble() : "kafka: it is read again"));
}

KafkaPosition KafkaInput::Position() const {
  KafkaPosition position = from_;
  for (const auto& [partition, next] : source_->position().next) position.next[partition] = next;
  return position;
}

std::string KafkaInput::position() const { return Position().ToText(); }

void KafkaInput::NoteKept(const std::string& position, bool is_end) {
  std::optional<KafkaPosition> kept = KafkaPosition::Parse(position);
  if (!kept.has_value()) return;
  // Nothing is read while partitions wait to be given.
  may_give_ = source_->gives() && *kept == Position();
  from_ = *std::move(kept);
  if (is_end) {
    KafkaPosition ours;
    for (const auto& [partition, next] : source_->position().next) {
      if (const auto found = from_.next.find(partition); found != from_.next.end()) ours.next.insert(*found);
    }
    (void)source_->CommitAndWait(ours, kCommitPatience);
  } else {
    source_->Commit(from_);
  }
}

void KafkaInput::AddTo(InputStatus* status) const {
  const KafkaSourceCounters& counters = source_->counters();
  status->received += counters.messages;
  status->received_octets += counters.octets;
  status->aside += counters.repeated + counters.without_exporter + counters.too_large + counters.empty;
  status->kafka_repeated += counters.repeated;
  status->kafka_without_exporter += counters.without_exporter;
  status->kafka_unfit += counters.too_large + counters.empty;
  status->kafka_errors += counters.errors;
  status->kafka_commits += counters.commits;
  status->kafka_commits_failed += counters.failed_commits;
  status->kafka_partitions_taken += counters.partitions_taken;
  status->kafka_partitions_given += counters.partitions_given;
  status->kafka_partitions_lost += counters.partitions_lost;
  if (source_->trouble().empty()) return;
  status->up = false;
  status->trouble = source_->trouble();
}

}  // namespace flowacct::collector
