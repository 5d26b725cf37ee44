// A sink that was made of the configuration, and what it is called in status and log.

#ifndef FLOWACCT_COLLECTOR_SERVER_NAMED_SINK_H_
#define FLOWACCT_COLLECTOR_SERVER_NAMED_SINK_H_

#include <memory>
#include <string>

#include "flowacct/sink/sink.h"

namespace flowacct::collector {

struct NamedSink {
  std::string kind;  // "sqlite", "kafka"
  std::string to;    // a path, a broker; of database servers nothing
  std::unique_ptr<sink::Sink> sink;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_NAMED_SINK_H_
