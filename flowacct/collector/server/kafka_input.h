// Topics of Kafka as a worker's source, made of the configuration.
//
// What was read is safe when a checkpoint holds its bins and how far that was (state_keeper.h); that is committed to
// the group then. Partitions that the group wants back are given once a checkpoint holds all that was read of them, or
// after a minute without one. Errors: of the configuration, InvalidArgument with its place; later ones are in the
// status, and told to the log when they begin and end. Threads: one at a time; librdkafka has its own.

#ifndef FLOWACCT_COLLECTOR_SERVER_KAFKA_INPUT_H_
#define FLOWACCT_COLLECTOR_SERVER_KAFKA_INPUT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/kafka/kafka_position.h"
#include "flowacct/collector/kafka/kafka_source.h"
#include "flowacct/collector/server/source.h"

namespace flowacct::collector {

// Without asking a broker.
absl::Status CheckKafkaInput(const config::ConfigFile& file, const config::KafkaInput& kafka);

class KafkaInput final : public Source {
 public:
  // `position` is as of Source::position, of the collector before; empty: there was none.
  static absl::StatusOr<std::unique_ptr<KafkaInput>> New(const config::ConfigFile& file, const config::Input& input,
                                                         const std::string& position,
                                                         std::function<void(absl::string_view)> log);

  int fd() const override { return source_->descriptor(); }
  Reading Read() override;
  void Tick() override;
  std::string position() const override;
  bool wants_checkpoint() const override { return !may_give_ && source_->gives(); }
  void NoteKept(const std::string& position, bool is_end) override;
  void AddTo(InputStatus* status) const override;

 private:
  KafkaInput() = default;
  // Of all that was read, also by the collector before.
  KafkaPosition Position() const;

  std::string name_;
  std::function<void(absl::string_view)> log_;
  KafkaPosition from_;
  std::unique_ptr<KafkaSource> source_;
  std::vector<base::Octets> messages_;  // of the last reading
  bool may_give_ = false;
  absl::Time give_at_ = absl::InfiniteFuture();
  bool told_trouble_ = false;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_KAFKA_INPUT_H_
