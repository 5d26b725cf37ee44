// Rows of routes as JSON: {"columns": [...], "rows": [[...], ...]}, as a query is answered; one writer for what a
// running collector and what files tell.
//
// Threads: one at a time. Errors: none. Cost: some 500 ns a row of a route.

#ifndef FLOWACCT_COLLECTOR_LOOKING_GLASS_ROUTE_ROWS_H_
#define FLOWACCT_COLLECTOR_LOOKING_GLASS_ROUTE_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/record/field.h"
#include "flowacct/rib/rib.h"

namespace flowacct::collector {

// Rows of values in the order of the columns.
class JsonRows {
 public:
  explicit JsonRows(absl::Span<const absl::string_view> columns);

  void Row();
  void Text(absl::string_view text);
  void Number(uint64_t number);
  void Number(std::optional<uint32_t> number) { number ? Number(uint64_t{*number}) : Absent(); }
  void Absent();
  // RFC 3339, UTC, with microseconds if there are any.
  void Time(absl::Time time);
  // What the octets of an interned field say; absent if there are none.
  void Octets(record::FieldType type, base::Octets octets);

  size_t rows() const { return rows_; }
  // The members, without the braces around them.
  std::string Finish() &&;

 private:
  std::string* Next();

  std::string json_;
  size_t rows_ = 0;
  absl::string_view comma_;
};

// What attributes say, as 8 columns.
#define FLOWACCT_ATTRIBUTE_COLUMNS \
  "next_hop", "as_path", "origin", "local_pref", "med", "communities", "ext_communities", "large_communities"
void AppendAttributes(bgp::AttributeSetView set, JsonRows* rows);
void AppendNoAttributes(JsonRows* rows);

// A route, as 15 columns. `table`: rib::RibViewName; `told_by`: the BMP speaker.
#define FLOWACCT_ROUTE_COLUMNS \
  "prefix", "peer", FLOWACCT_ATTRIBUTE_COLUMNS, "path_id", "label", "stale", "table", "told_by"
void AppendRoute(const rib::PeerKey& peer, const base::IpPrefix& prefix, const rib::RouteView& route, JsonRows* rows);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_LOOKING_GLASS_ROUTE_ROWS_H_
