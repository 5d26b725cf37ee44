#include "flowacct/enrich/networks.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/lpm/lpm_table.h"

namespace flowacct::enrich {
namespace {

// A line's parts from the right: prefix, AS, next hop.
std::string ParseLine(absl::string_view line, Network* network) {
  std::vector<absl::string_view> parts = absl::StrSplit(line, ',');
  for (absl::string_view& part : parts) part = absl::StripAsciiWhitespace(part);
  if (parts.size() > 3) return "more than three parts; a line is PREFIX, or AS,PREFIX, or NEXT HOP,AS,PREFIX";
  const absl::string_view prefix = parts.back();
  const std::optional<base::IpPrefix> parsed = base::IpPrefix::Parse(prefix);
  if (!parsed) return absl::StrCat("\"", prefix, "\" is no prefix; write one such as 192.0.2.0/24");
  network->prefix = *parsed;
  if (parts.size() >= 2) {
    const absl::string_view as = parts[parts.size() - 2];
    const bool is_number = !as.empty() && std::all_of(as.begin(), as.end(), [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c));
    });
    if (!is_number || !absl::SimpleAtoi(as, &network->as)) {
      return absl::StrCat("\"", as, "\" is no AS number; write one from 0 to 4294967295 before the prefix");
    }
  }
  if (parts.size() == 3) {
    const std::optional<base::IpAddress> next_hop = base::IpAddress::Parse(parts[0]);
    if (!next_hop)
      return absl::StrCat("\"", parts[0], "\" is no address; write the next hop first, such as 198.51.100.1");
    network->next_hop = *next_hop;
    network->has_next_hop = true;
  }
  return "";
}

}  // namespace

struct Networks::State {
  lpm::LpmTable<Network> table;
};

Networks::Networks(std::unique_ptr<State> state) : state_(std::move(state)) {}
Networks::Networks(Networks&&) noexcept = default;
Networks& Networks::operator=(Networks&&) noexcept = default;
Networks::~Networks() = default;

size_t Networks::size() const { return state_->table.values().size(); }
size_t Networks::octets() const { return state_->table.octets(); }
const Network* Networks::Find(const base::IpAddress& address) const { return state_->table.Find(address); }
void Networks::FindBatch(const uint8_t* addresses, size_t stride, size_t n, const Network** found) const {
  state_->table.FindBatch(addresses, stride, n, found);
}

absl::StatusOr<Networks> Networks::Parse(absl::string_view text, absl::string_view name,
                                         const NetworksOptions& options) {
  lpm::LpmBuilder<Network> builder;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find_first_of("#!")));
    if (line.empty()) continue;
    Network network;
    const std::string why = ParseLine(line, &network);
    if (!why.empty()) return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": ", why));
    if (builder.size() >= options.max_networks || !builder.Add(network.prefix, network)) {
      return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": more than max_networks = ",
                                                     options.max_networks, " networks; raise it or shorten the file"));
    }
  }
  auto state = std::make_unique<State>();
  state->table = std::move(builder).Build();
  return Networks(std::move(state));
}

}  // namespace flowacct::enrich
