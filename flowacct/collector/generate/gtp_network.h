// An imagined mobile network: its nodes with their tunnel endpoint identifiers, and who its subscribers are.
//
// All of it follows from a seed; a subscriber is a pure function of seed and index. Addresses are of private,
// documentation and shared space (RFC 1918, 5737, 3849, 6598); numbers are well formed (3GPP TS 23.003) and of networks
// that there are, and count from 0 within them. Threads: one at a time. Cost: a profile some 100 ns; a TEID some ns.

#ifndef FLOWACCT_COLLECTOR_GENERATE_GTP_NETWORK_H_
#define FLOWACCT_COLLECTOR_GENERATE_GTP_NETWORK_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/gtp/values.h"

namespace flowacct::collector {

using GtpNodeId = uint16_t;

// A node of the network, which gives out TEIDs and uses them again when their sessions are gone.
struct GtpNode {
  struct FreeTeid {
    int64_t since_nanos;
    uint32_t teid;
  };

  base::IpAddress control;                // GTP-C
  std::optional<base::IpAddress> v4, v6;  // GTP-U
  uint16_t request_port = 2123;           // where its requests come from; answers go there
  uint8_t recovery = 1;
  uint32_t next_teid = 1;
  uint32_t next_sequence = 1;
  std::deque<FreeTeid> free_teids;

  // Uses the TEID that is free for longest, if that is at least `reuse_nanos`.
  uint32_t NewTeid(int64_t now_nanos, int64_t reuse_nanos);
  void FreeTeidAt(uint32_t teid, int64_t now_nanos) { free_teids.push_back({now_nanos, teid}); }
  // All contexts are lost, and TEIDs are given out from the first one on.
  void Restart();
};

inline constexpr uint32_t kFirstTeid = 0x100;

enum class GtpRoaming : uint8_t { kHome, kInbound, kOutbound };
absl::string_view GtpRoamingName(GtpRoaming roaming);  // "home", "inbound", "outbound"

enum class GtpAccess : uint8_t { k3G, k4G, k5G };

struct GtpApn {
  absl::string_view name;
  bool v4, v6;
  bool delegates;  // gives a prefix of 56 bits
};
inline constexpr uint8_t kImsApn = 5;
const GtpApn& GtpApnAt(uint8_t index);

// What does not change of a subscriber.
struct GtpProfile {
  GtpRoaming roaming = GtpRoaming::kHome;
  GtpAccess access = GtpAccess::k4G;  // where it is at first
  bool geran = false;                 // of 2G rather than 3G
  bool home_routed = true;            // inbound: its traffic goes to the home network's gateway
  bool has_ims = false;               // opens a second connection for voice
  bool tells_operator = false;        // its APN comes with an operator identifier
  uint8_t apn = 0;
  uint8_t partner = 0;  // the foreign network, if it roams
};

struct GtpNetworkOptions {
  uint64_t seed = 1;
  uint32_t enodebs = 200;
  int percent_3g = 15, percent_5g = 5, percent_inbound = 8, percent_outbound = 5;
  int percent_v6_transport = 10;  // of the eNodeBs
  base::Digits home_plmn;
};

class GtpNetwork {
 public:
  struct Partner {
    gtp::Plmn plmn;
    GtpNodeId mme, sgw, pgw, sgsn, enodeb;
  };

  explicit GtpNetwork(const GtpNetworkOptions& options);

  GtpNode& node(GtpNodeId id) { return nodes_[id]; }
  const GtpNode& node(GtpNodeId id) const { return nodes_[id]; }
  const std::vector<GtpNodeId>& mmes() const { return mmes_; }
  const std::vector<GtpNodeId>& sgws() const { return sgws_; }
  const std::vector<GtpNodeId>& pgws() const { return pgws_; }
  const std::vector<GtpNodeId>& sgsns() const { return sgsns_; }
  const std::vector<GtpNodeId>& enodebs() const { return enodebs_; }
  const std::vector<GtpNodeId>& gnodebs() const { return gnodebs_; }
  const std::vector<GtpNodeId>& upfs() const { return upfs_; }
  const Partner& partner(size_t i) const { return partners_[i]; }
  const std::vector<Partner>& partners() const { return partners_; }

  GtpProfile Profile(uint32_t subscriber) const;
  gtp::Plmn HomePlmn(const GtpProfile& profile) const;
  gtp::Plmn VisitedPlmn(const GtpProfile& profile) const;
  base::Digits Imsi(uint32_t subscriber, const GtpProfile& profile) const;
  base::Digits Msisdn(uint32_t subscriber) const;
  base::Digits Imei(uint32_t subscriber) const;  // IMEISV
  // As the messages tell it: with the operator identifier of the home network if the profile says so.
  std::string ApnText(const GtpProfile& profile, uint8_t apn) const;
  gtp::UeAddresses UeAddresses(uint32_t subscriber, uint8_t apn) const;

 private:
  GtpNodeId Add(uint32_t control_v4, uint32_t user_v4, bool has_v4, bool has_v6);

  const GtpNetworkOptions options_;
  std::vector<GtpNode> nodes_;
  std::vector<GtpNodeId> mmes_, sgws_, pgws_, sgsns_, enodebs_, gnodebs_, upfs_;
  std::vector<Partner> partners_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_GENERATE_GTP_NETWORK_H_
