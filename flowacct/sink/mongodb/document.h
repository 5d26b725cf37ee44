// A BSON document that owns its octets, and what is read from one.
//
//     Document().Add("bin_start", Document().Seconds("$gte", from)).Text("name", name)
//
// Standard: BSON 1.1. Guaranteed: values are values, whatever is in them; keys are written in the program, or names
// that IsFieldName let pass. Threads: any, as values. Errors: none; a document beyond 2 GiB is cut.

#ifndef FLOWACCT_SINK_MONGODB_DOCUMENT_H_
#define FLOWACCT_SINK_MONGODB_DOCUMENT_H_

#include <bson/bson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::sink::mongodb {

class Document {
 public:
  Document() { bson_init(&bson_); }
  explicit Document(const bson_t& copied) { bson_copy_to(&copied, &bson_); }
  ~Document() { bson_destroy(&bson_); }
  Document(Document&& other) noexcept {
    bson_init(&bson_);
    *this = std::move(other);
  }
  Document& operator=(Document&& other) noexcept {
    if (this == &other) return *this;
    bson_destroy(&bson_);
    bson_steal(&bson_, &other.bson_);
    bson_init(&other.bson_);
    return *this;
  }
  Document(const Document& other) { bson_copy_to(&other.bson_, &bson_); }
  Document& operator=(const Document& other) { return *this = Document(other); }

  const bson_t* get() const { return &bson_; }
  bson_t* get() { return &bson_; }
  bool empty() const { return bson_empty(&bson_); }
  void Clear() { bson_reinit(&bson_); }

  Document& Integer(absl::string_view key, int64_t value) & {
    bson_append_int64(&bson_, key.data(), Size(key), value);
    return *this;
  }
  Document& Real(absl::string_view key, double value) & {
    bson_append_double(&bson_, key.data(), Size(key), value);
    return *this;
  }
  // UTF-8 without NUL.
  Document& Text(absl::string_view key, absl::string_view value) & {
    bson_append_utf8(&bson_, key.data(), Size(key), value.data(), Size(value));
    return *this;
  }
  Document& Octets(absl::string_view key, absl::string_view value) & {
    bson_append_binary(&bson_, key.data(), Size(key), BSON_SUBTYPE_BINARY,
                       reinterpret_cast<const uint8_t*>(value.data()), static_cast<uint32_t>(value.size()));
    return *this;
  }
  // A time in whole seconds since 1970.
  Document& Seconds(absl::string_view key, int64_t seconds) & {
    bson_append_date_time(&bson_, key.data(), Size(key), seconds * 1000);
    return *this;
  }
  Document& Id(absl::string_view key, const bson_oid_t& id) & {
    bson_append_oid(&bson_, key.data(), Size(key), &id);
    return *this;
  }
  Document& Bool(absl::string_view key, bool value) & {
    bson_append_bool(&bson_, key.data(), Size(key), value);
    return *this;
  }
  Document& Null(absl::string_view key) & {
    bson_append_null(&bson_, key.data(), Size(key));
    return *this;
  }
  Document& Add(absl::string_view key, const Document& value) & {
    bson_append_document(&bson_, key.data(), Size(key), value.get());
    return *this;
  }
  Document& List(absl::string_view key, const std::vector<Document>& values) &;

  // The same of a temporary, which goes on being one.
  Document&& Integer(absl::string_view key, int64_t value) && { return std::move(Integer(key, value)); }
  Document&& Real(absl::string_view key, double value) && { return std::move(Real(key, value)); }
  Document&& Text(absl::string_view key, absl::string_view value) && { return std::move(Text(key, value)); }
  Document&& Octets(absl::string_view key, absl::string_view value) && { return std::move(Octets(key, value)); }
  Document&& Seconds(absl::string_view key, int64_t seconds) && { return std::move(Seconds(key, seconds)); }
  Document&& Id(absl::string_view key, const bson_oid_t& id) && { return std::move(Id(key, id)); }
  Document&& Bool(absl::string_view key, bool value) && { return std::move(Bool(key, value)); }
  Document&& Null(absl::string_view key) && { return std::move(Null(key)); }
  Document&& Add(absl::string_view key, const Document& value) && { return std::move(Add(key, value)); }
  Document&& List(absl::string_view key, const std::vector<Document>& values) && {
    return std::move(List(key, values));
  }

 private:
  static int Size(absl::string_view text) { return static_cast<int>(text.size()); }

  bson_t bson_;
};

// A list of what is not documents: text, numbers. `item` is Document with one element, whose key is not looked at.
Document ListOf(const std::vector<Document>& items);

// A whole number, whichever of BSON's types of numbers has it; nothing of a fraction, or of a double beyond 2^53, which
// may be another number than was meant.
std::optional<int64_t> WholeNumber(const bson_iter_t& at);
// Of an element of `document`; nothing, or "", if it is not there or of another type.
std::optional<int64_t> IntegerOf(const bson_t& document, const char* key);
std::string TextOf(const bson_t& document, const char* key);
// Seconds since 1970, rounded down.
std::optional<int64_t> SecondsOf(const bson_t& document, const char* key);
std::optional<Document> DocumentOf(const bson_t& document, const char* key);
// Of a list of documents, or of numbers; what is of another type is left out.
std::vector<Document> DocumentsOf(const bson_t& document, const char* key);
std::vector<std::string> TextsOf(const bson_t& document, const char* key);

// Whether it can be a field's name in every place where MongoDB takes one: UTF-8, not empty, without NUL, "$" and ".".
bool IsFieldName(absl::string_view name);

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_DOCUMENT_H_
