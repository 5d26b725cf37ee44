#include "flowacct/collector/mrt/offline_routes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/collector/count_text.h"
#include "flowacct/collector/routing/routing_options.h"

namespace flowacct::collector {
namespace {

constexpr size_t kReclaimSteps = 65536;

RoutingOptions RoutingOptionsOf() {
  RoutingOptions options;
  options.dumps_for_all = true;
  options.rib.attribute_store.seed = RandomSeed();
  return options;
}

RouteLoaderOptions LoaderOptionsOf(const OfflineRoutesOptions& options) {
  RouteLoaderOptions loader = options.loader;
  loader.peer = options.peer;
  return loader;
}

}  // namespace

OfflineRoutes::OfflineRoutes(const OfflineRoutesOptions& options)
    : book_(RoutingOptionsOf()), loader_(&book_, LoaderOptionsOf(options)) {}

absl::StatusOr<std::shared_ptr<OfflineRoutes>> OfflineRoutes::Load(const OfflineRoutesOptions& options) {
  std::shared_ptr<OfflineRoutes> routes(new OfflineRoutes(options));
  for (const std::string& path : options.files) {
    auto file = MrtFile::Open(path, options.interrupted);
    if (!file.ok()) return file.status();
    if (absl::Status status = routes->Read(**file, options); !status.ok()) return status;
  }
  routes->Finish();
  if (options.peer && routes->loader_.peers() == 0) {
    return absl::NotFoundError(absl::StrCat("no peer of the MRT files has the address or BGP identifier ",
                                            options.peer->ToString(), "; flowacct rib peers --mrt FILE lists them"));
  }
  return routes;
}

absl::StatusOr<std::shared_ptr<OfflineRoutes>> OfflineRoutes::LoadOctets(std::string octets, const std::string& name) {
  const OfflineRoutesOptions options;
  std::shared_ptr<OfflineRoutes> routes(new OfflineRoutes(options));
  auto file = MrtFile::OfOctets(std::move(octets), name);
  if (!file.ok()) return file.status();
  if (absl::Status status = routes->Read(**file, options); !status.ok()) return status;
  routes->Finish();
  return routes;
}

absl::Status OfflineRoutes::Read(MrtFile& file, const OfflineRoutesOptions& options) {
  for (;;) {
    const auto block = file.Next();
    if (!block.ok()) return block.status();
    if (block->empty()) break;
    loader_.Read(*block, absl::Now());
    book_.rib().Reclaim(kReclaimSteps);
    if (options.interrupted && options.interrupted()) return absl::CancelledError("interrupted");
    if (options.progress) options.progress(file, loader_.counters().entries + loader_.counters().updates);
  }
  loader_.EndFile();
  return absl::OkStatus();
}

void OfflineRoutes::Finish() {
  const absl::Time now = absl::Now();
  loader_.Finish(now);
  book_.Tick(now);
}

enrich::RouteTables OfflineRoutes::tables() const {
  auto& self = const_cast<OfflineRoutes&>(*this);
  return {&self.book_.epochs(), &book_.rib(), &book_.directory()};
}

std::vector<std::string> OfflineRoutes::Summary() const {
  std::vector<std::string> lines;
  const RouteLoadCounters& counters = loader_.counters();
  lines.push_back(absl::StrCat(Count(book_.rib().paths(), "route"), " of ", Count(loader_.peers(), "peer"), " from ",
                               Count(loader_.reader_counters().records, "MRT record"), ", of these ",
                               Count(counters.updates, "update")));
  for (std::string& line : RouteLoadTroubles(loader_)) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> RouteLoadTroubles(const RouteLoader& loader) {
  std::vector<std::string> lines;
  const RouteLoadCounters& counters = loader.counters();
  const auto tell = [&lines](uint64_t n, absl::string_view noun, absl::string_view what) {
    if (n != 0) lines.push_back(absl::StrCat(Count(n, noun), " ", what));
  };
  for (size_t i = 1; i < base::kDecodeCodeCount; ++i) {
    const auto code = static_cast<base::DecodeCode>(i);
    tell(loader.reader_counters().errors[code], "MRT record",
         absl::StrCat("not taken: ", base::DecodeCodeName(code), " (", base::DecodeCodeHelp(code), ")"));
  }
  tell(counters.refused, "route", "refused: beyond a bound of the routing table");
  tell(counters.not_joined, "route", "of families that are not joined, left out");
  tell(counters.reset_updates, "update", "not taken for an error that would have ended its session (RFC 7606)");
  tell(counters.sessions_ended, "session", "ended in the files, and dropped what it had told");
  tell(counters.from_local, "message", "of the collector's own, left out");
  return lines;
}

}  // namespace flowacct::collector
