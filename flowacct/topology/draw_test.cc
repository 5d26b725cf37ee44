#include "flowacct/topology/draw.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

size_t Count(absl::string_view text, absl::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != absl::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// True if every element that is opened is closed, in order, and no attribute or text has what it must not.
bool IsWellFormed(absl::string_view xml) {
  std::vector<std::string> open;
  for (size_t at = 0; at < xml.size(); ++at) {
    if (xml[at] == '&') {
      bool known = false;
      for (const char* entity : {"&amp;", "&lt;", "&gt;", "&quot;"})
        known = known || absl::StartsWith(xml.substr(at), entity);
      if (!known) return false;
    }
    if (xml[at] != '<') continue;
    const size_t end = xml.find('>', at);
    if (end == absl::string_view::npos) return false;
    const absl::string_view tag = xml.substr(at + 1, end - at - 1);
    if (Count(tag, "\"") % 2 != 0 || tag.find('<') != absl::string_view::npos) return false;
    if (tag.front() == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.emplace_back(tag.substr(0, tag.find(' ')));
    }
    at = end;
  }
  return open.empty();
}

std::string Draw(const Graph& graph, const DrawOptions& options = {}) {
  auto svg = DrawSvg(graph, options);
  EXPECT_TRUE(svg.ok()) << svg.status();
  if (!svg.ok()) return "";
  EXPECT_TRUE(IsWellFormed(*svg)) << *svg;
  return *std::move(svg);
}

const char* const kFive = R"(
    A--1--B==2==C
    |     |
    5     1
    |     |
    D--3--E
)";

TEST(DrawSvg, AllThatIsThere) {
  const Graph graph = DrawnGraph(kFive);
  const std::string svg = Draw(graph);
  EXPECT_EQ(Count(svg, "<circle"), 5u);
  EXPECT_EQ(Count(svg, "<path"), 2 * 6u);  // a half for each direction
  EXPECT_TRUE(absl::StrContains(svg, "0000.0000.0041 to 0000.0000.0042, metric 1")) << svg;
  EXPECT_TRUE(absl::StrContains(svg, ">5</text>"));  // a metric
  EXPECT_EQ(svg, Draw(DrawnGraph(kFive)));
}

TEST(DrawSvg, Load) {
  const Graph graph = DrawnGraph(kFive, "E");
  std::vector<uint64_t> octets(graph.link_count(), 0);
  octets[LinkAt(graph, 'A', 'B')] = 3000;
  octets[LinkAt(graph, 'B', 'A')] = 15000;
  std::vector<double> capacities(graph.link_count(), 100);
  const std::vector<std::string> names = {"ams<1>", "a&b", "\"c\"", "", "e\xc3\xa9\n"};
  const std::vector<LinkIndex> path = {LinkAt(graph, 'D', 'E'), 12345};
  Failure failure(graph);
  failure.AddLink(LinkAt(graph, 'A', 'D'));
  failure.AddNode(At(graph, 'C'));
  DrawOptions options;
  options.title = "Load & <failure>";
  options.octets = octets;
  options.seconds = 100;
  options.capacities = capacities;
  options.names = names;
  options.path = path;
  options.failure = &failure;
  const std::string svg = Draw(graph, options);
  EXPECT_TRUE(absl::StrContains(svg, "ams&lt;1&gt; to a&amp;b, metric 1, 240 of 800 (30%)")) << svg;
  EXPECT_TRUE(absl::StrContains(svg, "(150%)"));
  EXPECT_TRUE(absl::StrContains(svg, ">150%</text>"));
  EXPECT_TRUE(absl::StrContains(svg, "#c2185b"));
  EXPECT_EQ(Count(svg, ", failed</title>"), 2 + 4 + 1u);  // a link, two parallel ones, and their router
  EXPECT_TRUE(absl::StrContains(svg, ", overloaded</title>"));
  EXPECT_TRUE(absl::StrContains(svg, "Load &amp; &lt;failure&gt;"));
  // Without capacities: of the fullest.
  options.capacities = {};
  EXPECT_TRUE(absl::StrContains(Draw(graph, options), "of the fullest link"));
}

TEST(DrawSvg, ALanIsADot) {
  const std::string svg = Draw(DrawnGraph("A--1--p--1--B"));
  EXPECT_EQ(Count(svg, "<title>LAN "), 1u);
  EXPECT_EQ(Count(svg, "<circle"), 2u);
}

TEST(DrawSvg, NothingAndTooMuch) {
  Graph::Builder builder(NodeStyle::kIsis, 2, 0);
  EXPECT_EQ(Count(Draw(builder.Build()), "<circle"), 0u);
  DrawOptions options;
  options.max_nodes = 4;
  const auto svg = DrawSvg(DrawnGraph(kFive), options);
  EXPECT_TRUE(absl::StrContains(svg.status().message(), "max_nodes is 4")) << svg.status();
}

TEST(LayOut, NodesKeepApartAndLinksStayShort) {
  for (const size_t routers : {2u, 5u, 30u, 200u}) {
    RandomNetworkOptions network;
    network.seed = routers;
    network.routers = routers;
    network.links = routers + routers / 4;
    network.pieces = routers == 30;
    network.near_share = 80;
    const Graph graph = RandomGraph(network);
    const std::vector<Point> points = LayOut(graph);
    double all = 0, pairs = 0, linked = 0;
    for (size_t i = 0; i < points.size(); ++i) {
      EXPECT_GE(points[i].x, 0);
      EXPECT_GE(points[i].y, 0);
      for (size_t j = i + 1; j < points.size(); ++j) {
        const double dx = points[i].x - points[j].x, dy = points[i].y - points[j].y;
        const double distance = std::sqrt(dx * dx + dy * dy);
        EXPECT_GT(distance, 40) << routers << " " << i << " " << j;
        all += distance;
        ++pairs;
      }
    }
    for (LinkIndex l = 0; l < graph.link_count(); ++l) {
      const Point a = points[graph.link(l).from], b = points[graph.link(l).to];
      linked += std::sqrt((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y));
    }
    if (routers == 200) {
      EXPECT_LT(linked / static_cast<double>(graph.link_count()), 0.4 * all / pairs);
    }
  }
}

}  // namespace
}  // namespace flowacct::topology
