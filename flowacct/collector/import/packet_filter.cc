#include "flowacct/collector/import/packet_filter.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/mac_address.h"
#include "flowacct/filter/filter.h"
#include "flowacct/record/protocol_names.h"

namespace flowacct::collector {
namespace {

// Our own language nests 32 deep; a filter that long belongs into a file of networks.
constexpr size_t kMaxDepth = 30;
constexpr size_t kMaxOctets = 16384;

struct Token {
  std::string text;  // a word, or a sign
  size_t column = 0;
  bool is_word = false;
};

bool IsWordCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("_.:-/\\", c);
}

std::vector<Token> Tokenize(absl::string_view text) {
  constexpr absl::string_view kPairs[] = {"&&", "||", "==", "!=", "<=", ">=", "<<", ">>"};
  std::vector<Token> tokens;
  for (size_t at = 0; at < text.size();) {
    if (absl::ascii_isspace(static_cast<unsigned char>(text[at]))) {
      ++at;
      continue;
    }
    Token token;
    token.column = at + 1;
    size_t end = at;
    while (end < text.size() && IsWordCharacter(text[end])) ++end;
    token.is_word = end > at;
    if (!token.is_word) {
      end = at + 1;
      for (absl::string_view pair : kPairs) {
        if (absl::StartsWith(text.substr(at), pair)) end = at + 2;
      }
    }
    token.text = std::string(text.substr(at, end - at));
    tokens.push_back(std::move(token));
    at = end;
  }
  tokens.push_back(Token{"", text.size() + 1, false});
  return tokens;
}

// A part of the translation; `joint` is what joins its parts at the top: "and", "or", or nothing.
struct Part {
  std::string text;
  absl::string_view joint;
};

Part Atom(std::string text) { return {std::move(text), ""}; }

std::string Wrapped(const Part& part, absl::string_view joint) {
  return part.joint.empty() || part.joint == joint ? part.text : absl::StrCat("(", part.text, ")");
}

Part Join(const Part& a, absl::string_view joint, const Part& b) {
  return {absl::StrCat(Wrapped(a, joint), " ", joint, " ", Wrapped(b, joint)), joint};
}

Part Not(const Part& part) {
  return Atom(absl::StrCat("not ", part.joint.empty() ? part.text : absl::StrCat("(", part.text, ")")));
}

// "ether src host": what an identifier is taken for, and the next one, too, if it comes bare.
struct Qualifiers {
  std::string protocol;   // "", "ether", "ip", "ip6", "tcp", ...
  std::string direction;  // "", "src", "dst", "src or dst", "src and dst"
  std::string type;       // "", "host", "net", "port", "portrange", "proto"
  bool any() const { return !protocol.empty() || !direction.empty() || !type.empty(); }
};

constexpr absl::string_view kLinks[] = {"ether", "link", "fddi", "tr", "wlan"};
constexpr absl::string_view kNetworks[] = {"ip", "ip6", "arp", "rarp"};
constexpr absl::string_view kTransports[] = {"tcp", "udp", "sctp", "icmp", "icmp6", "igmp",
                                             "esp", "ah",  "pim",  "igrp", "vrrp",  "carp"};
constexpr absl::string_view kTypes[] = {"host", "net", "port", "portrange", "proto"};
constexpr absl::string_view kUnsayable[] = {
    "gateway", "protochain", "broadcast", "multicast", "less",    "greater", "inbound", "outbound", "ifname", "on",
    "reason",  "rset",       "action",    "type",      "subtype", "decnet",  "aarp",    "atalk",    "iso",    "stp",
    "ipx",     "netbeui",    "llc",       "len",       "lat",     "moprc",   "mopdl",   "pppoed",   "pppoes", "geneve"};

template <size_t n>
bool IsOneOf(const absl::string_view (&words)[n], absl::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// Offsets that are fields.
struct Offset {
  absl::string_view header, offset, field;
  absl::string_view implied;  // what else the expression asks for
  bool bits;                  // "&" means the same on the field
};
constexpr Offset kOffsets[] = {
    {"tcp", "13", "tcp_flags", "proto tcp", true},
    {"tcp", "tcpflags", "tcp_flags", "proto tcp", true},
    {"ip", "1", "tos", "", true},
    {"ip", "8", "ttl", "", false},
    {"ip", "9", "protocol", "", false},
    {"icmp", "0", "icmp_type", "proto icmp", false},
    {"icmp", "icmptype", "icmp_type", "proto icmp", false},
    {"icmp", "1", "icmp_code", "proto icmp", false},
    {"icmp", "icmpcode", "icmp_code", "proto icmp", false},
};

struct NamedNumber {
  absl::string_view name;
  uint32_t number;
};
// pcap-filter(7).
constexpr NamedNumber kNumbers[] = {
    {"tcp-fin", 0x01},      {"tcp-syn", 0x02},        {"tcp-rst", 0x04},          {"tcp-push", 0x08},
    {"tcp-ack", 0x10},      {"tcp-urg", 0x20},        {"tcp-ece", 0x40},          {"tcp-cwr", 0x80},
    {"icmp-echoreply", 0},  {"icmp-unreach", 3},      {"icmp-sourcequench", 4},   {"icmp-redirect", 5},
    {"icmp-echo", 8},       {"icmp-routeradvert", 9}, {"icmp-routersolicit", 10}, {"icmp-timxceed", 11},
    {"icmp-paramprob", 12}, {"icmp-tstamp", 13},      {"icmp-tstampreply", 14},   {"icmp-ireq", 15},
    {"icmp-ireqreply", 16}, {"icmp-maskreq", 17},     {"icmp-maskreply", 18},
};

std::optional<uint32_t> Number(absl::string_view text) {
  uint32_t number = 0;
  for (const NamedNumber& named : kNumbers) {
    if (named.name == text) return named.number;
  }
  if (absl::StartsWith(text, "0x") || absl::StartsWith(text, "0X")) {
    if (text.size() > 2 && text.size() <= 10 && absl::SimpleHexAtoi(text, &number)) return number;
    return std::nullopt;
  }
  if (text.empty() || !std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) return std::nullopt;
  if (!absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

// "10", "192.168", "192.168.1": as many octets as are given, and so long is the prefix; four make a host.
std::optional<base::IpPrefix> ShortNetwork(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  if (parts.size() > 4) return std::nullopt;
  uint32_t address = 0;
  for (absl::string_view part : parts) {
    const std::optional<uint32_t> octet = Number(part);
    if (!octet || *octet > 255) return std::nullopt;
    address = address << 8 | *octet;
  }
  if (parts.size() < 4) address <<= 8 * (4 - parts.size());
  return base::IpPrefix(base::IpAddress::V4(address), static_cast<uint8_t>(8 * parts.size()));
}

class Translator {
 public:
  explicit Translator(absl::string_view text) : tokens_(Tokenize(text)) {}

  absl::StatusOr<std::string> Run() {
    Part part;
    if (!Expression(0, &part)) return Error();
    if (!AtEnd()) {
      Fail(Next().text == ")" ? "a ')' closes nothing" : absl::StrCat("\"", Next().text, "\" was not expected here"));
      return Error();
    }
    return part.text;
  }

 private:
  const Token& Next() const { return tokens_[at_]; }
  bool AtEnd() const { return at_ + 1 >= tokens_.size(); }
  void Advance() {
    if (!AtEnd()) ++at_;
  }
  bool Is(absl::string_view text) const { return !AtEnd() && Next().text == text; }
  bool Skip(absl::string_view text) {
    if (!Is(text)) return false;
    Advance();
    return true;
  }
  bool Fail(std::string what) {
    if (error_.empty()) error_ = absl::StrCat("column ", Next().column, ": ", what);
    return false;
  }
  absl::Status Error() const { return absl::InvalidArgumentError(error_); }

  // and, or: alike, from the left.
  bool Expression(size_t depth, Part* part) {
    if (!Term(depth, part)) return false;
    while (true) {
      absl::string_view joint;
      if (Skip("and") || Skip("&&")) {
        joint = "and";
      } else if (Skip("or") || Skip("||")) {
        joint = "or";
      } else {
        return true;
      }
      Part next;
      if (!Term(depth, &next)) return false;
      *part = Join(*part, joint, next);
    }
  }

  bool Term(size_t depth, Part* part) {
    if (depth >= kMaxDepth) return Fail("nested too deep");
    if (Skip("not") || Skip("!")) {
      if (!Term(depth + 1, part)) return false;
      *part = Not(*part);
      return true;
    }
    if (Skip("(")) {
      if (!Expression(depth + 1, part)) return false;
      if (!Skip(")")) return Fail("a ')' was expected here");
      return true;
    }
    if (AtEnd()) return Fail("a condition was expected at the end");
    Qualifiers qualifiers;
    ReadQualifiers(&qualifiers);
    if (!qualifiers.any()) {
      if (const absl::string_view word = Next().text; word == "vlan" || word == "mpls") return Tag(part);
      if (Is("len") || IsOneOf(kUnsayable, Next().text)) return Unsayable();
      if (!last_.any()) return Fail(absl::StrCat("\"", Next().text, "\" is no condition that we know"));
      return Identifier(last_, part);
    }
    if (Is("[")) return Accessor(qualifiers, part);
    if (Is("broadcast") || Is("multicast")) return Cast(qualifiers, part);
    if (qualifiers.direction.empty() && qualifiers.type.empty() && EndsPrimitive()) return Protocol(qualifiers, part);
    last_ = qualifiers;
    if (Is("(")) return Term(depth + 1, part);  // `port (80 or 443)`
    return Identifier(qualifiers, part);
  }

  bool EndsPrimitive() const { return AtEnd() || Is("and") || Is("or") || Is("&&") || Is("||") || Is(")"); }
  bool Unsayable() { return Fail(absl::StrCat("\"", Next().text, "\" asks about the packet, not about a field")); }

  void ReadQualifiers(Qualifiers* qualifiers) {
    if (const std::string& word = Next().text;
        IsOneOf(kLinks, word) || IsOneOf(kNetworks, word) || IsOneOf(kTransports, word)) {
      qualifiers->protocol = word;
      if (IsOneOf(kLinks, qualifiers->protocol)) qualifiers->protocol = "ether";
      Advance();
    }
    if (Is("src") || Is("dst")) {
      qualifiers->direction = Next().text;
      Advance();
      // "src or dst", "src and dst"
      if ((Is("or") || Is("and") || Is("||") || Is("&&")) && at_ + 2 < tokens_.size() &&
          (tokens_[at_ + 1].text == "src" || tokens_[at_ + 1].text == "dst") &&
          tokens_[at_ + 1].text != qualifiers->direction) {
        qualifiers->direction = Is("or") || Is("||") ? "src or dst" : "src and dst";
        Advance();
        Advance();
      }
    }
    if (!AtEnd() && IsOneOf(kTypes, Next().text)) {
      qualifiers->type = Next().text;
      Advance();
    }
  }

  // "tcp": the protocol alone.
  bool Protocol(const Qualifiers& qualifiers, Part* part) {
    const std::string& protocol = qualifiers.protocol;
    if (protocol == "ether") {
      --at_;
      return Fail("\"ether\" alone says nothing");
    }
    if (protocol == "arp" || protocol == "rarp") {
      --at_;
      return Fail("only IP is accounted");
    }
    last_ = Qualifiers();
    *part = OfProtocol(protocol);
    return true;
  }

  static Part OfProtocol(absl::string_view protocol) {
    // Absent addresses are in no family.
    if (protocol == "ip") return Atom("src_addr in 0.0.0.0/0");
    if (protocol == "ip6") return Atom("src_addr in ::/0");
    if (protocol == "icmp6") return Atom("proto ipv6-icmp");
    return Atom(absl::StrCat("proto ", protocol));
  }

  // "vlan", "vlan 100", "mpls 1000".
  bool Tag(Part* part) {
    const absl::string_view field = Is("vlan") ? "vlan" : "mpls_label_top";
    Advance();
    last_ = Qualifiers();
    if (EndsPrimitive()) {
      *part = Atom(absl::StrCat("exists(", field, ")"));
      return true;
    }
    const std::optional<uint32_t> number = Number(Next().text);
    if (!number) return Fail(absl::StrCat("\"", Next().text, "\" is no number"));
    Advance();
    *part = Atom(absl::StrCat(field, " = ", *number));
    return true;
  }

  bool Cast(const Qualifiers& qualifiers, Part* part) {
    const bool multicast = Is("multicast");
    if (qualifiers.direction.empty() && qualifiers.type.empty()) {
      if (qualifiers.protocol == "ip" && multicast) *part = Atom("dst_addr in 224.0.0.0/4");
      if (qualifiers.protocol == "ip6" && multicast) *part = Atom("dst_addr in ff00::/8");
      if (qualifiers.protocol == "ether" && !multicast) *part = Atom("dst_mac = ff:ff:ff:ff:ff:ff");
    }
    if (part->text.empty()) return Unsayable();
    Advance();
    last_ = Qualifiers();
    return true;
  }

  // "tcp[tcpflags] & (tcp-syn|tcp-ack) != 0".
  bool Accessor(const Qualifiers& qualifiers, Part* part) {
    last_ = Qualifiers();
    const Offset* found = nullptr;
    if (qualifiers.direction.empty() && qualifiers.type.empty() && at_ + 2 < tokens_.size() &&
        tokens_[at_ + 2].text == "]") {
      for (const Offset& offset : kOffsets) {
        if (offset.header == qualifiers.protocol && offset.offset == tokens_[at_ + 1].text) found = &offset;
      }
    }
    if (found == nullptr) return Fail("this offset is no field");
    for (int i = 0; i < 3; ++i) Advance();
    std::string condition(found->field);
    if (Skip("&")) {
      uint32_t bits = 0;
      if (!found->bits) return Fail("bits of this field cannot be asked for");
      if (!Bits(&bits)) return false;
      absl::StrAppend(&condition, " & ", bits);
    }
    const bool has_bits = condition != found->field;
    const std::string sign = Next().text == "==" ? "=" : Next().text;
    if (sign != "=" && sign != "!=" && (has_bits || (sign != "<" && sign != "<=" && sign != ">" && sign != ">="))) {
      return Fail("a comparison was expected here");
    }
    Advance();
    uint32_t value = 0;
    if (!Bits(&value)) return false;
    absl::StrAppend(&condition, " ", sign, " ", value);
    *part = Atom(std::move(condition));
    if (!found->implied.empty()) *part = Join(Atom(std::string(found->implied)), "and", *part);
    return true;
  }

  // A number, or numbers or-ed in parentheses.
  bool Bits(uint32_t* bits) {
    const bool parenthesis = Skip("(");
    *bits = 0;
    do {
      const std::optional<uint32_t> number = Number(Next().text);
      if (!number) return Fail(absl::StrCat("\"", Next().text, "\" is no number"));
      *bits |= *number;
      Advance();
    } while (parenthesis && Skip("|"));
    if (parenthesis && !Skip(")")) return Fail("a ')' was expected here");
    return true;
  }

  // The same condition on source, destination, either or both. `form` has a "$" where "src" or "dst" belongs;
  // `either` says it of any of the two, if there is a word for that.
  static Part Directed(absl::string_view direction, absl::string_view form, absl::string_view either) {
    const auto of = [form](absl::string_view side) {
      const size_t at = form.find('$');
      return Atom(absl::StrCat(form.substr(0, at), side, form.substr(at + 1)));
    };
    if (direction == "src" || direction == "dst") return of(direction);
    if (direction == "src and dst") return Join(of("src"), "and", of("dst"));
    if (!either.empty()) return Atom(std::string(either));
    return Join(of("src"), "or", of("dst"));
  }

  bool Identifier(const Qualifiers& qualifiers, Part* part) {
    if (AtEnd() || !Next().is_word) return Fail("here something to compare with was expected");
    if (IsOneOf(kUnsayable, Next().text)) return Unsayable();
    std::string word = Next().text;
    if (absl::StartsWith(word, "\\")) word.erase(0, 1);  // "ip proto \tcp"
    const std::string& direction = qualifiers.direction;
    const bool is_transport = IsOneOf(kTransports, qualifiers.protocol);
    std::string type = qualifiers.type;
    if (type.empty()) type = is_transport ? "port" : "host";
    if (qualifiers.protocol == "arp" || qualifiers.protocol == "rarp") return Fail("only IP is accounted");
    if (qualifiers.protocol == "ether") return LinkIdentifier(type, direction, word, part);
    if (type == "host") {
      const std::optional<base::IpAddress> address = base::IpAddress::Parse(word);
      if (!address) return Fail(absl::StrCat("\"", word, "\" is no address; names of hosts are not looked up"));
      const std::string text = address->ToString();
      *part = Directed(direction, absl::StrCat("$ host ", text), absl::StrCat("host ", text));
    } else if (type == "net") {
      if (!Network(&word)) return false;
      *part = Directed(direction, absl::StrCat("$ net ", word), absl::StrCat("net ", word));
    } else if (type == "port") {
      const std::optional<uint32_t> port = Number(word);
      if (!port || *port > 65535) return Fail(absl::StrCat("\"", word, "\" is no number of a port"));
      *part = Directed(direction, absl::StrCat("$ port ", *port), absl::StrCat("port ", *port));
    } else if (type == "portrange") {
      const std::vector<absl::string_view> ends = absl::StrSplit(word, '-');
      const std::optional<uint32_t> low = Number(ends.front()), high = Number(ends.back());
      if (ends.size() > 2 || !low || !high || *low > 65535 || *high > 65535) {
        return Fail(absl::StrCat("\"", word, "\" is no range of ports, such as 1024-65535"));
      }
      const std::string range = absl::StrCat("in (", std::min(*low, *high), "-", std::max(*low, *high), ")");
      *part = Directed(direction, absl::StrCat("$ port ", range), absl::StrCat("port ", range));
    } else {
      if (!direction.empty()) return Fail("a protocol has no direction");
      const std::optional<uint32_t> number = Number(word);
      const std::optional<uint8_t> named = record::ProtocolFromName(word);
      if (!named && (!number || *number > 255)) return Fail(absl::StrCat("\"", word, "\" is no protocol"));
      *part = Atom(absl::StrCat("proto ", named ? word : absl::StrCat(*number)));
    }
    Advance();
    // Of a host or a network the address tells the family.
    const bool tells_family = type == "host" || type == "net";
    if (!qualifiers.protocol.empty() && !tells_family) *part = Join(OfProtocol(qualifiers.protocol), "and", *part);
    return true;
  }

  // Leaves the prefix in `word`, and the last token of it as the next.
  bool Network(std::string* word) {
    if (at_ + 2 < tokens_.size() && tokens_[at_ + 1].text == "mask") {
      const std::optional<base::IpAddress> address = base::IpAddress::Parse(*word);
      const std::optional<base::IpAddress> mask = base::IpAddress::Parse(tokens_[at_ + 2].text);
      const uint32_t bits = mask && mask->IsV4() ? ~mask->v4() : 1;
      if (!address || !address->IsV4() || !mask || !mask->IsV4() || (bits & (bits + 1)) != 0) {
        return Fail("this network and mask are no prefix");
      }
      int length = 32;
      for (uint32_t rest = bits; rest != 0; rest >>= 1) --length;
      *word = base::IpPrefix(*address, static_cast<uint8_t>(length)).ToString();
      Advance();
      Advance();
      return true;
    }
    const absl::string_view address = absl::string_view(*word).substr(0, word->find('/'));
    std::optional<base::IpPrefix> prefix = ShortNetwork(address);
    if (prefix && address.size() < word->size()) {
      const std::optional<uint32_t> length = Number(absl::string_view(*word).substr(address.size() + 1));
      if (!length || *length > 32) return Fail(absl::StrCat("\"", *word, "\" is no network"));
      prefix = base::IpPrefix(prefix->address(), static_cast<uint8_t>(*length));
    } else if (!prefix) {
      prefix = base::IpPrefix::Parse(*word);
    }
    if (!prefix) return Fail(absl::StrCat("\"", *word, "\" is no network; names are not looked up"));
    *word = prefix->ToString();
    return true;
  }

  bool LinkIdentifier(absl::string_view type, const std::string& direction, const std::string& word, Part* part) {
    if (type == "host") {
      const std::optional<base::MacAddress> mac = base::MacAddress::Parse(word);
      if (!mac) return Fail(absl::StrCat("\"", word, "\" is no MAC address"));
      *part = Directed(direction, absl::StrCat("$_mac = ", mac->ToString()), "");
    } else if (type == "proto" && direction.empty()) {
      const std::optional<uint32_t> number = Number(word);
      if (word == "ip" || number == 0x0800u) {
        *part = OfProtocol("ip");
      } else if (word == "ip6" || number == 0x86ddu) {
        *part = OfProtocol("ip6");
      } else if (number && *number <= 0xffff) {
        *part = Atom(absl::StrCat("etype = ", *number));
      } else {
        return Fail(absl::StrCat("\"", word, "\" is no EtherType that we account"));
      }
    } else {
      return Fail("frames have no such address");
    }
    Advance();
    return true;
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  Qualifiers last_;
  std::string error_;
};

}  // namespace

absl::StatusOr<std::string> TranslatePacketFilter(absl::string_view text) {
  if (text.size() > kMaxOctets) {
    return absl::InvalidArgumentError(absl::StrCat("column ", kMaxOctets + 1, ": longer than ", kMaxOctets, " octets"));
  }
  if (absl::StripAsciiWhitespace(text).empty()) return std::string();
  absl::StatusOr<std::string> translated = Translator(text).Run();
  if (!translated.ok()) return translated;
  // Such as a protocol that has a word in libpcap, but none here.
  if (const auto ours = filter::Filter::Parse(*translated); !ours.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("as ", *translated, ": ", ours.status().message()));
  }
  return translated;
}

std::string BothHold(absl::string_view a, absl::string_view b) {
  if (a.empty()) return std::string(b);
  if (b.empty()) return std::string(a);
  const auto wrapped = [](absl::string_view text) {
    int depth = 0;
    bool has_or = false;
    for (size_t i = 0; i < text.size(); ++i) {
      depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
      has_or = has_or || (depth == 0 && absl::StartsWith(text.substr(i), " or "));
    }
    return has_or ? absl::StrCat("(", text, ")") : std::string(text);
  };
  return absl::StrCat(wrapped(a), " and ", wrapped(b));
}

}  // namespace flowacct::collector
