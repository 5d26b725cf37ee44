// The inputs of an import: where a pmacct daemon gets its traffic from.
//
// What listens for exports has one input. What sees packets has one for each way in which its plugins want them: as
// packets or as flows, sampled, filtered where our filter language cannot say it.

#ifndef FLOWACCT_COLLECTOR_IMPORT_INPUT_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_INPUT_IMPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/collector/import/config_writer.h"
#include "flowacct/collector/import/import_context.h"

namespace flowacct::collector {

// Of packets, what a plugin wants.
struct InputNeed {
  std::string filter;          // libpcap's, beside the daemon's
  uint64_t sampling_rate = 1;  // one in so many
  std::string sampling_from;
  // Of a meter: key and value as they stand in the configuration, and where they come from; none: packets one by one.
  struct MeterValue {
    std::string name, value, from;
    bool quoted = true;
    friend bool operator==(const MeterValue& a, const MeterValue& b) { return a.name == b.name && a.value == b.value; }
  };
  bool metered = false;
  std::vector<MeterValue> meter;

  friend bool operator==(const InputNeed& a, const InputNeed& b) {
    return a.filter == b.filter && a.sampling_rate == b.sampling_rate && a.metered == b.metered && a.meter == b.meter;
  }
};

class InputImport {
 public:
  explicit InputImport(ImportContext* context);

  // Packets of interfaces: the kernel filters and samples. Otherwise a need has neither.
  bool HasKernelFilter() const;
  // What our filter has to say of the daemon's own filter, where no kernel does. Empty: nothing.
  const std::string& where() const { return where_; }
  // Which input has what is needed: a number for NamesOf.
  size_t Add(const InputNeed& need);
  // By the number that Add gave; empty if all inputs are meant.
  std::vector<std::string> NamesOf(size_t need) const;
  // All of them.
  void Write(ConfigWriter* out);

 private:
  enum class Kind { kUdp, kInterface, kNflog, kCaptures };
  // Devices of one direction.
  struct Devices {
    std::vector<std::string> names;
    std::string direction;  // "", "IN", "OUT"
    std::string from;
  };

  std::string NameOf(size_t need, size_t devices) const;
  void FindDevices();
  void WriteUdp(ConfigWriter* out);
  void WriteAllowed(ConfigWriter* out);
  void WriteInterface(const InputNeed& need, const Devices& devices, ConfigWriter* out);
  void WriteNflog(ConfigWriter* out);
  void WriteSnapLength(ConfigWriter* out);
  void WriteCaptures(ConfigWriter* out);
  std::string KernelFilter(const InputNeed& need, std::string* from);

  ImportContext* context_;
  Kind kind_;
  std::vector<Devices> devices_;
  std::vector<InputNeed> needs_;
  std::string where_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_INPUT_IMPORT_H_
