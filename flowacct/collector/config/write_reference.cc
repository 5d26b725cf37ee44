// Writes docs/reference/configuration.md from the schema's own comments: config_proto.descriptors on the command line.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::SourceLocation;

template <typename D>
std::string Comment(const D& descriptor) {
  SourceLocation location;
  if (!descriptor.GetSourceLocation(&location)) return "";
  std::string text = location.leading_comments;
  if (text.empty()) text = location.trailing_comments;
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::string joined;
  for (std::string& line : lines) {
    absl::StripAsciiWhitespace(&line);
    if (!line.empty()) absl::StrAppend(&joined, joined.empty() ? "" : " ", line);
  }
  return joined;
}

std::string Cell(std::string text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

std::string TypeOf(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) {
    const std::string& name = field.message_type()->name();
    return absl::StrCat("[", name, "](#", absl::AsciiStrToLower(name), ")");
  }
  if (field.enum_type() != nullptr) {
    std::string words;
    for (int i = 0; i < field.enum_type()->value_count(); ++i) {
      absl::StrAppend(&words, i == 0 ? "" : ", ", field.enum_type()->value(i)->name());
    }
    return words;
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return "text";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    default:
      return "number";
  }
}

std::string DefaultOf(const FieldDescriptor& field) {
  if (field.is_required()) return "required";
  if (field.is_repeated()) return "any number";
  if (!field.has_default_value()) return "";
  if (field.enum_type() != nullptr) return field.default_value_enum()->name();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return absl::StrCat("\"", field.default_value_string(), "\"");
    case FieldDescriptor::CPPTYPE_BOOL:
      return field.default_value_bool() ? "true" : "false";
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(field.default_value_uint64());
    default:
      return absl::StrCat(field.default_value_uint32());
  }
}

void WriteMessage(const Descriptor& message, std::string* out) {
  absl::StrAppend(out, "\n## ", message.name(), "\n\n");
  if (const std::string comment = Comment(message); !comment.empty()) absl::StrAppend(out, comment, "\n\n");
  absl::StrAppend(out, "| key | value | default | |\n| --- | --- | --- | --- |\n");
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    std::string text = Comment(field);
    if (const EnumDescriptor* type = field.enum_type(); type != nullptr) {
      for (int v = 0; v < type->value_count(); ++v) {
        const std::string meaning = Comment(*type->value(v));
        if (!meaning.empty()) absl::StrAppend(&text, " `", type->value(v)->name(), "`: ", meaning);
      }
    }
    absl::StrAppend(out, "| `", field.name(), "` | ", TypeOf(field), " | ", Cell(DefaultOf(field)), " | ", Cell(text),
                    " |\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: write_reference DESCRIPTORS\n");
    return 2;
  }
  std::ifstream in(argv[1], std::ios::binary);
  google::protobuf::FileDescriptorSet set;
  if (!in || !set.ParseFromIstream(&in) || set.file_size() != 1) {
    std::fprintf(stderr, "%s: is no set of one descriptor\n", argv[1]);
    return 1;
  }
  DescriptorPool pool;
  const google::protobuf::FileDescriptor* file = pool.BuildFile(set.file(0));
  if (file == nullptr) return 1;
  std::string out =
      "# Configuration of flowacct-collector\n\n"
      "Written by `tools/config_reference` from `flowacct/collector/config/config.proto`; do not edit. The form is "
      "that "
      "of Protocol Buffers' text format: `key: value` for values, `key { ... }` for parts, `#` for comments, text in "
      "quotes. Durations are written `\"30s\"`, `\"5m\"`, `\"1h\"`, `\"1d\"`; sizes `\"64KiB\"`, `\"8MiB\"`, "
      "`\"1GiB\"`. An unknown word is an error, with the nearest right one; `flowacct-collector --check --config FILE` "
      "tells before anything runs.\n";
  for (int i = 0; i < file->message_type_count(); ++i) WriteMessage(*file->message_type(i), &out);
  std::fputs(out.c_str(), stdout);
  return 0;
}
