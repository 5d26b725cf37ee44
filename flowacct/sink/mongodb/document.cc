#include "flowacct/sink/mongodb/document.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace flowacct::sink::mongodb {
namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53

template <typename Tell>
void ForEachOf(const bson_t& document, const char* key, Tell tell) {
  bson_iter_t list, item;
  if (!bson_iter_init_find(&list, &document, key) || !BSON_ITER_HOLDS_ARRAY(&list)) return;
  if (!bson_iter_recurse(&list, &item)) return;
  while (bson_iter_next(&item)) tell(item);
}

}  // namespace

Document& Document::List(absl::string_view key, const std::vector<Document>& values) & {
  bson_t list;
  bson_append_array_begin(&bson_, key.data(), Size(key), &list);
  size_t i = 0;
  for (const Document& value : values) {
    const std::string index = absl::StrCat(i++);
    bson_append_document(&list, index.c_str(), Size(index), value.get());
  }
  bson_append_array_end(&bson_, &list);
  return *this;
}

Document ListOf(const std::vector<Document>& items) {
  Document list;
  size_t i = 0;
  for (const Document& item : items) {
    bson_iter_t at;
    if (!bson_iter_init(&at, item.get()) || !bson_iter_next(&at)) continue;
    const std::string index = absl::StrCat(i++);
    bson_append_iter(list.get(), index.c_str(), static_cast<int>(index.size()), &at);
  }
  return list;
}

std::optional<int64_t> WholeNumber(const bson_iter_t& at) {
  if (BSON_ITER_HOLDS_INT32(&at)) return bson_iter_int32(&at);
  if (BSON_ITER_HOLDS_INT64(&at)) return bson_iter_int64(&at);
  if (!BSON_ITER_HOLDS_DOUBLE(&at)) return std::nullopt;
  const double number = bson_iter_double(&at);
  if (!(std::fabs(number) <= kExact) || number != std::floor(number)) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::optional<int64_t> IntegerOf(const bson_t& document, const char* key) {
  bson_iter_t at;
  if (!bson_iter_init_find(&at, &document, key)) return std::nullopt;
  return WholeNumber(at);
}

std::string TextOf(const bson_t& document, const char* key) {
  bson_iter_t at;
  if (!bson_iter_init_find(&at, &document, key) || !BSON_ITER_HOLDS_UTF8(&at)) return "";
  uint32_t size = 0;
  const char* const text = bson_iter_utf8(&at, &size);
  return std::string(text, size);
}

std::optional<int64_t> SecondsOf(const bson_t& document, const char* key) {
  bson_iter_t at;
  if (!bson_iter_init_find(&at, &document, key) || !BSON_ITER_HOLDS_DATE_TIME(&at)) return std::nullopt;
  const int64_t milliseconds = bson_iter_date_time(&at);
  const int64_t over = milliseconds % 1000;
  return (milliseconds - (over < 0 ? over + 1000 : over)) / 1000;
}

std::optional<Document> DocumentOf(const bson_t& document, const char* key) {
  bson_iter_t at;
  if (!bson_iter_init_find(&at, &document, key) || !BSON_ITER_HOLDS_DOCUMENT(&at)) return std::nullopt;
  uint32_t size = 0;
  const uint8_t* octets = nullptr;
  bson_iter_document(&at, &size, &octets);
  bson_t part;
  if (!bson_init_static(&part, octets, size)) return std::nullopt;
  return Document(part);
}

std::vector<Document> DocumentsOf(const bson_t& document, const char* key) {
  std::vector<Document> documents;
  ForEachOf(document, key, [&](const bson_iter_t& item) {
    if (!BSON_ITER_HOLDS_DOCUMENT(&item)) return;
    uint32_t size = 0;
    const uint8_t* octets = nullptr;
    bson_iter_document(&item, &size, &octets);
    bson_t part;
    if (bson_init_static(&part, octets, size)) documents.emplace_back(part);
  });
  return documents;
}

std::vector<std::string> TextsOf(const bson_t& document, const char* key) {
  std::vector<std::string> texts;
  ForEachOf(document, key, [&](const bson_iter_t& item) {
    if (!BSON_ITER_HOLDS_UTF8(&item)) return;
    uint32_t size = 0;
    const char* const text = bson_iter_utf8(&item, &size);
    texts.emplace_back(text, size);
  });
  return texts;
}

bool IsFieldName(absl::string_view name) {
  return !name.empty() && name.find_first_of(absl::string_view("$.\0", 3)) == absl::string_view::npos &&
         bson_utf8_validate(name.data(), name.size(), /*allow_null=*/false);
}

}  // namespace flowacct::sink::mongodb
