// An engine and a reader for tests, with milliseconds for times and texts for addresses.

#ifndef FLOWACCT_SESSION_TESTING_SCENE_H_
#define FLOWACCT_SESSION_TESTING_SCENE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/session/session_engine.h"
#include "flowacct/session/session_reader.h"
#include "flowacct/session/testing/message_maker.h"

namespace flowacct::session::testing {

inline constexpr int64_t kStart = 1'700'000'000'000;  // of the scene, in milliseconds
constexpr int64_t Nanos(int64_t milliseconds) { return (kStart + milliseconds) * 1'000'000; }

class Scene {
 public:
  explicit Scene(SessionOptions options = {}) : engine(&epochs, std::move(options)), reader(&engine) {}

  void Send(int64_t ms, absl::string_view from, absl::string_view to, const gtp::ControlMessage& message,
            uint16_t source_port = 2123) {
    engine.Take(message, {Address(from), Address(to), source_port, 2123, Nanos(ms)});
  }
  // A request, and 10 ms later its answer.
  void Exchange(int64_t ms, absl::string_view from, absl::string_view to, const gtp::ControlMessage& request,
                const gtp::ControlMessage& response) {
    Send(ms, from, to, request);
    Send(ms + 10, to, from, response);
  }
  void Advance(int64_t ms) {
    while (engine.Advance(Nanos(ms))) {
    }
    // What was retired last is free after another look at the epochs.
    engine.Advance(Nanos(ms));
  }

  Found Find(int64_t ms, absl::string_view to, uint32_t teid) { return reader.Find(Address(to), teid, Nanos(ms)); }
  // Whose the packet is: "262011234567890 up S1-U", or why it is nobody's.
  std::string Whose(int64_t ms, absl::string_view to, uint32_t teid) { return Text(Find(ms, to, teid)); }
  std::string WhoseAddress(int64_t ms, absl::string_view from, absl::string_view to) {
    return Text(reader.FindByAddress(Address(from), Address(to), Nanos(ms)));
  }
  static std::string Text(const Found& found) {
    if (found.facts == nullptr) return std::string(MatchName(found.match));
    return absl::StrCat(found.facts->imsi.ToString(), found.direction == Direction::kUp ? " up" : " down",
                        found.interface == Interface::kUnknown ? "" : " ", InterfaceName(found.interface),
                        found.facts->ebi == 5 ? "" : absl::StrCat(" ebi ", found.facts->ebi));
  }
  // Counts a packet if it is joined.
  void Packet(int64_t ms, absl::string_view to, uint32_t teid, uint64_t octets) {
    LookUp look_up{Address(to), teid, Nanos(ms), {}};
    reader.FindBatch(absl::MakeSpan(&look_up, 1));
    reader.Count(look_up, 1, octets);
  }
  std::string Apn(const Found& found) {
    return found.facts == nullptr ? "" : std::string(reader.text(found.facts->apn));
  }

  lpm::ReaderEpochs epochs;
  SessionEngine engine;
  SessionReader reader;
};

}  // namespace flowacct::session::testing

#endif  // FLOWACCT_SESSION_TESTING_SCENE_H_
