#include "flowacct/sink/queue/batch_messages.h"

#include <charconv>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "flowacct/sink/queue/batch_part.h"

namespace flowacct::sink::queue {
namespace {

using message::RecordEncoder;
using message::RecordFormat;
using message::RowText;

// Besides its octets a record in Kafka has its own length, an offset, a time and the lengths of key and headers; AMQP's
// properties are of that size too.
constexpr size_t kMessageOverhead = 128;

absl::StatusOr<RowText> ParseText(absl::string_view name, absl::string_view what, absl::string_view text,
                                  const aggregate::Schema& schema) {
  absl::StatusOr<RowText> parsed = RowText::Parse(text, schema);
  if (parsed.ok()) return parsed;
  // Not of this batch: it is kept until the configuration is right.
  return absl::FailedPreconditionError(absl::StrCat(name, ": ", what, " \"", text, "\": ", parsed.status().message()));
}

void AppendVarint(uint64_t number, std::string* out) {
  for (; number >= 0x80; number >>= 7) out->push_back(static_cast<char>(number | 0x80));
  out->push_back(static_cast<char>(number));
}

enum class Framing { kNone, kLength, kLine };

Framing FramingOf(const MessageOptions& options) {
  const bool several = options.records_per_message > 1;
  switch (options.format) {
    case RecordFormat::kProtobuf:
      return several || options.length_delimited ? Framing::kLength : Framing::kNone;
    case RecordFormat::kAvro:
      return several ? Framing::kLength : Framing::kNone;
    case RecordFormat::kJson:
    case RecordFormat::kCsv:
      return several ? Framing::kLine : Framing::kNone;
  }
  return Framing::kNone;
}

// Numbers the messages of a batch, and writes what they say of themselves.
class PartTexts {
 public:
  explicit PartTexts(const aggregate::AggregateBatch& batch) : rows_(batch.size()) {
    if (batch.identity().number != 0) text_ = BatchText(batch.identity());
    prefix_ = text_.size();
  }
  // At most, what Next will give.
  size_t longest() const { return prefix_ == 0 ? 0 : prefix_ + 63; }
  absl::string_view Next(uint64_t rows) {
    if (prefix_ == 0) return "";
    char numbers[64];
    char* end = numbers;
    for (const uint64_t number : {next_++, rows, rows_}) {
      *end++ = ' ';
      end = std::to_chars(end, numbers + sizeof(numbers), number).ptr;
    }
    text_.resize(prefix_);
    text_.append(numbers, static_cast<size_t>(end - numbers));
    return text_;
  }

 private:
  const uint64_t rows_;
  std::string text_;
  size_t prefix_ = 0;
  uint64_t next_ = 0;
};

struct OpenMessage {
  std::string address, key, octets;
  uint64_t rows = 0;
};

}  // namespace

absl::Status CheckMessageOptions(absl::string_view name, const MessageOptions& options,
                                 const aggregate::Schema* schema) {
  if (options.records_per_message == 0 || options.records_per_message > 1000000) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": records_per_message = ", options.records_per_message, ": between 1 and 1000000"));
  }
  if (options.max_message_octets < 1000 || options.max_message_octets > 1000000000) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": max_message_size = ", options.max_message_octets,
                                                   ": between 1000 and 1000000000 octets"));
  }
  if (schema == nullptr) return absl::OkStatus();
  if (absl::Status status = ParseText(name, options.address_name, options.address, *schema).status(); !status.ok()) {
    return absl::InvalidArgumentError(status.message());
  }
  if (absl::Status status = ParseText(name, "key", options.key, *schema).status(); !status.ok()) {
    return absl::InvalidArgumentError(status.message());
  }
  return absl::OkStatus();
}

absl::Status ForEachMessage(absl::string_view name, const MessageOptions& options,
                            const aggregate::AggregateBatch& batch,
                            absl::FunctionRef<absl::Status(const Message&)> tell) {
  if (batch.size() == 0) return absl::OkStatus();
  // Made for each batch, whose schema may be its own and gone after it.
  const std::unique_ptr<RecordEncoder> encoder = message::NewRecordEncoder(options.format, &batch.schema());
  absl::StatusOr<RowText> address_text = ParseText(name, options.address_name, options.address, batch.schema());
  if (!address_text.ok()) return address_text.status();
  absl::StatusOr<RowText> key_text = ParseText(name, "key", options.key, batch.schema());
  if (!key_text.ok()) return key_text.status();

  const Framing framing = FramingOf(options);
  PartTexts parts(batch);
  std::string address, key, record, framed;
  address_text->Append(batch, 0, &address);
  key_text->Append(batch, 0, &key);
  const bool constant = address_text->is_constant() && key_text->is_constant();
  const size_t overhead = kMessageOverhead + kBatchHeader.size() + parts.longest();

  const auto send = [&](absl::string_view to, absl::string_view with, absl::string_view octets, uint64_t rows) {
    return tell(Message{to, with, octets, encoder->content_type(), parts.Next(rows), rows});
  };
  // By address and key, in the order in which they were opened, so that the same batch gives the same parts.
  std::vector<OpenMessage> open(constant ? 1 : 0);
  if (constant) open[0] = {address, key, "", 0};
  absl::flat_hash_map<std::string, size_t> places;
  std::string place_key;
  size_t open_octets = 0;
  const auto send_open = [&](OpenMessage* message) {
    if (message->rows == 0) return absl::OkStatus();
    absl::Status status = send(message->address, message->key, message->octets, message->rows);
    message->octets.clear();
    message->rows = 0;
    return status;
  };
  const auto send_all = [&] {
    for (OpenMessage& message : open) {
      if (absl::Status status = send_open(&message); !status.ok()) return status;
    }
    open_octets = 0;
    if (!constant) {
      open.clear();
      places.clear();
    }
    return absl::OkStatus();
  };

  for (size_t row = 0; row < batch.size(); ++row) {
    if (!constant) {
      address.clear();
      key.clear();
      address_text->Append(batch, row, &address);
      key_text->Append(batch, row, &key);
    }
    record.clear();
    encoder->Append(batch, row, &record);
    absl::string_view octets = record;
    if (framing == Framing::kLength) {
      framed.clear();
      AppendVarint(record.size(), &framed);
      framed += record;
      octets = framed;
    } else if (framing == Framing::kLine) {
      record.push_back('\n');
      octets = record;
    }
    const size_t taken = overhead + key.size();
    if (taken + octets.size() > options.max_message_octets) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": a record of ", octets.size(), " octets and a key of ",
                                                     key.size(),
                                                     " are more than max_message_size = ", options.max_message_octets,
                                                     " takes; raise it, there and at the broker"));
    }
    if (options.records_per_message == 1) {
      if (absl::Status status = send(address, key, octets, 1); !status.ok()) return status;
      continue;
    }
    size_t place = 0;
    if (!constant) {
      place_key.clear();
      absl::StrAppend(&place_key, address.size(), " ", address, key);
      const auto [found, is_new] = places.try_emplace(place_key, open.size());
      if (is_new) {
        open.push_back({address, key, "", 0});
        open_octets += address.size() + key.size() + sizeof(OpenMessage);
      }
      place = found->second;
    }
    OpenMessage& message = open[place];
    if (taken + message.octets.size() + octets.size() > options.max_message_octets) {
      open_octets -= message.octets.size();
      if (absl::Status status = send_open(&message); !status.ok()) return status;
    }
    message.octets.append(octets.data(), octets.size());
    open_octets += octets.size();
    if (++message.rows >= options.records_per_message) {
      open_octets -= message.octets.size();
      if (absl::Status status = send_open(&message); !status.ok()) return status;
    }
    if (open_octets > options.max_open_octets) {
      if (absl::Status status = send_all(); !status.ok()) return status;
    }
  }
  return send_all();
}

}  // namespace flowacct::sink::queue
