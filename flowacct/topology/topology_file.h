// A topology in text: routers, links, LANs and prefixes that no protocol tells of, or that are only planned.
//
//     # comment                                 (at the begin of a line, or after a blank)
//     style isis                                how routers are named: isis (then 1921.6800.1001) or ospf (192.0.2.1)
//     node ams1 id 1921.6800.1001 level 1-2 area 49.0001 router-id 192.0.2.1
//     node fra1 overload
//     link ams1 fra1 metric 10 back 20 capacity 100G address 198.51.100.0 198.51.100.1 group duct7
//     lan ams1=10@203.0.113.1 ams2=10 ams3=20 capacity 10G
//     half ams1 fra1 metric 10                  one direction; a link if the other end has one, too
//     prefix fra1 192.0.2.0/24 metric 5
//
// A line is a statement, its names, then options with their values in any order:
//
//     node NAME     id ID | level 1,2,1-2 | area AREA | router-id ADDRESS | address ADDRESS | overload | attached |
//                   topology N | overload-in N | attached-in N
//     link A B      metric N | back N | level L | topology N | capacity RATE | address A B | id A B | group NAME
//     half A B      metric N | level L | topology N | capacity RATE | address A B | id A B | group NAME
//     lan A=N B=N   level L | topology N | capacity RATE | group NAME | id ID
//     prefix A P    metric N | level L | topology N | down | external | external-metric | segment N
//
// A node is known by its identifier or its name. Without `id` it has one made from its name, the same in every file; a
// name that is an identifier is no more than that. A file without `node` lines makes nodes as they are named; in one
// with some, all must be declared, before use or after. Levels: of a node 2 unless said; of a link, LAN or prefix those
// that its nodes have in common. Metrics: 10 unless said, `back` that of the other direction; 0 for prefixes. A LAN's
// members are NAME=METRIC, or NAME=METRIC@ADDRESS; the first is its designated router. Rates are in bits a
// second: 2.5G, 400M, 64k. `area`, `router-id` (IPv4, IPv6), `address` of a node, `topology` (RFC 5120's numbers) and
// `group` may come several times; a node takes part in the topologies of its links. Groups are what fails together
// (what_if.h). Words with blanks or other odd characters stand in double quotes, with \", \\ and \xHH inside.
//
// Standard: none; the values are those of advertisement.h. Ownership: values. Threads: any. Errors: InvalidArgument
// "FILE:LINE: ...", the first one. Cost: some microseconds a line.

#ifndef FLOWACCT_TOPOLOGY_TOPOLOGY_FILE_H_
#define FLOWACCT_TOPOLOGY_TOPOLOGY_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::topology {

// What belongs to a group: a link between two routers, or a LAN's attachment.
struct GroupMember {
  std::string group;
  NodeKey from, to;
  base::IpAddress local_address;  // of `from`, to tell parallel links apart; unspecified: all of them

  friend bool operator==(const GroupMember& a, const GroupMember& b) {
    return a.group == b.group && a.from == b.from && a.to == b.to && a.local_address == b.local_address;
  }
  friend bool operator<(const GroupMember& a, const GroupMember& b) {
    return std::tie(a.group, a.from, a.to, a.local_address) < std::tie(b.group, b.from, b.to, b.local_address);
  }
};

struct TopologyFile {
  NodeStyle style = NodeStyle::kIsis;
  std::vector<Advertisement> advertisements;  // in the order of their keys
  std::vector<GroupMember> groups;            // in order, each once
};

struct TopologyFileOptions {
  // Ten times a large network: more is a mistake.
  size_t max_lines = 2000000;
};

// `name` stands for the file in errors.
absl::StatusOr<TopologyFile> ParseTopologyFile(absl::string_view text, absl::string_view name,
                                               const TopologyFileOptions& options = {});

// The same advertisements in text, which is read again to the same; directions are written one by one (`half`). The
// sequence numbers are not kept.
std::string WriteTopologyFile(const TopologyFile& file);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_TOPOLOGY_FILE_H_
