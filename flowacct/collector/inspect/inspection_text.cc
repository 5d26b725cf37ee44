#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "flowacct/collector/inspect/inspection.h"
#include "flowacct/packet/link_type.h"
#include "flowacct/record/protocol_names.h"
#include "flowacct/record/value_text.h"

namespace flowacct::collector {
namespace {

std::string TimeText(int64_t nanos) {
  char buffer[32];
  return std::string(buffer, static_cast<size_t>(record::WriteTime(nanos, buffer) - buffer));
}

std::string Quoted(absl::string_view text) {
  std::string out;
  record::AppendJsonString(text, &out);
  return out;
}

std::string Printable(absl::string_view text) {
  std::string out;
  record::AppendPrintable(text, &out);
  return out;
}

std::string ProtocolText(uint8_t protocol) {
  const absl::string_view name = record::ProtocolName(protocol);
  return name.empty() ? absl::StrCat(protocol) : std::string(name);
}

std::string FieldText(const record::TemplateFieldReport& field) {
  return absl::StrCat(Printable(field.name), "(", field.length == 65535 ? "var" : absl::StrCat(field.length), ")",
                      field.scope ? "*" : "");
}

void AppendSequence(absl::string_view title, const record::SequenceCounters& sequence, std::string* out) {
  if (sequence.gaps + sequence.reordered + sequence.restarts == 0) {
    absl::StrAppend(out, "  ", title, ": no gaps\n");
    return;
  }
  absl::StrAppend(out, "  ", title, ": ", sequence.gaps, " gaps, about ", sequence.lost, " ", sequence.unit, " lost; ",
                  sequence.reordered, " reordered, ", sequence.restarts, " restarts\n");
}

std::string SequenceJson(const record::SequenceCounters& sequence) {
  return absl::StrCat("{\"unit\":", Quoted(sequence.unit), ",\"gaps\":", sequence.gaps, ",\"lost\":", sequence.lost,
                      ",\"reordered\":", sequence.reordered, ",\"restarts\":", sequence.restarts,
                      ",\"lost_over_restart\":", sequence.lost_over_restart, "}");
}

std::string WhoseText(const record::ExporterReport& e) {
  switch (e.scope) {
    case record::ExporterScope::kDomain:
      break;
    case record::ExporterScope::kForgotten:
      return absl::StrCat(e.domains, " domains forgotten for their silence  ", e.protocol);
    case record::ExporterScope::kBeyond:
      return absl::StrCat("exporters beyond the bound  ", e.protocol);
    case record::ExporterScope::kUnreadable:
      return absl::StrCat("datagrams whose header could not be read  ", e.protocol);
  }
  return absl::StrCat("exporter ", e.exporter.ToString(), "  ", e.protocol, "  domain ", e.domain);
}

void AppendExporter(const record::ExporterReport& e, std::string* out) {
  absl::StrAppend(out, "\n", WhoseText(e), "\n");
  std::vector<std::string> volumes;
  for (const record::ExporterCounter& counter : record::ExporterCounterTable()) {
    if (counter.kind != record::ExporterCounterKind::kVolume || e.*counter.value == 0) continue;
    volumes.push_back(record::ExporterCounterText(counter, e.*counter.value));
  }
  absl::StrAppend(out, "  ", absl::StrJoin(volumes, ", "), "\n");
  if (!e.sequence.unit.empty()) AppendSequence("sequence", e.sequence, out);
  if (!e.sample_sequence.unit.empty()) AppendSequence("sequence of samples", e.sample_sequence, out);
  for (const record::SamplingReport& s : e.sampling) {
    absl::StrAppend(out, "  sampling: ", Printable(s.what), ": 1 in ", s.rate, " (told by ",
                    record::SamplingSourceName(s.source), ")\n");
  }
  for (const record::TemplateReport& t : e.templates) {
    absl::StrAppend(out, "  template ", t.id, " (", record::RecordKindName(t.kind), "): ", t.records,
                    " records, defined ", t.definitions, " times",
                    t.redefinitions > 0 ? absl::StrCat(", ", t.redefinitions, " with other fields") : "", "\n");
    std::string line = "   ";
    for (const record::TemplateFieldReport& field : t.fields) {
      const std::string text = FieldText(field);
      if (line.size() + text.size() > 110) {
        absl::StrAppend(out, line, "\n");
        line = "   ";
      }
      absl::StrAppend(&line, " ", text);
    }
    absl::StrAppend(out, line, "\n");
  }
  if (!e.interfaces.empty()) {
    absl::StrAppend(
        out, "  interfaces: ",
        absl::StrJoin(e.interfaces, ", ",
                      [](std::string* o, const auto& i) { absl::StrAppend(o, i.first, "=", Printable(i.second)); }),
        "\n");
  }
  if (e.pending_sets > 0) absl::StrAppend(out, "  ", e.pending_sets, " data sets wait for their template\n");
  for (const record::ExporterCounter& counter : record::ExporterCounterTable()) {
    if (counter.kind != record::ExporterCounterKind::kIncident || e.*counter.value == 0) continue;
    absl::StrAppend(out, "  ", record::ExporterCounterText(counter, e.*counter.value), "\n");
  }
  for (size_t i = 1; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    if (e.errors[code] == 0) continue;
    absl::StrAppend(out, "  errors: ", e.errors[code], " ", base::DecodeCodeName(code), " (",
                    base::DecodeCodeHelp(code), ")\n");
  }
}

void AppendExporterJson(const record::ExporterReport& e, std::string* out) {
  absl::StrAppend(out, "{\"exporter\":\"", e.exporter.ToString(), "\",\"protocol\":\"", e.protocol,
                  "\",\"domain\":", e.domain, ",\"scope\":\"", record::ExporterScopeName(e.scope), "\"");
  for (const record::ExporterCounter& counter : record::ExporterCounterTable()) {
    absl::StrAppend(out, ",\"", counter.name, "\":", e.*counter.value);
  }
  absl::StrAppend(out, ",\"pending_sets\":", e.pending_sets);
  absl::StrAppend(out, ",\"sequence\":", SequenceJson(e.sequence),
                  ",\"sample_sequence\":", SequenceJson(e.sample_sequence), ",\"templates\":[");
  absl::StrAppend(out, absl::StrJoin(e.templates, ",", [](std::string* o, const record::TemplateReport& t) {
                    absl::StrAppend(o, "{\"id\":", t.id, ",\"kind\":\"", record::RecordKindName(t.kind),
                                    "\",\"records\":", t.records, ",\"definitions\":", t.definitions,
                                    ",\"redefinitions\":", t.redefinitions, ",\"fields\":[",
                                    absl::StrJoin(t.fields, ",",
                                                  [](std::string* p, const record::TemplateFieldReport& f) {
                                                    absl::StrAppend(p, "{\"name\":", Quoted(f.name),
                                                                    ",\"length\":", f.length,
                                                                    ",\"scope\":", f.scope ? "true" : "false", "}");
                                                  }),
                                    "]}");
                  }));
  absl::StrAppend(out, "],\"sampling\":[",
                  absl::StrJoin(e.sampling, ",",
                                [](std::string* o, const record::SamplingReport& s) {
                                  absl::StrAppend(o, "{\"what\":", Quoted(s.what), ",\"rate\":", s.rate,
                                                  ",\"source\":\"", record::SamplingSourceName(s.source), "\"}");
                                }),
                  "],\"interfaces\":{");
  absl::StrAppend(
      out,
      absl::StrJoin(e.interfaces, ",",
                    [](std::string* o, const auto& i) { absl::StrAppend(o, "\"", i.first, "\":", Quoted(i.second)); }),
      "},\"errors\":{");
  bool first = true;
  for (size_t i = 1; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    if (e.errors[code] == 0) continue;
    absl::StrAppend(out, first ? "" : ",", "\"", base::DecodeCodeName(code), "\":", e.errors[code]);
    first = false;
  }
  absl::StrAppend(out, "}}");
}

std::string SumsJson(const TrafficSums& sums) {
  return absl::StrCat("{\"records\":", sums.records, ",\"packets\":", sums.packets, ",\"bytes\":", sums.bytes, "}");
}

}  // namespace

std::string InspectionAsText(const Inspection& inspection) {
  std::string out;
  for (const InspectedFile& file : inspection.files) {
    absl::StrAppend(&out, file.name, ": ", file.format,
                    file.compression == "none" ? "" : absl::StrCat(", ", file.compression), ", ", file.packets,
                    " packets");
    if (file.packets > 0) absl::StrAppend(&out, ", ", TimeText(file.first_nanos), " to ", TimeText(file.last_nanos));
    absl::StrAppend(&out, "\n  link types: ",
                    absl::StrJoin(file.link_types, ", ",
                                  [](std::string* o, uint16_t type) {
                                    absl::StrAppend(o, packet::LinkTypeName(static_cast<packet::LinkType>(type)));
                                  }),
                    "\n");
    if (file.packets > 0) absl::StrAppend(&out, "  holds ", file.evidence.ToString(), "\n");
  }
  for (const record::ExporterReport& exporter : inspection.exporters) AppendExporter(exporter, &out);
  if (!inspection.by_protocol.empty() || inspection.without_protocol.records > 0) {
    absl::StrAppendFormat(&out, "\n%-16s %14s %16s %20s\n", "protocol", "records", "packets", "bytes");
    for (const auto& [protocol, sums] : inspection.by_protocol) {
      absl::StrAppendFormat(&out, "%-16s %14d %16d %20d\n", ProtocolText(protocol), sums.records, sums.packets,
                            sums.bytes);
    }
    const TrafficSums& none = inspection.without_protocol;
    if (none.records > 0)
      absl::StrAppendFormat(&out, "%-16s %14d %16d %20d\n", "(not told)", none.records, none.packets, none.bytes);
    absl::StrAppend(&out, "packets and bytes as told, sampled ones not multiplied\n");
  }
  if (inspection.counter_rows > 0) absl::StrAppend(&out, inspection.counter_rows, " counter values\n");
  const ExtractCounters& extracted = inspection.input.extracted;
  if (extracted.packets > 0) {
    absl::StrAppend(&out, "\n", extracted.packets, " packets: ", extracted.datagrams, " UDP datagrams (",
                    extracted.reassembled, " put together from fragments, ", extracted.cut, " cut), ", extracted.other,
                    " other, ", extracted.fragments, " fragments, ", extracted.undecodable, " undecodable\n");
    if (inspection.input.fragmented_lost() + inspection.input.reassembly.malformed > 0) {
      absl::StrAppend(&out, inspection.input.fragmented_lost(), " fragmented datagrams never became whole, ",
                      inspection.input.reassembly.malformed, " fragments malformed or cut\n");
    }
  }
  const packet::PacketCounters& accounted = inspection.input.accounted;
  if (accounted.frames > 0) {
    absl::StrAppend(&out, "\n", accounted.frames, " frames: ", accounted.accounted, " accounted, ", accounted.not_ip,
                    " without IP, ", accounted.errors.errors(), " malformed");
    absl::StrAppend(&out, "; ", accounted.fragments, " fragments (", accounted.fragments_followed, " followed, ",
                    accounted.fragments_without_first, " whose first is missing), ", accounted.snapped,
                    " cut within the headers, ", accounted.depth_not_reached,
                    " whose inside did not reach the depth\n");
  }
  if (!inspection.errors.empty()) absl::StrAppend(&out, "\nwhat could not be decoded:\n");
  for (const InspectedError& error : inspection.errors) {
    absl::StrAppend(&out, "  ", error.file, " ", error.unit, " ", error.number);
    if (error.unit == "datagram") absl::StrAppend(&out, " from ", error.source.ToString(), " (", error.protocol, ")");
    absl::StrAppend(&out, ", octet ", error.result.offset, ": ", base::DecodeCodeName(error.result.code), ", ",
                    base::DecodeCodeHelp(error.result.code), "\n");
  }
  const uint64_t errors = inspection.input.datagram_errors.errors() + accounted.errors.errors();
  if (errors > inspection.errors.size()) absl::StrAppend(&out, "  and ", errors - inspection.errors.size(), " more\n");
  if (inspection.interrupted) absl::StrAppend(&out, "incomplete: interrupted\n");
  return out;
}

std::string InspectionAsJson(const Inspection& inspection) {
  std::string out = "{\"files\":[";
  absl::StrAppend(&out, absl::StrJoin(inspection.files, ",", [](std::string* o, const InspectedFile& f) {
    absl::StrAppend(o, "{\"name\":", Quoted(f.name), ",\"format\":\"", f.format, "\",\"compression\":\"", f.compression,
                    "\",\"packets\":", f.packets, ",\"holds\":\"", CaptureKindName(f.evidence.kind),
                    "\",\"evidence\":", Quoted(f.evidence.ToString()));
    absl::StrAppend(
        o, ",\"first\":\"", TimeText(f.first_nanos), "\",\"last\":\"", TimeText(f.last_nanos), "\",\"link_types\":[",
        absl::StrJoin(f.link_types, ",",
                      [](std::string* p, uint16_t type) {
                        absl::StrAppend(p, Quoted(packet::LinkTypeName(static_cast<packet::LinkType>(type))));
                      }),
        "]}");
  }));
  absl::StrAppend(&out, "],\"exporters\":[");
  bool first = true;
  for (const record::ExporterReport& exporter : inspection.exporters) {
    if (!first) out.push_back(',');
    first = false;
    AppendExporterJson(exporter, &out);
  }
  absl::StrAppend(&out, "],\"by_protocol\":{");
  first = true;
  for (const auto& [protocol, sums] : inspection.by_protocol) {
    absl::StrAppend(&out, first ? "" : ",", Quoted(ProtocolText(protocol)), ":", SumsJson(sums));
    first = false;
  }
  const ExtractCounters& extracted = inspection.input.extracted;
  const packet::PacketCounters& accounted = inspection.input.accounted;
  absl::StrAppend(&out, "},\"without_protocol\":", SumsJson(inspection.without_protocol),
                  ",\"counter_values\":", inspection.counter_rows);
  absl::StrAppend(&out, ",\"extracted\":{\"packets\":", extracted.packets, ",\"datagrams\":", extracted.datagrams,
                  ",\"other\":", extracted.other, ",\"fragments\":", extracted.fragments);
  absl::StrAppend(&out, ",\"undecodable\":", extracted.undecodable, ",\"reassembled\":", extracted.reassembled,
                  ",\"cut\":", extracted.cut, ",\"fragmented_lost\":", inspection.input.fragmented_lost(),
                  ",\"fragments_malformed\":", inspection.input.reassembly.malformed, "}");
  absl::StrAppend(&out, ",\"frames\":{\"frames\":", accounted.frames, ",\"accounted\":", accounted.accounted,
                  ",\"not_ip\":", accounted.not_ip, ",\"malformed\":", accounted.errors.errors());
  absl::StrAppend(
      &out, ",\"fragments\":", accounted.fragments, ",\"fragments_followed\":", accounted.fragments_followed,
      ",\"fragments_without_first\":", accounted.fragments_without_first, ",\"snapped\":", accounted.snapped,
      ",\"depth_not_reached\":", accounted.depth_not_reached, "},\"errors\":[");
  absl::StrAppend(&out, absl::StrJoin(inspection.errors, ",", [](std::string* o, const InspectedError& e) {
    absl::StrAppend(o, "{\"file\":", Quoted(e.file), ",\"unit\":\"", e.unit, "\",\"number\":", e.number,
                    ",\"protocol\":", Quoted(e.protocol), ",\"source\":\"", e.source.ToString());
    absl::StrAppend(o, "\",\"reason\":\"", base::DecodeCodeName(e.result.code), "\",\"offset\":", e.result.offset, "}");
  }));
  absl::StrAppend(&out, "],\"incomplete\":", inspection.interrupted || !inspection.failures.empty() ? "true" : "false",
                  "}\n");
  return out;
}

}  // namespace flowacct::collector
