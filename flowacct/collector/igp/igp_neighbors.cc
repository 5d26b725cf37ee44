#include "flowacct/collector/igp/igp_neighbors.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "flowacct/collector/looking_glass/json_rows.h"
#include "flowacct/topology/from_isis.h"

namespace flowacct::collector {

std::string NeighborRows(const IgpFiles& files) {
  const topology::TopologyState state = files.database().State();
  JsonRows rows({"system", "name", "circuit", "levels", "where", "areas", "addresses", "topologies", "priority", "lan",
                 "hold", "authentication", "sees", "hellos", "first", "last"});
  const auto text = [&](const std::string& t) { t.empty() ? rows.Absent() : rows.Text(t); };
  for (const HelloSpeaker& s : files.speakers()) {
    rows.Row();
    rows.Text(s.system.ToString());
    text(state.NameOf(topology::KeyOf(isis::NodeId{s.system, 0})));
    rows.Text(s.lan ? "lan" : "point_to_point");
    rows.Text(s.levels == 3 ? "1-2" : absl::StrCat(s.levels));
    rows.Text(s.where);
    text(absl::StrJoin(s.areas, " ", [](std::string* out, const isis::AreaAddress& a) { *out += a.ToString(); }));
    text(absl::StrJoin(s.addresses, " ", [](std::string* out, const base::IpAddress& a) { *out += a.ToString(); }));
    text(absl::StrJoin(s.topologies, " "));
    s.lan ? rows.Number(uint64_t{s.priority}) : rows.Absent();
    s.lan ? rows.Text(s.lan_id.ToString()) : rows.Absent();
    rows.Number(uint64_t{s.holding_seconds});
    rows.Text(s.authenticated ? "yes" : "no");
    text(absl::StrJoin(s.sees, " "));
    rows.Number(s.hellos);
    rows.Time(absl::FromUnixNanos(s.first_nanos));
    rows.Time(absl::FromUnixNanos(s.last_nanos));
  }
  const size_t all = rows.rows();
  return absl::StrCat("{", std::move(rows).Finish(), ",\"groups\":", all, "}\n");
}

}  // namespace flowacct::collector
