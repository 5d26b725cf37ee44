// Which tables answer for an exporter, in order: its own session's first, then what stands in for it.
//
//     TableDirectoryBuilder builder;                                   // writer, when peers come, go or get a table
//     builder.Add(exporter, rd, table, RouteOrigin::kSession);  builder.AddForAll(rd, reflector_table, kReflector);
//     published.Publish(std::move(builder).Build());
//
//     for (const TableChoice& choice : published.Get()->Find(exporter, rd)) ...     // a reader that is online
//
// A selector is a number that whoever asks has found for a record, by whatever it says: its tables come before the
// exporter's own (AddSelected, FindSelected). What selectors mean is not known here.
//
// Ownership: a directory is immutable; the published one is the publisher's, and lives for readers as what they find in
// the Rib does: until they are quiescent. Threads: Publish, Reclaim: the writer's; Get, Find: any reader's that is
// online in `epochs`. Errors: none; an exporter that nobody knows has the choices for all. Cost: Find is a hash
// look-up; Publish what building cost, some 100 ns an entry, and never waits.

#ifndef FLOWACCT_RIB_TABLE_DIRECTORY_H_
#define FLOWACCT_RIB_TABLE_DIRECTORY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/rib/best_path.h"
#include "flowacct/rib/rib.h"

namespace flowacct::rib {

// In the order in which they are preferred.
enum class RouteOrigin : uint8_t {
  kSession,    // the exporter's own BGP session
  kLocRib,     // BMP: what the exporter uses (RFC 9069)
  kAdjRibIn,   // BMP: what one of its neighbours told it (RFC 7854)
  kAdjRibOut,  // BMP: what it tells a neighbour (RFC 8671)
  kMapped,     // a peer that the configuration names for the exporter
  kReflector,  // a peer that answers for whoever has none of his own
  kDump,       // an MRT file
};

// Whose routes a table has.
struct TableSource {
  PathSource path;      // to choose the best of those that answer together
  uint32_t own_as = 0;  // who originates the routes with an empty AS path there (RFC 6811, 2); 0: it is not known
};

// Of a directory's sources; the default is one of which nothing is known.
enum class SourceId : uint32_t {};

struct TableChoice {
  TableId table{};
  RouteOrigin origin = RouteOrigin::kSession;
  SourceId source{};   // TableDirectory::source
  uint32_t group = 0;  // those beside one another that have the same answer together; 0: it answers alone
  friend bool operator==(const TableChoice& a, const TableChoice& b) {
    return a.table == b.table && a.origin == b.origin && a.source == b.source && a.group == b.group;
  }
};

// The choices of an exporter, in order: those that were selected, its own, then those for all. The first that has a
// route answers; those of a group, such as what a router's neighbours told it, answer with the best route of all of
// them.
class TableChoices {
 public:
  class Iterator {
   public:
    Iterator(const TableChoices* choices, size_t i) : choices_(choices), i_(i) {}
    const TableChoice& operator*() const { return (*choices_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    friend bool operator!=(const Iterator& a, const Iterator& b) { return a.i_ != b.i_; }

   private:
    const TableChoices* choices_;
    size_t i_;
  };

  TableChoices(absl::Span<const TableChoice> own, absl::Span<const TableChoice> for_all,
               absl::Span<const TableChoice> selected = {})
      : own_(own), for_all_(for_all), selected_(selected) {}
  size_t size() const { return own_.size() + for_all_.size() + selected_.size(); }
  bool empty() const { return size() == 0; }
  const TableChoice& operator[](size_t i) const {
    if (i < selected_.size()) return selected_[i];
    i -= selected_.size();
    return i < own_.size() ? own_[i] : for_all_[i - own_.size()];
  }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  absl::Span<const TableChoice> own_, for_all_, selected_;
};

class TableDirectory {
 public:
  // Of an exporter (or, to follow a next hop, of that router) for a VRF; `rd` 0: the global table.
  TableChoices Find(const base::IpAddress& exporter, uint64_t rd) const { return {OwnOf(exporter, rd), ForAll(rd)}; }
  // The same behind the tables of a selector.
  TableChoices FindSelected(uint32_t selector, const base::IpAddress& exporter, uint64_t rd) const {
    const auto selected = selected_.find({selector, rd});
    return {OwnOf(exporter, rd), ForAll(rd),
            selected == selected_.end() ? absl::Span<const TableChoice>() : selected->second};
  }
  // Only those that are the exporter's own, not those for all.
  TableChoices FindOwn(const base::IpAddress& exporter, uint64_t rd) const { return {OwnOf(exporter, rd), {}}; }
  // Of whoever was not told of, the default.
  const TableSource& source(const TableChoice& choice) const { return sources_[static_cast<uint32_t>(choice.source)]; }
  size_t size() const { return own_.size() + for_all_.size() + selected_.size(); }

 private:
  friend class TableDirectoryBuilder;
  absl::Span<const TableChoice> ForAll(uint64_t rd) const {
    const auto all = for_all_.find(rd);
    return all == for_all_.end() ? absl::Span<const TableChoice>() : all->second;
  }
  absl::Span<const TableChoice> OwnOf(const base::IpAddress& exporter, uint64_t rd) const {
    const auto own = own_.find({exporter, rd});
    return own == own_.end() ? absl::Span<const TableChoice>() : own->second;
  }

  absl::flat_hash_map<std::pair<base::IpAddress, uint64_t>, std::vector<TableChoice>> own_;
  absl::flat_hash_map<uint64_t, std::vector<TableChoice>> for_all_;
  absl::flat_hash_map<std::pair<uint32_t, uint64_t>, std::vector<TableChoice>> selected_;  // by selector and rd
  std::vector<TableSource> sources_ = {TableSource()};
};

class TableDirectoryBuilder {
 public:
  // For the tables that are added with what it returns.
  SourceId AddSource(const TableSource& source) {
    directory_->sources_.push_back(source);
    return SourceId{static_cast<uint32_t>(directory_->sources_.size() - 1)};
  }
  void Add(const base::IpAddress& exporter, uint64_t rd, TableId table, RouteOrigin origin, SourceId source = {},
           uint32_t group = 0) {
    directory_->own_[{exporter, rd}].push_back({table, origin, source, group});
  }
  void AddForAll(uint64_t rd, TableId table, RouteOrigin origin, SourceId source = {}, uint32_t group = 0) {
    directory_->for_all_[rd].push_back({table, origin, source, group});
  }
  void AddSelected(uint32_t selector, uint64_t rd, TableId table, RouteOrigin origin, SourceId source = {},
                   uint32_t group = 0) {
    directory_->selected_[{selector, rd}].push_back({table, origin, source, group});
  }
  // Choices are ordered by their origin, equal ones as they were added.
  std::unique_ptr<const TableDirectory> Build() &&;

 private:
  std::unique_ptr<TableDirectory> directory_ = std::make_unique<TableDirectory>();
};

class PublishedDirectory {
 public:
  // `epochs` outlives it; readers that may hold a directory are gone before it is.
  explicit PublishedDirectory(lpm::ReaderEpochs* epochs)
      : epochs_(epochs), owned_(std::make_unique<const TableDirectory>()), current_(owned_.get()) {}
  PublishedDirectory(const PublishedDirectory&) = delete;
  PublishedDirectory& operator=(const PublishedDirectory&) = delete;

  void Publish(std::unique_ptr<const TableDirectory> directory);
  // Frees those that nobody can see any more. Publish does it, too.
  void Reclaim();
  const TableDirectory* Get() const { return current_.load(std::memory_order_acquire); }

 private:
  struct Retired {
    std::unique_ptr<const TableDirectory> directory;
    uint64_t epoch;
  };
  lpm::ReaderEpochs* epochs_;
  std::unique_ptr<const TableDirectory> owned_;
  std::atomic<const TableDirectory*> current_;
  std::vector<Retired> retired_;
};

}  // namespace flowacct::rib

#endif  // FLOWACCT_RIB_TABLE_DIRECTORY_H_
