#include "flowacct/sink/sqlite/row_feed.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace flowacct::sink::sqlite {
namespace {

using sql::Cell;

constexpr absl::string_view kName = "flowacct_rows_";

void Tell(sqlite3_context* context, const Cell& cell) {
  // The cell outlives the row; a null pointer would be NULL.
  const char* const octets = cell.octets.empty() ? "" : cell.octets.data();
  switch (cell.kind) {
    case Cell::Kind::kInteger:
      return sqlite3_result_int64(context, cell.integer);
    case Cell::Kind::kOctets:
      return sqlite3_result_blob64(context, octets, cell.octets.size(), SQLITE_STATIC);
    case Cell::Kind::kText:
      return sqlite3_result_text64(context, octets, cell.octets.size(), SQLITE_STATIC, SQLITE_UTF8);
    case Cell::Kind::kNull:
      return sqlite3_result_null(context);
  }
}

}  // namespace

struct RowFeed::Reader : sqlite3_vtab_cursor {
  bool more = false;
};

// https://www.sqlite.org/vtab.html; what has no xCreate is there by its module's name alone.
struct RowFeed::Module {
  struct Table : sqlite3_vtab {
    RowFeed* feed = nullptr;
  };

  static RowFeed& FeedOf(sqlite3_vtab_cursor* cursor) { return *static_cast<Table*>(cursor->pVtab)->feed; }

  static int Connect(sqlite3* database, void* feed, int count, const char* const* words, sqlite3_vtab** table,
                     char** error) {
    size_t columns = 0;
    if (count < 1 || !absl::SimpleAtoi(absl::string_view(words[0]).substr(kName.size()), &columns)) return SQLITE_ERROR;
    std::string sql = "CREATE TABLE rows (";
    for (size_t i = 0; i < columns; ++i) absl::StrAppend(&sql, i == 0 ? "" : ", ", "c", i);
    sqlite3_vtab_config(database, SQLITE_VTAB_DIRECTONLY);
    const int code = sqlite3_declare_vtab(database, absl::StrCat(sql, ")").c_str());
    if (code != SQLITE_OK) return code;
    auto made = std::make_unique<Table>();
    made->feed = static_cast<RowFeed*>(feed);
    *table = made.release();
    return SQLITE_OK;
  }
  static int Disconnect(sqlite3_vtab* table) {
    delete static_cast<Table*>(table);
    return SQLITE_OK;
  }
  static int BestIndex(sqlite3_vtab*, sqlite3_index_info* info) {
    info->estimatedCost = info->estimatedRows = 100000;
    return SQLITE_OK;
  }
  static int Open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
    *cursor = new Reader();
    return SQLITE_OK;
  }
  static int Close(sqlite3_vtab_cursor* cursor) {
    delete static_cast<Reader*>(cursor);
    return SQLITE_OK;
  }
  static int Next(sqlite3_vtab_cursor* cursor) {
    static_cast<Reader*>(cursor)->more = FeedOf(cursor).rows_->Next();
    return SQLITE_OK;
  }
  static int Filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) { return Next(cursor); }
  static int Eof(sqlite3_vtab_cursor* cursor) { return static_cast<Reader*>(cursor)->more ? 0 : 1; }
  static int Column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
    const RowFeed& feed = FeedOf(cursor);
    const auto i = static_cast<size_t>(column);
    if (i < feed.head_.size()) {
      Tell(context, feed.head_[i]);
    } else if (i - feed.head_.size() < feed.picked_.size()) {
      Tell(context, feed.rows_->cells()[feed.picked_[i - feed.head_.size()]]);
    }
    return SQLITE_OK;
  }
  static int RowId(sqlite3_vtab_cursor*, sqlite3_int64* id) {
    *id = 0;
    return SQLITE_OK;
  }

  static const sqlite3_module* Get() {
    static const sqlite3_module module = [] {
      sqlite3_module m = {};
      m.xConnect = Connect;
      m.xDisconnect = Disconnect;
      m.xBestIndex = BestIndex;
      m.xOpen = Open;
      m.xClose = Close;
      m.xFilter = Filter;
      m.xNext = Next;
      m.xEof = Eof;
      m.xColumn = Column;
      m.xRowid = RowId;
      return m;
    }();
    return &module;
  }
};

int RowFeed::Table(size_t columns, std::string* name) {
  *name = absl::StrCat(kName, columns);
  if (std::find(made_.begin(), made_.end(), columns) != made_.end()) return SQLITE_OK;
  const int code = sqlite3_create_module_v2(database_, name->c_str(), Module::Get(), this, nullptr);
  if (code == SQLITE_OK) made_.push_back(columns);
  return code;
}

}  // namespace flowacct::sink::sqlite
