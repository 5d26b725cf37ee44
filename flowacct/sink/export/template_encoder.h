// The exporter of NetFlow v9 (RFC 3954) and IPFIX (RFC 7011): templates, options and data records.
//
// A template tells exactly the fields that a row has (record_template.h) and comes before the first data that needs it
// and again after each refresh; ids are not used twice before 65,000 others were. Rows of one template are told side by
// side, so that a datagram has few sets. Sequence numbers: v9 counts datagrams of the source id (RFC 3954, 5.1), IPFIX
// data records of the session (RFC 7011, 3.1). v9's export time is rounded up to the second, and its uptime is that of
// this second, so that times that are told in uptime are exact to the millisecond and never lie after the export.
// Sampling: v9 tells samplingInterval and samplingAlgorithm (34, 35) of the system; IPFIX a selector (302) that takes
// one packet and leaves out the others (304 to 306, RFC 5477), to which each data record refers.
// A transport with sessions is given what each of them begins with (RFC 7011, 8.4 and 10.4.3), and nothing is told anew
// within one. Ownership, threads, errors: export_encoder.h. Cost: a step a field (record_template.h); no allocation a
// row.

#ifndef FLOWACCT_SINK_EXPORT_TEMPLATE_ENCODER_H_
#define FLOWACCT_SINK_EXPORT_TEMPLATE_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "flowacct/sink/export/export_encoder.h"
#include "flowacct/sink/export/export_options.h"
#include "flowacct/sink/export/record_template.h"

namespace flowacct::sink {

class TemplateEncoder final : public ExportEncoder {
 public:
  // InvalidArgument for an option that cannot be, such as a field that the format has no element for.
  static absl::StatusOr<std::unique_ptr<TemplateEncoder>> New(ExportOptions options, ExportTransport* transport);

  void Bind(const record::Layout* layout) override;
  void Add(const record::FlowBatch& flows, absl::Time now) override;
  void Flush(absl::Time now) override;
  // What waits is lost, and counted: Flush before if the old end still takes it.
  void Restart() override;

  // Templates that were made so far; those of other layouts too.
  uint64_t templates() const { return templates_made_; }

 private:
  TemplateEncoder(ExportOptions options, ExportTransport* transport, std::vector<record::FieldId> fields);

  struct Announced {
    RecordTemplate format;
    uint64_t round;     // the refresh in which it was told last
    bool filled;        // stands for rows that lack some of its fields
    uint32_t rows = 0;  // of the batch at hand
  };

  bool v9() const { return options_.format == ExportFormat::kNetflow9; }
  uint32_t TemplateFor(const RowPattern& pattern);
  uint32_t NewTemplate(const RowPattern& pattern, bool filled);
  void AddRow(Announced& announced, const uint8_t* row, const base::Interner& interner);

  // The datagram at hand. Begun when something is to be said, with templates and options if they are due.
  void Begin();
  void Finish();
  // Tells the transport all templates and options, in messages beside the one at hand.
  void SetPreamble();
  bool HasRoom(uint16_t set_id, size_t octets) const;
  // Room for `octets` in a set; another datagram if it must be. The caller writes them.
  uint8_t* Append(uint16_t set_id, size_t octets);
  void CloseSet();
  void AppendTemplate(const RecordTemplate& format);
  void AppendSampling();
  void AppendInterfaces();
  void AppendElements();

  const ExportOptions options_;
  const std::vector<record::FieldId> fields_;
  const ExportTimes times_;
  const uint8_t selector_;  // 0: none
  int64_t boot_nanos_ = 0;
  int64_t now_nanos_ = 0;

  ExportColumns columns_;
  std::vector<std::unique_ptr<Announced>> templates_;
  absl::flat_hash_map<RowPattern, uint32_t> by_pattern_;
  uint32_t full_[2];  // templates of rows beyond max_templates: IPv4, IPv6
  uint16_t next_id_;
  std::vector<uint16_t> own_elements_;  // ids
  uint64_t templates_made_ = 0;

  // Of the batch at hand: the template of each row, and the rows by template.
  std::vector<uint32_t> row_templates_, order_;

  std::vector<uint8_t> buffer_;
  size_t size_ = 0;       // 0: not begun
  size_t set_start_ = 0;  // 0: no set is open
  uint16_t set_id_ = 0;
  size_t set_record_octets_ = 0;  // of the shortest in it
  uint32_t data_records_ = 0, template_records_ = 0;
  uint32_t sequence_ = 0;
  std::vector<uint8_t>* preamble_ = nullptr;  // where datagrams go while it is written
  uint64_t templates_in_preamble_ = 0;

  uint64_t round_ = 0;           // of refreshes
  bool refresh_asked_ = true;    // due whatever the time
  bool round_has_data_ = false;  // since the last refresh; else another one would say the same again
  uint32_t datagrams_since_refresh_ = 0;
  int64_t refresh_nanos_ = 0;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_TEMPLATE_ENCODER_H_
