// pmacct's bgp_daemon and its like: the speaker, and how its routes are put into records.

#ifndef FLOWACCT_COLLECTOR_IMPORT_ROUTING_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_ROUTING_IMPORT_H_

#include "flowacct/collector/import/config_writer.h"
#include "flowacct/collector/import/import_context.h"

namespace flowacct::collector {

class RoutingImport {
 public:
  explicit RoutingImport(ImportContext* context) : context_(context) {}

  // Whether routers peer with the daemon.
  bool active();
  // The `bgp` of the configuration; nothing if it is not active.
  void Write(ConfigWriter* out);
  // The `rpki` of the configuration; nothing if no cache or file is named.
  void WriteRpki(ConfigWriter* out);
  // The `routes` of a pipeline's `enrich`; nothing if it is not active.
  void WriteRoutes(ConfigWriter* out);

 private:
  void WriteAllowed(ConfigWriter* out);
  void WriteMap(ConfigWriter* out);
  void WriteLogs(ConfigWriter* out);

  ImportContext* context_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_ROUTING_IMPORT_H_
