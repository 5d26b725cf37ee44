// The replicas of an import: what pmacct's tee plugin hands on.
//
// A pool of receivers becomes a replica. Tags that only say who exported become the replica's exporters; others are
// said to be lost.

#ifndef FLOWACCT_COLLECTOR_IMPORT_REPLICA_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_REPLICA_IMPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/collector/import/config_writer.h"
#include "flowacct/collector/import/import_context.h"

namespace flowacct::collector {

class ReplicaImport {
 public:
  explicit ReplicaImport(ImportContext* context) : context_(context) {}

  // One plugin of the type tee. Its replicas are written by Write.
  void Add(const Plugin& plugin);
  void Write(const Plugin& plugin, ConfigWriter* out) const;
  bool empty() const { return replicas_.empty(); }

 private:
  // Whose datagrams have a tag.
  struct TaggedExporter {
    uint64_t tag;
    std::string prefix;
  };
  struct Replica {
    const Plugin* plugin;
    ConfigWriter text;
  };
  // Empty where tags depend on more than the exporter, which is said.
  std::vector<TaggedExporter> ExportersByTag(const Plugin& plugin);
  void WriteExporters(const Statement* receivers, const MapLine& pool, const std::vector<TaggedExporter>& tagged,
                      ConfigWriter* out);

  ImportContext* context_;
  std::vector<Replica> replicas_;
  std::vector<std::string> names_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_REPLICA_IMPORT_H_
