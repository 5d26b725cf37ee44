#include "flowacct/topology/draw.h"

#include <algorithm>
#include <cmath>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "flowacct/topology/rate_text.h"

namespace flowacct::topology {
namespace {

constexpr double kMargin = 60, kLegend = 64;

struct Step {
  double above;  // utilization
  const char* color;
  const char* text;
};
// From cold to hot, told apart by those who do not see red and green, too.
constexpr Step kSteps[] = {
    {-1, "#b8bfc6", "nothing"}, {0, "#2c7bb6", "to 20%"},    {0.2, "#4fb3bf", "to 40%"}, {0.4, "#a6c34c", "to 60%"},
    {0.6, "#f0c330", "to 80%"}, {0.8, "#f07f2e", "to 100%"}, {1, "#c2185b", "above"},
};

const Step& StepOf(double utilization) {
  const Step* step = kSteps;
  for (const Step& s : kSteps) {
    if (utilization > s.above) step = &s;
  }
  return *step;
}

// XML 1.0: what has a meaning is escaped, what it cannot carry at all is a question mark.
std::string Escaped(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? '?' : c;
    }
  }
  return escaped;
}

Point Between(const Point& a, const Point& b, double t) { return {a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t}; }

class Picture {
 public:
  Picture(const Graph& graph, const DrawOptions& options) : graph_(graph), options_(options) {}

  std::string Draw() {
    points_ = LayOut(graph_);
    double width = 0, height = 0;
    const double top = options_.title.empty() ? 0 : 30;
    for (Point& point : points_) {
      point.x += kMargin;
      point.y += kMargin + top;
      width = std::max(width, point.x);
      height = std::max(height, point.y);
    }
    width = std::max(width + kMargin, loaded() ? 460.0 : 160.0);
    height += kMargin + (loaded() ? kLegend : 0);
    Measure();
    absl::StrAppendFormat(&svg_,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                          "viewBox=\"0 0 %.0f %.0f\" role=\"img\" font-family=\"sans-serif\" font-size=\"11\">\n",
                          width, height, width, height);
    absl::StrAppendFormat(&svg_, "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
                          options_.title.empty() ? "Topology" : Escaped(options_.title));
    if (!options_.title.empty()) {
      absl::StrAppendFormat(&svg_, "<text x=\"20\" y=\"28\" font-size=\"16\">%s</text>\n", Escaped(options_.title));
    }
    Links();
    Nodes();
    if (loaded()) Legend(height);
    svg_ += "</svg>\n";
    return std::move(svg_);
  }

 private:
  bool loaded() const { return !options_.octets.empty(); }
  std::string Name(NodeIndex n) const {
    if (n < options_.names.size() && !options_.names[n].empty()) return Escaped(options_.names[n]);
    return NodeText(graph_.style(), graph_.node(n).key);
  }
  double Rate(LinkIndex l) const {
    return l < options_.octets.size() ? static_cast<double>(options_.octets[l]) / options_.seconds : 0;
  }
  double Capacity(LinkIndex l) const {
    return l < options_.capacities.size() ? options_.capacities[l] : static_cast<double>(graph_.detail(l).bandwidth);
  }
  bool Failed(LinkIndex l) const { return options_.failure != nullptr && options_.failure->link(l); }

  void Measure() {
    for (LinkIndex l = 0; l < graph_.link_count(); ++l) {
      any_capacity_ = any_capacity_ || Capacity(l) > 0;
      fullest_ = std::max(fullest_, Rate(l));
    }
    on_path_.assign(graph_.link_count(), 0);
    for (const LinkIndex l : options_.path) {
      if (l < on_path_.size()) on_path_[l] = 1;
    }
  }
  double Utilization(LinkIndex l) const {
    const double capacity = any_capacity_ ? Capacity(l) : fullest_;
    return capacity > 0 ? Rate(l) / capacity : 0;
  }

  void Links() {
    // Links between the same two nodes, one for both directions.
    absl::flat_hash_map<uint64_t, std::vector<LinkIndex>> parallel;
    std::vector<uint64_t> pairs;
    size_t lines = 0;
    for (LinkIndex l = 0; l < graph_.link_count(); ++l) {
      const GraphLink& link = graph_.link(l);
      if (link.reverse != kNoIndex && link.reverse < l) continue;
      const uint64_t pair = uint64_t{std::min(link.from, link.to)} << 32 | std::max(link.from, link.to);
      std::vector<LinkIndex>& of_pair = parallel[pair];
      if (of_pair.empty()) pairs.push_back(pair);
      of_pair.push_back(l);
      ++lines;
    }
    labels_ = lines <= options_.max_link_labels;
    for (const uint64_t pair : pairs) {
      const std::vector<LinkIndex>& of_pair = parallel[pair];
      for (size_t i = 0; i < of_pair.size(); ++i) {
        const double bend = (static_cast<double>(i) - static_cast<double>(of_pair.size() - 1) / 2) * 26;
        Link(of_pair[i], graph_.link(of_pair[i]).from > graph_.link(of_pair[i]).to ? -bend : bend);
      }
    }
  }

  // A quadratic curve, cut into halves.
  void Link(LinkIndex l, double bend) {
    const GraphLink& link = graph_.link(l);
    const Point a = points_[link.from], b = points_[link.to];
    const double dx = b.x - a.x, dy = b.y - a.y;
    const double length = std::max(1.0, std::sqrt(dx * dx + dy * dy));
    Point control = Between(a, b, 0.5);
    control.x += -dy / length * bend;
    control.y += dx / length * bend;
    const Point near_a = Between(a, control, 0.5), near_b = Between(control, b, 0.5);
    const Point middle = Between(near_a, near_b, 0.5);
    Half(l, a, near_a, middle);
    if (link.reverse != kNoIndex) Half(link.reverse, b, near_b, middle);
    if (!labels_) return;
    if (loaded()) {
      Label(l, a, near_a, middle);
      if (link.reverse != kNoIndex) Label(link.reverse, b, near_b, middle);
    } else {
      const uint32_t back = link.reverse != kNoIndex ? graph_.link(link.reverse).metric : link.metric;
      if (back == link.metric) {
        Text(middle, absl::StrCat(link.metric));
      } else {
        Text(Between(a, near_a, 0.8), absl::StrCat(link.metric));
        Text(Between(b, near_b, 0.8), absl::StrCat(back));
      }
    }
  }

  void Half(LinkIndex l, const Point& from, const Point& control, const Point& to) {
    const GraphLink& link = graph_.link(l);
    const double utilization = Utilization(l);
    const char* color = loaded() ? StepOf(Rate(l) > 0 ? std::max(utilization, 1e-12) : -0.5).color : "#7d8790";
    double width = loaded() ? 2 + 4 * std::min(1.0, utilization) : 2;
    if (on_path_[l] != 0) {
      width += 3;
      if (!loaded()) color = "#2c7bb6";
    }
    std::string text = absl::StrCat(Name(link.from), " to ", Name(link.to), ", metric ", link.metric);
    if (loaded()) absl::StrAppend(&text, ", ", RateText(Rate(l)));
    if (Capacity(l) > 0) {
      absl::StrAppend(&text, loaded() ? " of " : ", ", RateText(Capacity(l)));
      if (loaded()) absl::StrAppendFormat(&text, " (%.0f%%)", utilization * 100);
    }
    absl::StrAppendFormat(&svg_,
                          "<path d=\"M%.1f %.1fQ%.1f %.1f %.1f %.1f\" fill=\"none\" stroke=\"%s\" "
                          "stroke-width=\"%.1f\"%s><title>%s%s</title></path>\n",
                          from.x, from.y, control.x, control.y, to.x, to.y, Failed(l) ? "#c2185b" : color,
                          Failed(l) ? 2 : width, Failed(l) ? " stroke-dasharray=\"3 5\"" : "", text,
                          Failed(l) ? ", failed" : "");
  }

  void Label(LinkIndex l, const Point& from, const Point& control, const Point& to) {
    if (Failed(l) || Rate(l) <= 0) return;
    // At two fifths of the half's curve.
    const Point place = Between(Between(from, control, 0.6), Between(control, to, 0.6), 0.6);
    Text(place, any_capacity_ && Capacity(l) > 0 ? absl::StrFormat("%.0f%%", Utilization(l) * 100) : RateText(Rate(l)));
  }

  void Text(const Point& at, absl::string_view text) {
    absl::StrAppendFormat(&svg_,
                          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" font-size=\"9\" fill=\"#333333\" "
                          "stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">%s</text>\n",
                          at.x, at.y + 3, text);
  }

  void Nodes() {
    const bool names = graph_.node_count() <= options_.max_node_labels;
    for (NodeIndex n = 0; n < graph_.node_count(); ++n) {
      const GraphNode& node = graph_.node(n);
      const Point& at = points_[n];
      const bool failed = options_.failure != nullptr && options_.failure->node(n);
      const std::string name = Name(n);
      const std::string more = absl::StrCat(name, node.overload ? ", overloaded" : "", failed ? ", failed" : "");
      if (node.pseudonode) {
        absl::StrAppendFormat(&svg_,
                              "<rect x=\"%.1f\" y=\"%.1f\" width=\"8\" height=\"8\" fill=\"%s\"><title>LAN %s</title>"
                              "</rect>\n",
                              at.x - 4, at.y - 4, failed ? "#c2185b" : "#7d8790", more);
        continue;
      }
      absl::StrAppendFormat(&svg_,
                            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"9\" fill=\"%s\" stroke=\"%s\" stroke-width=\"2\"%s>"
                            "<title>%s</title></circle>\n",
                            at.x, at.y, node.overload ? "#ffe2b8" : "#e8f1fa", failed ? "#c2185b" : "#34495e",
                            failed ? " stroke-dasharray=\"3 3\"" : "", more);
      if (names) {
        absl::StrAppendFormat(&svg_,
                              "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" stroke=\"#ffffff\" "
                              "stroke-width=\"3\" paint-order=\"stroke\">%s</text>\n",
                              at.x, at.y + 22, name);
      }
    }
  }

  void Legend(double height) {
    const double y = height - 34;
    absl::StrAppendFormat(&svg_, "<text x=\"20\" y=\"%.1f\">%s</text>\n", y - 8,
                          any_capacity_ ? "Utilization of each direction"
                                        : absl::StrCat("Load, of the fullest link's ", RateText(fullest_)));
    double x = 20;
    for (const Step& step : kSteps) {
      absl::StrAppendFormat(&svg_,
                            "<rect x=\"%.0f\" y=\"%.1f\" width=\"58\" height=\"8\" fill=\"%s\"/>"
                            "<text x=\"%.0f\" y=\"%.1f\" font-size=\"9\">%s</text>\n",
                            x, y, step.color, x, y + 19, step.text);
      x += 62;
    }
  }

  const Graph& graph_;
  const DrawOptions& options_;
  std::vector<Point> points_;
  std::vector<uint8_t> on_path_;
  bool any_capacity_ = false, labels_ = false;
  double fullest_ = 0;
  std::string svg_;
};

}  // namespace

absl::StatusOr<std::string> DrawSvg(const Graph& graph, const DrawOptions& options) {
  if (graph.node_count() > options.max_nodes) {
    return absl::InvalidArgumentError(absl::StrCat("a picture of ", graph.node_count(), " nodes: max_nodes is ",
                                                   options.max_nodes, "; draw a level, or a part of the topology"));
  }
  return Picture(graph, options).Draw();
}

}  // namespace flowacct::topology
