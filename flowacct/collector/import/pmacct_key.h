// What is known of pmacct's configuration keys: one table (pmacct_keys.def), from which the importer's reading, the
// comments, the nearest right words and docs/reference/pmacct-keys.md follow.
//
// Lifetime: constant, as long as the program. Any thread. Only what returns strings allocates.

#ifndef FLOWACCT_COLLECTOR_IMPORT_PMACCT_KEY_H_
#define FLOWACCT_COLLECTOR_IMPORT_PMACCT_KEY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace flowacct::collector {

// What the importer reads a key as. Keys of one setting set the same thing in pmacct.
enum class Setting : uint8_t {
  kNone,
  // The daemon's: where traffic comes from.
  kPlugins,
  kPort,
  kAddress,
  kDevice,
  kReceiveBuffer,
  kAllowFile,
  kInterface,
  kInterfacesMap,
  kPcapFilter,
  kPcapProtocol,
  kDirection,
  kIfIndex,
  kPromiscuous,
  kSnapLength,
  kSaveFile,
  kSaveFileWait,
  kGroup,
  kNetlinkSize,
  kTunnel,
  kFlowLifetime,
  kFlowTcpLifetime,
  // The daemon's: what is made of it.
  kTimeNew,
  kUtc,
  kProRating,
  kStitching,
  kExternalRate,
  kRenormalize,
  kAs,
  kNet,
  kUseIpNextHop,
  kGeoip,
  kAggregatePrimitives,
  // Maps.
  kPreTagMap,
  kSamplingMap,
  kPeerAsType,
  kPeerAsMap,
  kRdMap,
  // Routes.
  kBgpDaemon,
  kBgpIp,
  kBgpPort,
  kBgpId,
  kBgpAs,
  kBgpMaxPeers,
  kBgpAllowFile,
  kBgpAgentMap,
  kBgpRadius,
  kRpkiRoasFile,
  kRpkiCache,
  kRpkiCacheVersion,
  kBgpFollowDefault,
  kBgpFollowNextHop,
  kBgpMessageLog,
  kBgpDumpFile,
  kBgpDumpEvery,
  kBmpDaemon,
  kBmpIp,
  kBmpPort,
  kBmpMaxPeers,
  kBmpAllowFile,
  kBmpMessageLog,
  kBmpDumpFile,
  kBmpDumpEvery,
  // A plugin's.
  kAggregate,
  kAggregateFilter,
  kPreTagFilter,
  kPreTag2Filter,
  kPreTagLabelFilter,
  kPostTag,
  kPostTag2,
  kSamplingRate,
  kNetworksFile,
  kNetworksMask,
  kNetworksNoLpm,
  kPortsFile,
  kRefreshTime,
  kHistory,
  kOutput,
  kOutputFile,
  kOutputAppend,
  kSeparator,
  kSqlDatabase,
  kSqlHost,
  kSqlPort,
  kSqlUser,
  kSqlPassword,
  kSqlCaFile,
  kSqlTable,
  kSqlRecovery,
  kMongoHost,
  kMongoTable,
  kMongoUser,
  kMongoPassword,
  kAmqpHost,
  kAmqpVhost,
  kAmqpUser,
  kAmqpPassword,
  kAmqpExchange,
  kAmqpRoutingKey,
  kAmqpRoundRobin,
  kAmqpOutput,
  kKafkaBrokers,
  kKafkaPort,
  kKafkaTopic,
  kKafkaRoundRobin,
  kKafkaPartition,
  kKafkaKey,
  kKafkaConfigFile,
  kKafkaOutput,
  kMemoryPath,
  kSource,
  kProbeReceiver,
  kProbeVersion,
  kProbeEngine,
  kProbeTimeouts,
  kProbeMaxFlows,
  kProbeDontCache,
  kSamplerReceiver,
  kSamplerSubAgent,
  kTeeReceivers,
  kTeeTransparent,
};

enum class KeyScope : uint8_t {
  kGlobal,  // a plugin's name behind it means nothing
  kPlugin,
};

enum class KeyStatus : uint8_t {
  kMapped,     // the same thing under another name
  kPartly,     // the same thing, but for some values
  kOtherWay,   // done otherwise here
  kNotYet,     // no counterpart yet
  kNotNeeded,  // nothing to configure
};
absl::string_view KeyStatusName(KeyStatus status);  // "no counterpart yet"

struct PmacctKey {
  Setting setting;
  absl::string_view names;  // with alternatives in braces
  absl::string_view daemons;
  KeyScope scope;
  KeyStatus status;
  absl::string_view counterpart;
  absl::string_view note;
  absl::string_view section;
};

// In the order of the table.
absl::Span<const PmacctKey> PmacctKeys();
// "{a,b}_c d" as a_c, b_c, d.
std::vector<std::string> KeyNames(absl::string_view names);
// Null for a name that is in no row. Cost: a hash look-up.
const PmacctKey* FindPmacctKey(absl::string_view name);
// What may have been meant; at most two.
std::vector<std::string> NearestPmacctKeys(absl::string_view name);
// A key of a secret, whose value is not to be shown.
bool IsSecretKey(absl::string_view name);
// A value that holds one whatever its key is: "https://user:secret@host/", "--password=secret".
bool IsSecretValue(absl::string_view value);

// docs/reference/pmacct-keys.md.
std::string PmacctKeysAsMarkdown();

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_PMACCT_KEY_H_
