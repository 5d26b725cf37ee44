// pmacct's bgp_daemon, bmp_daemon and their like: who tells routes, and how these are put into records.

#ifndef FLOWACCT_COLLECTOR_IMPORT_ROUTING_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_ROUTING_IMPORT_H_

#include "flowacct/collector/import/config_writer.h"
#include "flowacct/collector/import/import_context.h"

namespace flowacct::collector {

class RoutingImport {
 public:
  explicit RoutingImport(ImportContext* context) : context_(context) {}

  // Whether routers tell their routes.
  bool active();
  // The `bgp` and `bmp` of the configuration; nothing of what is not active.
  void Write(ConfigWriter* out);
  // The `rpki` of the configuration; nothing if no cache or file is named.
  void WriteRpki(ConfigWriter* out);
  // The `routes` of a pipeline's `enrich`; nothing if it is not active.
  void WriteRoutes(ConfigWriter* out);

 private:
  void WriteBgp(ConfigWriter* out);
  void WriteBmp(ConfigWriter* out);
  void WriteMap(ConfigWriter* out);

  ImportContext* context_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_ROUTING_IMPORT_H_
