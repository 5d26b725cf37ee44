// Graphs as pictures in text, so that a test shows what it tests:
//
//     A--10--B      Capital letters are routers, small ones pseudonodes. A line is made of - | / \ from letter to
//     |     /|      letter, straight; the number in it is the metric of both directions, 1 without; "3>5" in a line to
//     5    2 |      the right says 3 to the right and 5 to the left. What leaves a pseudonode costs nothing. A line
//     that |   /  p      begins with = is two links. C--1---D
//
// A node's key is that of its letter. A picture that cannot be read ends the test.

#ifndef FLOWACCT_TOPOLOGY_TESTING_DRAWN_GRAPH_H_
#define FLOWACCT_TOPOLOGY_TESTING_DRAWN_GRAPH_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/topology/advertisement.h"
#include "flowacct/topology/graph.h"

namespace flowacct::topology {

NodeKey LetterKey(char letter);
char LetterOf(NodeKey key);

// `overloaded`: the letters of routers that forward nothing.
std::vector<Advertisement> Drawn(absl::string_view picture, absl::string_view overloaded = "");
Graph DrawnGraph(absl::string_view picture, absl::string_view overloaded = "");
inline NodeIndex At(const Graph& graph, char letter) { return graph.Find(LetterKey(letter)); }
// The link from one letter to another, the first of them; kNoIndex if there is none.
LinkIndex LinkAt(const Graph& graph, char from, char to);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_TESTING_DRAWN_GRAPH_H_
