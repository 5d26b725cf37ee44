#include "flowacct/topology/testing/drawn_graph.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/strings/str_split.h"
#include "flowacct/topology/testing/random_network.h"

namespace flowacct::topology {
namespace {

bool IsLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

class Picture {
 public:
  explicit Picture(absl::string_view text) : text_(text), rows_(absl::StrSplit(text, '\n')) {}

  std::vector<Advertisement> Read(absl::string_view overloaded) {
    for (int y = 0; y < static_cast<int>(rows_.size()); ++y) {
      for (int x = 0; x < static_cast<int>(rows_[static_cast<size_t>(y)].size()); ++x) {
        const char letter = Cell(x, y);
        if (!IsLetter(letter)) continue;
        Advertisement& node = Of(letter);
        node.overload = overloaded.find(letter) != absl::string_view::npos;
        Horizontal(letter, x, y);
        Line(letter, x, y, 0, '|');
        Line(letter, x, y, 1, '\\');
        Line(letter, x, y, -1, '/');
      }
    }
    std::vector<Advertisement> all;
    for (auto& [key, node] : nodes_) all.push_back(std::move(node));
    return all;
  }

 private:
  char Cell(int x, int y) const {
    if (y < 0 || y >= static_cast<int>(rows_.size()) || x < 0) return ' ';
    const std::string& row = rows_[static_cast<size_t>(y)];
    return x < static_cast<int>(row.size()) ? row[static_cast<size_t>(x)] : ' ';
  }
  [[noreturn]] void Fail(const char* why, int x, int y) const {
    std::fprintf(stderr, "%s at row %d, column %d of the picture:\n%s\n", why, y, x, text_.c_str());
    std::abort();
  }

  Advertisement& Of(char letter) {
    Advertisement& node = nodes_[LetterKey(letter)];
    node.key.origin = LetterKey(letter);
    node.name = std::string(1, letter);
    return node;
  }
  void Join(char a, char b, uint32_t there, uint32_t back) {
    const uint32_t id = ++next_id_;
    Half(a, b, there, id);
    Half(b, a, back, id);
  }
  void Half(char from, char to, uint32_t metric, uint32_t id) {
    AdvertisedLink link;
    link.to = LetterKey(to);
    link.metric = std::islower(static_cast<unsigned char>(from)) != 0 ? 0 : metric;
    link.local_id = link.remote_id = id;
    Of(from).links.push_back(link);
  }

  void Horizontal(char letter, int x, int y) {
    int at = x + 1;
    if (Cell(at, y) != '-' && Cell(at, y) != '=') return;
    std::string number, back;
    bool two = false;
    for (; !IsLetter(Cell(at, y)); ++at) {
      const char c = Cell(at, y);
      if (IsDigit(c)) {
        (two ? back : number) += c;
      } else if (c == '>') {
        two = true;
      } else if (c != '-' && c != '=') {
        Fail("a line that ends nowhere", at, y);
      }
    }
    const uint32_t there = number.empty() ? 1 : static_cast<uint32_t>(std::stoul(number));
    const uint32_t and_back = two ? static_cast<uint32_t>(std::stoul(back)) : there;
    Join(letter, Cell(at, y), there, and_back);
    if (Cell(x + 1, y) == '=') Join(letter, Cell(at, y), there, and_back);
  }

  // Down, straight or to a side.
  void Line(char letter, int x, int y, int step, char stroke) {
    if (Cell(x + step, y + 1) != stroke) return;
    std::string number;
    for (;;) {
      x += step;
      ++y;
      const char c = Cell(x, y);
      if (IsLetter(c)) break;
      if (IsDigit(c)) {
        int first = x, last = x;
        while (IsDigit(Cell(first - 1, y))) --first;
        while (IsDigit(Cell(last + 1, y))) ++last;
        number.clear();
        for (int i = first; i <= last; ++i) number += Cell(i, y);
      } else if (c != stroke) {
        Fail("a line that ends nowhere", x, y);
      }
    }
    const uint32_t metric = number.empty() ? 1 : static_cast<uint32_t>(std::stoul(number));
    Join(letter, Cell(x, y), metric, metric);
  }

  std::string text_;
  std::vector<std::string> rows_;
  std::map<NodeKey, Advertisement> nodes_;
  uint32_t next_id_ = 0;
};

}  // namespace

NodeKey LetterKey(char letter) {
  const bool pseudonode = std::islower(static_cast<unsigned char>(letter)) != 0;
  return pseudonode ? LanKey(static_cast<uint64_t>(std::toupper(letter)), 1) : RouterKey(static_cast<uint64_t>(letter));
}

char LetterOf(NodeKey key) {
  const char letter = static_cast<char>(key.value >> 16 & 0xff);
  return IsPseudonode(NodeStyle::kIsis, key) ? static_cast<char>(std::tolower(letter)) : letter;
}

std::vector<Advertisement> Drawn(absl::string_view picture, absl::string_view overloaded) {
  return Picture(picture).Read(overloaded);
}

Graph DrawnGraph(absl::string_view picture, absl::string_view overloaded) {
  return GraphOf(Drawn(picture, overloaded));
}

LinkIndex LinkAt(const Graph& graph, char from, char to) {
  const NodeIndex begin = At(graph, from), end = At(graph, to);
  if (begin == kNoIndex) return kNoIndex;
  for (LinkIndex l = graph.first_link(begin); l < graph.first_link(begin + 1); ++l) {
    if (graph.link(l).to == end) return l;
  }
  return kNoIndex;
}

}  // namespace flowacct::topology
