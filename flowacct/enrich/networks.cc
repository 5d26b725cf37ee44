#include "flowacct/enrich/networks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "flowacct/base/interner.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/enrich/field_value.h"
#include "flowacct/lpm/lpm_table.h"
#include "flowacct/record/value_text.h"

namespace flowacct::enrich {
namespace {

using record::FieldId;

// The columns of the syntax without names, from the left.
enum PlainColumn : size_t { kName, kNextHop, kPeerAs, kAs, kPlainColumns };

// Columns whose fields are not src_NAME and dst_NAME.
struct NamedColumn {
  absl::string_view name;
  FieldId source, destination;
};
constexpr NamedColumn kNamedColumns[] = {
    {"name", FieldId::kSrcNetName, FieldId::kDstNetName},
    {"next_hop", Networks::kNoField, FieldId::kBgpNextHop},
    {"peer_as", FieldId::kPeerSrcAs, FieldId::kPeerDstAs},
};

const std::vector<Networks::Column>& PlainColumns() {
  static const auto* columns = [] {
    auto* made = new std::vector<Networks::Column>;
    for (const NamedColumn& known : kNamedColumns) {
      made->push_back({std::string(known.name), known.source, known.destination});
    }
    made->push_back({"as", FieldId::kSrcAs, FieldId::kDstAs});
    return made;
  }();
  return *columns;
}

using Parts = absl::InlinedVector<absl::string_view, 8>;

// Splits at commas; blanks around parts are no part of them. Parts in quotes are unquoted to `unquoted`, of which the
// views are good until the next call. False: a quote does not close.
bool Split(absl::string_view line, Parts* parts, std::vector<std::string>* unquoted) {
  parts->clear();
  if (!absl::StrContains(line, '"')) {
    for (size_t comma = line.find(','); comma != absl::string_view::npos; comma = line.find(',')) {
      parts->push_back(absl::StripAsciiWhitespace(line.substr(0, comma)));
      line.remove_prefix(comma + 1);
    }
    parts->push_back(absl::StripAsciiWhitespace(line));
    return true;
  }
  unquoted->clear();
  unquoted->reserve(static_cast<size_t>(std::count(line.begin(), line.end(), ',')) + 1);  // so that views stay
  while (true) {
    line = absl::StripLeadingAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, "\"")) {
      const size_t comma = line.find(',');
      parts->push_back(absl::StripTrailingAsciiWhitespace(line.substr(0, comma)));
      if (comma == absl::string_view::npos) return true;
      line.remove_prefix(comma + 1);
      continue;
    }
    unquoted->emplace_back();
    while (true) {  // RFC 4180: two quotes stand for one
      const size_t quote = line.find('"');
      if (quote == absl::string_view::npos) return false;
      absl::StrAppend(&unquoted->back(), line.substr(0, quote));
      line.remove_prefix(quote + 1);
      if (!absl::ConsumePrefix(&line, "\"")) break;
      unquoted->back() += '"';
    }
    parts->push_back(unquoted->back());
    line = absl::StripLeadingAsciiWhitespace(line);
    if (line.empty()) return true;
    if (!absl::ConsumePrefix(&line, ",")) return false;
  }
}

// A line without its comment, which begins with '#' or '!' at its begin or after a blank.
absl::string_view WithoutComment(absl::string_view line) {
  for (size_t at = line.find_first_of("#!\""); at != absl::string_view::npos; at = line.find_first_of("#!\"", at + 1)) {
    if (line[at] == '"') {
      at = line.find('"', at + 1);
      if (at == absl::string_view::npos) return line;
    } else if (at == 0 || absl::ascii_isspace(static_cast<unsigned char>(line[at - 1]))) {
      return line.substr(0, at);
    }
  }
  return line;
}

bool ParseAs(absl::string_view text, uint64_t* as) {
  uint32_t number = 0;
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!digits || !absl::SimpleAtoi(text, &number)) return false;
  *as = number;
  return true;
}

}  // namespace

struct Networks::State {
  std::vector<Column> columns;
  lpm::LpmTable<Network> table;
  std::vector<uint64_t> rows;  // of each row a bit a column that is told, then a value for each
  TextTable texts;
  std::vector<std::array<uint8_t, 17>> wide;
};

// Fills a State from a file.
class Networks::Reader {
 public:
  explicit Reader(const NetworksOptions& options)
      : options_(options), state_(std::make_unique<State>()), known_(0, RowHash{this}, RowEqual{this}) {}

  // An empty text, or why the line is wrong.
  std::string AddLine(absl::string_view line) {
    if (!Split(line, &parts_, &unquoted_)) return "a part in quotes does not end; write \"\" for a quote inside of one";
    if (state_->columns.empty()) {
      if (std::any_of(parts_.begin(), parts_.end(),
                      [](absl::string_view part) { return absl::EqualsIgnoreCase(part, "prefix"); })) {
        return NameColumns();
      }
      plain_ = true;
      UseColumns(PlainColumns());
    }
    std::fill(row_.begin(), row_.end(), 0);
    std::string why = plain_ ? PlainLine() : NamedLine();
    if (!why.empty()) return why;
    if (builder_.size() >= options_.max_networks || !builder_.Add(prefix_, {KeepRow(), prefix_.length()})) {
      return absl::StrCat("more than max_networks = ", options_.max_networks,
                          " networks; raise it or shorten the file");
    }
    return "";
  }

  std::unique_ptr<State> Finish() && {
    if (state_->columns.empty()) UseColumns(PlainColumns());
    state_->table = std::move(builder_).Build();
    state_->texts.Finish();
    state_->rows.shrink_to_fit();
    return std::move(state_);
  }

 private:
  // Rows of attributes by their content.
  struct RowHash {
    const Reader* reader;
    size_t operator()(uint32_t row) const { return absl::Hash<absl::Span<const uint64_t>>()(reader->Row(row)); }
  };
  struct RowEqual {
    const Reader* reader;
    bool operator()(uint32_t a, uint32_t b) const { return reader->Row(a) == reader->Row(b); }
  };
  absl::Span<const uint64_t> Row(uint32_t row) const {
    return absl::MakeConstSpan(state_->rows).subspan(row * row_.size(), row_.size());
  }

  void UseColumns(std::vector<Column> columns) {
    state_->columns = std::move(columns);
    row_.assign(state_->columns.size() + 1, 0);
  }

  std::string NameColumns() {
    std::vector<Column> columns;
    std::vector<FieldId> taken;
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (absl::EqualsIgnoreCase(parts_[i], "prefix")) {
        if (prefix_part_ != SIZE_MAX) return "two columns are called \"prefix\"";
        prefix_part_ = i;
        continue;
      }
      Column column;
      std::string why = NameColumn(parts_[i], &column);
      if (!why.empty()) return why;
      for (FieldId field : {column.source, column.destination}) {
        if (field == kNoField) continue;
        if (std::find(taken.begin(), taken.end(), field) != taken.end()) {
          return absl::StrCat("two columns set ", record::Info(field).name);
        }
        taken.push_back(field);
      }
      columns.push_back(std::move(column));
    }
    if (columns.size() > kMaxColumns) return absl::StrCat("more than ", kMaxColumns, " columns");
    UseColumns(std::move(columns));
    return "";
  }

  std::string NameColumn(absl::string_view name, Column* column) const {
    column->name = std::string(name);
    for (const NamedColumn& known : kNamedColumns) {
      if (!absl::EqualsIgnoreCase(name, known.name)) continue;
      *column = {std::string(known.name), known.source, known.destination};
      return "";
    }
    absl::string_view side = name;
    const bool source = absl::ConsumePrefix(&side, "src:");
    if (source || absl::ConsumePrefix(&side, "dst:")) {
      const absl::StatusOr<FieldId> field =
          options_.names != nullptr ? options_.names->FromName(side) : record::FieldFromName(side);
      if (!field.ok()) return std::string(field.status().message());
      (source ? column->source : column->destination) = *field;
      return CheckType(*field);
    }
    const std::optional<FieldId> from = record::FindField(absl::StrCat("src_", name));
    const std::optional<FieldId> to = record::FindField(absl::StrCat("dst_", name));
    if (from && to && record::Info(*from).type == record::Info(*to).type) {
      column->source = *from;
      column->destination = *to;
      return CheckType(*from);
    }
    if (options_.names != nullptr ? options_.names->Find(name) : record::FindField(name)) {
      return absl::StrCat("\"", name, "\" has no form for source and destination; write src:", name, " or dst:", name,
                          ", by whose network it is set");
    }
    return absl::StrCat("no column is called \"", name, "\"", DidYouMean(name));
  }

  static std::string CheckType(FieldId field) {
    FieldValue value;
    // What has no notation says so whatever the text.
    std::string why = ParseFieldValue(field, "", &value);
    return absl::StrContains(why, "cannot be set") ? why : "";
  }

  static std::string DidYouMean(absl::string_view name) {
    std::vector<absl::string_view> words = {"prefix"};
    for (const NamedColumn& column : kNamedColumns) words.push_back(column.name);
    for (size_t i = 0; i < record::kFieldCount; ++i) {
      absl::string_view word = record::Info(static_cast<FieldId>(i)).name;
      if (absl::ConsumePrefix(&word, "src_")) words.push_back(word);
    }
    const std::vector<std::string> near = base::NearestWords(name, words, 1);
    return near.empty() ? "; there are prefix, as, name, next_hop, peer_as, country, src:FIELD, dst:FIELD and others"
                        : absl::StrCat("; did you mean ", near[0], "?");
  }

  std::string SetPrefix(absl::string_view text) {
    const std::optional<base::IpPrefix> prefix = base::IpPrefix::Parse(text);
    if (!prefix) return absl::StrCat("\"", text, "\" is no prefix; write one such as 192.0.2.0/24");
    prefix_ = *prefix;
    return "";
  }

  void Tell(size_t column, uint64_t value) {
    row_[0] |= uint64_t{1} << column;
    row_[column + 1] = value;
  }

  std::string PlainLine() {
    if (parts_.size() > 4) {
      return "more than four parts; a line is PREFIX, or AS,PREFIX, or NEXT HOP,AS,PREFIX, or NAME,NEXT HOP,AS,PREFIX";
    }
    std::string why = SetPrefix(parts_.back());
    if (!why.empty()) return why;
    const auto from_right = [this](size_t n) {  // empty if it is not there
      return parts_.size() > n ? parts_[parts_.size() - 1 - n] : absl::string_view();
    };
    if (absl::string_view as = from_right(1); !as.empty()) {
      uint64_t number = 0;
      const size_t underscore = as.find('_');
      if (underscore != absl::string_view::npos) {
        if (!ParseAs(as.substr(0, underscore), &number)) return NoAs(as.substr(0, underscore));
        if (number != 0) Tell(kPeerAs, number);
        as.remove_prefix(underscore + 1);
      }
      if (!ParseAs(as, &number)) return NoAs(as);
      if (number != 0) Tell(kAs, number);  // 0: not told
    }
    if (const absl::string_view text = from_right(2); !text.empty()) {
      const std::optional<base::IpAddress> next_hop = base::IpAddress::Parse(text);
      if (!next_hop) return absl::StrCat("\"", text, "\" is no address; write the next hop, such as 198.51.100.1");
      Tell(kNextHop, Wide(next_hop->octets()));
    }
    if (const absl::string_view name = from_right(3); !name.empty()) Tell(kName, state_->texts.Add(name));
    return "";
  }

  static std::string NoAs(absl::string_view text) {
    return absl::StrCat("\"", text, "\" is no AS number; write one from 0 to 4294967295 before the prefix");
  }

  std::string NamedLine() {
    if (parts_.size() != state_->columns.size() + 1) {
      return absl::StrCat(parts_.size(), " parts, but ", state_->columns.size() + 1, " columns were named");
    }
    std::string why = SetPrefix(parts_[prefix_part_]);
    if (!why.empty()) return why;
    for (size_t i = 0; i < state_->columns.size(); ++i) {
      const absl::string_view part = parts_[i < prefix_part_ ? i : i + 1];
      if (part.empty()) continue;
      const Column& column = state_->columns[i];
      const FieldId field = column.source != kNoField ? column.source : column.destination;
      why = ParseFieldValue(field, part, &value_);
      if (!why.empty()) return why;
      const size_t size = record::FieldTypeSize(record::Info(field).type);
      Tell(i, value_.interned ? state_->texts.Add(value_.text) : size > 8 ? Wide(value_.octets) : value_.number());
    }
    return "";
  }

  // The number of a value of up to 17 octets.
  uint64_t Wide(base::Octets octets) {
    std::array<uint8_t, 17> value{};
    std::copy(octets.begin(), octets.end(), value.begin());
    const auto [known, is_new] = wide_numbers_.emplace(value, state_->wide.size());
    if (is_new) state_->wide.push_back(value);
    return known->second;
  }

  // The number of row_, which is kept if there was none alike.
  uint32_t KeepRow() {
    const uint32_t number = static_cast<uint32_t>(state_->rows.size() / row_.size());
    state_->rows.insert(state_->rows.end(), row_.begin(), row_.end());
    const auto [known, is_new] = known_.insert(number);
    if (!is_new) state_->rows.resize(state_->rows.size() - row_.size());
    return *known;
  }

  const NetworksOptions& options_;
  std::unique_ptr<State> state_;
  lpm::LpmBuilder<Network> builder_;
  bool plain_ = false;
  size_t prefix_part_ = SIZE_MAX;
  // Of the line that is read.
  Parts parts_;
  std::vector<std::string> unquoted_;
  base::IpPrefix prefix_;
  std::vector<uint64_t> row_;
  FieldValue value_;

  absl::flat_hash_set<uint32_t, RowHash, RowEqual> known_;
  absl::flat_hash_map<std::array<uint8_t, 17>, uint64_t> wide_numbers_;
};

Networks::Networks(std::unique_ptr<State> state)
    : state_(std::move(state)), rows_(state_->rows.data()), stride_(state_->columns.size() + 1) {}
Networks::Networks(Networks&&) noexcept = default;
Networks& Networks::operator=(Networks&&) noexcept = default;
Networks::~Networks() = default;

size_t Networks::size() const { return state_->table.values().size(); }
size_t Networks::octets() const {
  return state_->table.octets() + 8 * state_->rows.capacity() + state_->texts.octets() +
         state_->wide.capacity() * sizeof(state_->wide[0]);
}
absl::Span<const Networks::Column> Networks::columns() const { return state_->columns; }
const TextTable& Networks::texts() const { return state_->texts; }
const uint8_t* Networks::wide(uint64_t value) const { return state_->wide[value].data(); }
const Network* Networks::Find(const base::IpAddress& address) const { return state_->table.Find(address); }
void Networks::FindBatch(const uint8_t* addresses, size_t stride, size_t n, const Network** found) const {
  state_->table.FindBatch(addresses, stride, n, found);
}

absl::StatusOr<Networks> Networks::Parse(absl::string_view text, absl::string_view name,
                                         const NetworksOptions& options) {
  Reader reader(options);
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    absl::string_view line = text.substr(0, end);
    text.remove_prefix(end == absl::string_view::npos ? text.size() : end + 1);
    ++number;
    line = absl::StripAsciiWhitespace(WithoutComment(line));
    if (line.empty()) continue;
    const std::string why = reader.AddLine(line);
    if (!why.empty()) return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": ", why));
  }
  return Networks(std::move(reader).Finish());
}

std::string Networks::Describe(const base::IpAddress& address) const {
  const Network* const network = Find(address);
  if (network == nullptr) return "";
  std::string text = base::IpPrefix(address, network->length).ToString();
  for (size_t i = 0; i < state_->columns.size(); ++i) {
    if ((told(network->attributes) >> i & 1) == 0) continue;
    const Column& column = state_->columns[i];
    const record::FieldType type = record::Info(column.source != kNoField ? column.source : column.destination).type;
    absl::StrAppend(&text, " ", column.name, "=");
    const uint64_t value = this->value(network->attributes, i);
    if (record::IsInterned(type)) {
      absl::StrAppend(&text, state_->texts.text(static_cast<uint32_t>(value)));
    } else {
      uint8_t octets[8];
      base::StoreHost(octets, value);
      record::AppendText(type, record::FieldTypeSize(type) > 8 ? wide(value) : octets, base::Interner(), &text);
    }
  }
  return text;
}

}  // namespace flowacct::enrich
