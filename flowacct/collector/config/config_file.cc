#include "flowacct/collector/config/config_file.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/base/near_miss.h"

namespace flowacct::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

absl::string_view View(const std::string& text) { return text; }

std::string DidYouMean(absl::string_view word, const std::vector<absl::string_view>& words) {
  const std::vector<std::string> near = base::NearestWords(word, words);
  if (!near.empty()) return absl::StrCat("did you mean ", absl::StrJoin(near, " or "), "?");
  return absl::StrCat("known are ", absl::StrJoin(words, ", "));
}

std::vector<absl::string_view> FieldNames(const Descriptor& message) {
  std::vector<absl::string_view> names;
  for (int i = 0; i < message.field_count(); ++i) names.push_back(View(message.field(i)->name()));
  return names;
}

// The enums that a field of this name has, anywhere in the schema.
void CollectEnums(const Descriptor& message, absl::string_view field_name, absl::flat_hash_set<const Descriptor*>* seen,
                  std::vector<const EnumDescriptor*>* enums) {
  if (!seen->insert(&message).second) return;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (field.enum_type() != nullptr && field.name() == field_name) enums->push_back(field.enum_type());
    if (field.message_type() != nullptr) CollectEnums(*field.message_type(), field_name, seen, enums);
  }
}

// The text between the n-th pair of quotes; the parser's messages name things so.
std::string Quoted(absl::string_view message, int n) {
  const std::vector<absl::string_view> parts = absl::StrSplit(message, '"');
  const size_t at = 2 * static_cast<size_t>(n) + 1;
  return at < parts.size() ? std::string(parts[at]) : "";
}

struct Complaint {
  std::string text;
  std::string word;  // that it is about and that was read already; empty: the place told is right
};

// What the parser says, in the words of someone who helps.
Complaint Friendly(const std::string& message) {
  const std::string first = Quoted(message, 0), second = Quoted(message, 1);
  if (absl::StrContains(message, "has no field named")) {
    const Descriptor* type = Config::descriptor()->file()->pool()->FindMessageTypeByName(first);
    if (type != nullptr) {
      const std::string where = type == Config::descriptor() ? "at the top" : absl::StrCat("in a ", type->name());
      return {absl::StrCat("\"", second, "\" is not known ", where, "; ", DidYouMean(second, FieldNames(*type))),
              second};
    }
  }
  if (absl::StrContains(message, "nknown enumeration value")) {
    absl::flat_hash_set<const Descriptor*> seen;
    std::vector<const EnumDescriptor*> enums;
    CollectEnums(*Config::descriptor(), second, &seen, &enums);
    std::vector<absl::string_view> words;
    for (const EnumDescriptor* type : enums) {
      for (int i = 0; i < type->value_count(); ++i) words.push_back(View(type->value(i)->name()));
    }
    const std::string upper = absl::AsciiStrToUpper(first);
    if (std::find(words.begin(), words.end(), upper) != words.end()) {
      return {absl::StrCat("\"", first, "\" is written ", upper), first};
    }
    return {absl::StrCat("\"", first, "\" is no value of ", second, "; ", DidYouMean(first, words)), first};
  }
  if (absl::StartsWith(message, "Non-repeated field")) {
    return {absl::StrCat(first, " is given twice; it can be given once"), first};
  }
  if (absl::StrContains(message, "is specified along with field")) {
    return {absl::StrCat(first, " and ", second, " exclude one another; give one of them"), first};
  }
  std::string text(absl::StripSuffix(message, "."));
  if (!text.empty()) text[0] = absl::ascii_tolower(static_cast<unsigned char>(text[0]));
  return {std::move(text), ""};
}

// Keeps the first complaint and its place, which the parser tells only after it read what it complains of.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  explicit FirstError(absl::string_view source) : source_(source) {}

  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (!text.empty()) return;
    Complaint complaint = Friendly(message);
    text = std::move(complaint.text);
    this->line = line + 1;
    this->column = column + 1;
    if (complaint.word.empty()) return;
    size_t offset = 0;
    for (int i = 0; i < line && offset != absl::string_view::npos; ++i) offset = source_.find('\n', offset) + 1;
    const size_t word = source_.substr(0, offset + static_cast<size_t>(column)).rfind(complaint.word);
    if (word == absl::string_view::npos) return;
    const absl::string_view before = source_.substr(0, word);
    this->line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
    this->column = static_cast<int>(word - (before.rfind('\n') + 1)) + 1;
  }
  int line = 0, column = 0;
  std::string text;

 private:
  absl::string_view source_;
};

bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

// Durations that may be none at all.
constexpr absl::string_view kNoTime = "0";
constexpr absl::string_view kMayBeNoTime[] = {"stale_for", "wait_for_table", "lateness",
                                              "max_age",   "keep",           "retry_after"};

bool IsNoTime(absl::string_view text) { return text == kNoTime || text == "0s"; }

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::Duration duration;
  int64_t days = 0;
  const bool is_days = absl::EndsWith(text, "d") && absl::SimpleAtoi(text.substr(0, text.size() - 1), &days);
  if (is_days && days > 0 && days < 36500) return absl::Hours(24 * days);
  if (!is_days && absl::ParseDuration(text, &duration) && duration > absl::ZeroDuration() &&
      duration < absl::Hours(24 * 36500)) {
    return duration;
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no duration; such as 30s, 5m, 1h, 1d"));
}

absl::StatusOr<uint64_t> ParseOctets(absl::string_view text) {
  constexpr std::pair<absl::string_view, int> kUnits[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  int shift = 0;
  absl::string_view number = text;
  for (const auto& [unit, bits] : kUnits) {
    if (absl::ConsumeSuffix(&number, unit)) shift = bits;
  }
  uint64_t octets = 0;
  if (absl::SimpleAtoi(number, &octets) && octets > 0 && octets <= (UINT64_MAX >> 1 >> shift)) return octets << shift;
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no size; such as 64KiB, 8MiB, 1GiB"));
}

// What the schema alone cannot say.
class ConfigCheck {
 public:
  explicit ConfigCheck(const ConfigFile* file) : file_(*file) {}

  absl::Status Run() {
    const Config& config = file_.message();
    if (absl::Status status = CheckMessage(config); !status.ok()) return status;
    if (config.input().empty()) return file_.ErrorAt(config, "input", "there is none; give one, such as udp");
    if (config.pipeline().empty() && config.replica().empty()) {
      return file_.ErrorAt(config, "pipeline", "there is none, nor a replica; give one of them");
    }
    if (absl::Status status = CheckNames(config.input(), "input"); !status.ok()) return status;
    if (absl::Status status = CheckNames(config.pipeline(), "pipeline"); !status.ok()) return status;
    if (absl::Status status = CheckNames(config.replica(), "replica"); !status.ok()) return status;
    if (absl::Status status = CheckNames(config.question(), "question"); !status.ok()) return status;
    for (const Input& input : config.input()) {
      if (input.kind_case() == Input::KIND_NOT_SET) {
        return file_.ErrorAt(input, "name",
                             absl::StrCat("input ", input.name(),
                                          " has no kind; give udp, stream, "
                                          "interface, nflog, captures or kafka"));
      }
      if (absl::Status status = CheckInput(input); !status.ok()) return status;
    }
    absl::flat_hash_set<absl::string_view> spools;
    for (const Pipeline& pipeline : config.pipeline()) {
      if (absl::Status status = CheckReferences(pipeline); !status.ok()) return status;
      for (const Sink& sink : pipeline.sink()) {
        if (sink.has_spool() && (sink.has_memory() || sink.export_().to_size() > 1)) {
          return file_.ErrorAt(sink.spool(), "folder",
                               sink.has_memory() ? "a memory sink has nothing to wait for; give no spool"
                                                 : "a spool is of one receiver; give each an export sink of its own");
        }
        if (sink.has_spool() && !spools.insert(View(sink.spool().folder())).second) {
          return file_.ErrorAt(sink.spool(), "folder", "another sink has it; give each a folder of its own");
        }
        if (sink.kind_case() == Sink::KIND_NOT_SET) {
          return file_.ErrorAt(pipeline, "sink", "a sink has no kind; give print, memory, export, sqlite or postgresql",
                               static_cast<int>(&sink - *pipeline.sink().data()));
        }
        if (sink.has_export_() && sink.export_().to().empty()) {
          return file_.ErrorAt(sink, "export", "nowhere to send to; give to: \"192.0.2.1:4739\"");
        }
      }
    }
    for (const Replica& replica : config.replica()) {
      if (absl::Status status = CheckReferences(replica); !status.ok()) return status;
      if (replica.to().empty())
        return file_.ErrorAt(replica, "name", "nowhere to send to; give to: \"192.0.2.1:2055\"");
    }
    return absl::OkStatus();
  }

 private:
  // Required fields, and strings that are durations or sizes, in all parts.
  absl::Status CheckMessage(const Message& message) {
    const Descriptor& type = *message.GetDescriptor();
    const Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.is_required() && !reflection.HasField(message, &field)) {
        return file_.ErrorAt(message, "", absl::StrCat("a ", type.name(), " needs ", field.name(), "; give it"));
      }
      if (field.message_type() != nullptr) {
        const int count = field.is_repeated() ? reflection.FieldSize(message, &field)
                                              : static_cast<int>(reflection.HasField(message, &field));
        for (int at = 0; at < count; ++at) {
          const Message& part = field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, at)
                                                    : reflection.GetMessage(message, &field);
          if (absl::Status status = CheckMessage(part); !status.ok()) return status;
        }
      } else if (field.has_default_value() && field.cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
                 reflection.HasField(message, &field)) {
        // What a string holds is what its default holds.
        const std::string value = reflection.GetString(message, &field);
        absl::Status status;
        if (field.default_value_string() == kNoTime || ParseDuration(field.default_value_string()).ok()) {
          const bool may_be_none =
              std::find(std::begin(kMayBeNoTime), std::end(kMayBeNoTime), View(field.name())) != std::end(kMayBeNoTime);
          if (!may_be_none || !IsNoTime(value)) status = ParseDuration(value).status();
        } else if (absl::EndsWith(field.default_value_string(), "iB")) {
          status = ParseOctets(value).status();
        }
        if (!status.ok()) return file_.ErrorAt(message, View(field.name()), status.message());
      }
    }
    return absl::OkStatus();
  }

  template <typename Parts>
  absl::Status CheckNames(const Parts& parts, absl::string_view what) {
    absl::flat_hash_set<absl::string_view> names;
    for (const auto& part : parts) {
      if (!IsPlainName(part.name())) {
        return file_.ErrorAt(
            part, "name",
            absl::StrCat("\"", part.name(), "\" is no name; use up to 64 letters, digits, '-', '_', '.'"));
      }
      if (!names.insert(part.name()).second) {
        return file_.ErrorAt(
            part, "name",
            absl::StrCat("two of ", what, " are called \"", part.name(), "\"; give each a name of its own"));
      }
    }
    return absl::OkStatus();
  }

  template <typename Part>
  absl::Status CheckReferences(const Part& part) {
    std::vector<absl::string_view> names;
    for (const Input& input : file_.message().input()) names.push_back(View(input.name()));
    for (int i = 0; i < part.input_size(); ++i) {
      if (std::find(names.begin(), names.end(), part.input(i)) != names.end()) continue;
      return file_.ErrorAt(
          part, "input", absl::StrCat("no input is called \"", part.input(i), "\"; ", DidYouMean(part.input(i), names)),
          i);
    }
    return absl::OkStatus();
  }

  absl::Status CheckInput(const Input& input) {
    switch (input.kind_case()) {
      case Input::kUdp:
        if (input.udp().listen().empty()) return file_.ErrorAt(input, "udp", "give listen: \"0.0.0.0:2055\"");
        break;
      case Input::kStream:
        if (input.stream().listen().empty()) return file_.ErrorAt(input, "stream", "give listen: \"0.0.0.0:4739\"");
        break;
      case Input::kInterface:
        if (input.interface().device().empty()) return file_.ErrorAt(input, "interface", "give device: \"eth0\"");
        break;
      case Input::kNflog:
        if (input.nflog().group().empty()) return file_.ErrorAt(input, "nflog", "give group: 5");
        break;
      case Input::kCaptures:
        if (input.captures().path().empty()) return file_.ErrorAt(input, "captures", "give path: \"file.pcap\"");
        break;
      case Input::kSessions:
        if (!file_.message().has_gtp()) {
          return file_.ErrorAt(input, "sessions", "there are no sessions without gtp; give gtp {}");
        }
        break;
      case Input::kKafka:
        return CheckKafka(input.kafka());
      case Input::KIND_NOT_SET:
        break;
    }
    if (file_.message().has_gtp() && input.interface().sampling_rate() > 1) {
      return file_.ErrorAt(input.interface(), "sampling_rate",
                           "gtp needs to see every message, so every packet: 1, or account without gtp");
    }
    return absl::OkStatus();
  }

  absl::Status CheckKafka(const KafkaInput& kafka) {
    const Config& config = file_.message();
    if (kafka.topic().empty()) return file_.ErrorAt(kafka, "topic", "there is none; give topic: \"exports\"");
    if (!config.has_state()) {
      return file_.ErrorAt(kafka, "",
                           "how far it was read is kept in the state; give state { directory: \"/var/lib/flowacct\" }");
    }
    if (config.redundant()) {
      return file_.ErrorAt(config, "redundant",
                           "excludes inputs of kind kafka, whose partitions collectors of a group share; give one");
    }
    return absl::OkStatus();
  }

  const ConfigFile& file_;
};

absl::StatusOr<ConfigFile> ConfigFile::Parse(absl::string_view text, absl::string_view name) {
  ConfigFile file;
  file.name_ = std::string(name);
  file.message_ = std::make_unique<Config>();
  TextFormat::ParseInfoTree tree;
  FirstError error(text);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&tree);
  parser.AllowPartialMessage(true);
  // Deep nesting is no configuration; the schema has six levels.
  parser.SetRecursionLimit(20);
  if (!parser.ParseFromString(std::string(text), file.message_.get())) {
    return absl::InvalidArgumentError(absl::StrCat(name, ":", error.line, ":", error.column, ": ", error.text));
  }
  struct Walk {
    ConfigFile* file;
    void Of(const Message& message, TextFormat::ParseInfoTree* tree) const {
      const Descriptor& type = *message.GetDescriptor();
      const Reflection& reflection = *message.GetReflection();
      for (int i = 0; i < type.field_count(); ++i) {
        const FieldDescriptor& field = *type.field(i);
        const int count = field.is_repeated() ? reflection.FieldSize(message, &field)
                                              : static_cast<int>(reflection.HasField(message, &field));
        for (int at = 0; at < count; ++at) {
          const TextFormat::ParseLocation place = tree->GetLocation(&field, field.is_repeated() ? at : -1);
          if (place.line >= 0) file->places_[{&message, {field.number(), at}}] = {place.line + 1, place.column + 1};
          if (field.message_type() == nullptr) continue;
          const Message& part = field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, at)
                                                    : reflection.GetMessage(message, &field);
          // Number 0 is the message itself: where it begins.
          if (place.line >= 0) file->places_[{&part, {0, 0}}] = {place.line + 1, place.column + 1};
          TextFormat::ParseInfoTree* nested = tree->GetTreeForNested(&field, field.is_repeated() ? at : -1);
          if (nested != nullptr) Of(part, nested);
        }
      }
    }
  };
  Walk{&file}.Of(*file.message_, &tree);
  if (absl::Status status = ConfigCheck(&file).Run(); !status.ok()) return status;
  return file;
}

absl::StatusOr<ConfigFile> ConfigFile::FromMessage(Config message, absl::string_view name) {
  ConfigFile file;
  file.name_ = std::string(name);
  file.message_ = std::make_unique<Config>(std::move(message));
  if (absl::Status status = ConfigCheck(&file).Run(); !status.ok()) return status;
  return file;
}

absl::Status ConfigFile::ErrorAt(const Message& message, absl::string_view field, absl::string_view text,
                                 int index) const {
  const FieldDescriptor* descriptor =
      field.empty() ? nullptr : message.GetDescriptor()->FindFieldByName(std::string(field));
  std::string where = name_;
  auto place = places_.find({&message, {descriptor == nullptr ? 0 : descriptor->number(), index}});
  if (place == places_.end()) place = places_.find({&message, {0, 0}});
  if (place != places_.end()) absl::StrAppend(&where, ":", place->second.line, ":", place->second.column);
  const std::string what = field.empty() ? "" : absl::StrCat(field, ": ");
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what, text));
}

absl::Duration ConfigFile::DurationOf(absl::string_view text) {
  return ParseDuration(text).value_or(absl::ZeroDuration());
}

uint64_t ConfigFile::OctetsOf(absl::string_view text) { return ParseOctets(text).value_or(0); }

std::string ConfigFile::Print() const {
  std::string text;
  TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  Config shown = *message_;
  for (BgpMd5& md5 : *shown.mutable_bgp()->mutable_md5()) md5.set_key("(not shown)");
  if (!message_->has_bgp()) shown.clear_bgp();
  if (message_->igp().has_isis()) {
    Isis& isis = *shown.mutable_igp()->mutable_isis();
    std::vector<IsisKey*> keys;
    if (isis.has_area_key()) keys.push_back(isis.mutable_area_key());
    if (isis.has_domain_key()) keys.push_back(isis.mutable_domain_key());
    for (IsisCircuit& circuit : *isis.mutable_circuit()) {
      if (circuit.has_key()) keys.push_back(circuit.mutable_key());
    }
    for (IsisKey* key : keys) {
      if (key->has_key()) key->set_key("(not shown)");
    }
  }
  if (!printer.PrintToString(shown, &text)) text.clear();
  return text;
}

}  // namespace flowacct::config
