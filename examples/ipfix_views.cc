// IPFIX read with the views alone, without a decoder, a layout or a plan: prints the fields of each template and the
// values of each record in a capture (a path, or standard input). What a decoder would do, keeping templates, is here
// done by hand.

#include <cinttypes>
#include <cstdio>
#include <map>
#include <string>
#include <tuple>

#include "flowacct/collector/capture/capture_reader.h"
#include "flowacct/collector/export/export_extractor.h"
#include "flowacct/flow/ipfix/message_view.h"

namespace ipfix = flowacct::ipfix;

void PrintTemplate(const ipfix::TemplateView& format) {
  std::printf("template %u%s:", format.id(), format.options() ? " of options" : "");
  ipfix::SpecifierReader fields = format.fields();
  for (ipfix::FieldSpecifier field; fields.Next(&field);) {
    std::printf(" %" PRIu32 ":%u(%u)", field.enterprise_number, field.id, field.length);
  }
  std::printf("\n");
}

void PrintRecord(const ipfix::RecordView& record) {
  std::printf("record %u:", record.format().id());
  ipfix::ValueReader values(record);
  for (ipfix::FieldView field; values.Next(&field);) {
    std::printf(" %u=", field.specifier.id);
    if (const auto number = field.Unsigned()) {
      std::printf("%" PRIu64, *number);
    } else {
      for (uint8_t octet : field.octets) std::printf("%02x", octet);
    }
  }
  std::printf("\n");
}

int main(int argc, char** argv) {
  auto reader = flowacct::collector::CaptureReader::Open(argc > 1 ? argv[1] : "-");
  if (!reader.ok()) return std::fprintf(stderr, "%s\n", reader.status().ToString().c_str()), 1;
  flowacct::collector::ExportExtractor extractor;
  flowacct::record::Datagram datagram;
  // By exporter, observation domain and id. A view borrows its datagram, so the octets are kept.
  std::map<std::tuple<std::string, uint32_t, uint16_t>, std::pair<bool, std::string>> templates;
  auto packets = (*reader)->NextBatch();
  for (; packets.ok() && !packets->empty(); packets = (*reader)->NextBatch()) {
    for (const flowacct::collector::CapturedPacket& packet : *packets) {
      ipfix::MessageView message;
      if (!extractor.Extract(packet, &datagram) || !ipfix::MessageView::Parse(datagram.octets, &message).ok()) continue;
      ipfix::SetReader sets = message.sets();
      for (ipfix::SetView set; sets.Next(&set);) {
        const auto key = [&](uint16_t id) {
          return std::make_tuple(datagram.source.ToString(), message.observation_domain_id(), id);
        };
        ipfix::TemplateReader formats(set);  // has none if it is a set of data
        for (ipfix::TemplateView format; formats.Next(&format);) {
          templates[key(format.id())] = {format.options(), std::string(flowacct::base::AsText(format.octets()))};
          PrintTemplate(format);
        }
        const auto kept = templates.find(key(set.id()));
        if (!set.is_data() || kept == templates.end()) continue;
        const auto& [options, octets] = kept->second;
        ipfix::TemplateView format;
        if (!ipfix::ParseTemplate(options, flowacct::base::AsOctets(octets), &format).ok()) continue;
        ipfix::RecordReader records(format, set);
        for (ipfix::RecordView record; records.Next(&record);) PrintRecord(record);
      }
    }
  }
  if (packets.ok()) return 0;
  return std::fprintf(stderr, "%s\n", packets.status().ToString().c_str()), 1;
}
