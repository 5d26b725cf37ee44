// key: level, 1; origin, 8; fragment, 1 | sequence, 4 | flags, 1 | name, 2 and text | router identifiers | lists, each
// of 4 octets of count and its entries; that of facts stands there only if bit 2 of the flags says so
#include "flowacct/topology/advertisement_octets.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace flowacct::topology {
namespace {

using base::OctetReader;
using base::OctetWriter;

void Write(const base::IpAddress& a, OctetWriter* w) { w->Bytes(a.octets()); }
void Read(OctetReader* r, base::IpAddress* a) {
  const base::Octets octets = r->Bytes(base::IpAddress::kSize);
  if (!octets.empty()) *a = base::IpAddress::FromV6(octets.data());
}

void Write(const std::string& text, OctetWriter* w) {
  const size_t size = std::min<size_t>(text.size(), 0xffff);
  w->U16(static_cast<uint16_t>(size)).Text(absl::string_view(text).substr(0, size));
}
void Read(OctetReader* r, std::string* text) {
  const base::Octets octets = r->Bytes(r->U16());
  text->assign(octets.begin(), octets.end());
}

void Write(const std::optional<base::IpAddress>& a, OctetWriter* w) {
  w->U8(a.has_value());
  if (a) Write(*a, w);
}
void Read(OctetReader* r, std::optional<base::IpAddress>* a) {
  if (r->U8() != 0) Read(r, &a->emplace());
}

void Write(const TopologyFlags& f, OctetWriter* w) {
  w->U16(f.topology).U8(static_cast<uint8_t>(f.overload | f.attached << 1));
}
void Read(OctetReader* r, TopologyFlags* f) {
  f->topology = r->U16();
  const uint8_t bits = r->U8();
  f->overload = (bits & 1) != 0;
  f->attached = (bits & 2) != 0;
}

void Write(const AdvertisedLink& l, OctetWriter* w) {
  w->U64(l.to.value).U16(l.topology).U32(l.metric);
  Write(l.local_address, w);
  Write(l.remote_address, w);
  w->U32(l.local_id).U32(l.remote_id).U8(l.bandwidth.has_value());
  if (!l.bandwidth) return;
  uint32_t bits;
  std::memcpy(&bits, &*l.bandwidth, sizeof(bits));
  w->U32(bits);
}
void Read(OctetReader* r, AdvertisedLink* l) {
  l->to.value = r->U64();
  l->topology = r->U16();
  l->metric = r->U32();
  Read(r, &l->local_address);
  Read(r, &l->remote_address);
  l->local_id = r->U32();
  l->remote_id = r->U32();
  if (r->U8() == 0) return;
  const uint32_t bits = r->U32();
  float bandwidth;
  std::memcpy(&bandwidth, &bits, sizeof(bandwidth));
  if (std::isfinite(bandwidth) && bandwidth >= 0) l->bandwidth = bandwidth;
}

void Write(const AdvertisedPrefix& p, OctetWriter* w) {
  Write(p.prefix.address(), w);
  w->U8(p.prefix.length()).U16(p.topology).U32(p.metric);
  w->U8(static_cast<uint8_t>(p.down | p.external << 1 | p.external_metric << 2 | p.segment_index.has_value() << 3));
  if (p.segment_index) w->U32(*p.segment_index);
}
void Read(OctetReader* r, AdvertisedPrefix* p) {
  base::IpAddress address;
  Read(r, &address);
  p->prefix = base::IpPrefix(address, r->U8());
  p->topology = r->U16();
  p->metric = r->U32();
  const uint8_t bits = r->U8();
  p->down = (bits & 1) != 0;
  p->external = (bits & 2) != 0;
  p->external_metric = (bits & 4) != 0;
  if ((bits & 8) != 0) p->segment_index = r->U32();
}

void Write(const AdvertisedFact& f, OctetWriter* w) {
  Write(f.what, w);
  Write(f.text, w);
  w->U16(f.topology);
}
void Read(OctetReader* r, AdvertisedFact* f) {
  Read(r, &f->what);
  Read(r, &f->text);
  f->topology = r->U16();
}

template <typename T>
void WriteList(const std::vector<T>& list, OctetWriter* w) {
  w->U32(static_cast<uint32_t>(list.size()));
  for (const T& t : list) Write(t, w);
}
// Grows with what is there, not with what the count says.
template <typename T>
void ReadList(OctetReader* r, std::vector<T>* list) {
  list->clear();
  for (uint32_t left = r->U32(); left > 0 && r->ok(); --left) Read(r, &list->emplace_back());
  list->shrink_to_fit();
}

}  // namespace

void WriteAdvertisement(const Advertisement& a, OctetWriter* w) {
  w->U8(a.key.level).U64(a.key.origin.value).U8(a.key.fragment).U32(a.sequence);
  w->U8(static_cast<uint8_t>(a.overload | a.attached << 1 | !a.facts.empty() << 2));
  Write(a.name, w);
  Write(a.router_id, w);
  Write(a.router_id_v6, w);
  WriteList(a.topologies, w);
  WriteList(a.areas, w);
  WriteList(a.addresses, w);
  WriteList(a.links, w);
  WriteList(a.prefixes, w);
  if (!a.facts.empty()) WriteList(a.facts, w);
}

bool ReadAdvertisement(OctetReader* r, Advertisement* a) {
  *a = Advertisement();
  a->key.level = r->U8();
  a->key.origin.value = r->U64();
  a->key.fragment = r->U8();
  a->sequence = r->U32();
  const uint8_t bits = r->U8();
  a->overload = (bits & 1) != 0;
  a->attached = (bits & 2) != 0;
  Read(r, &a->name);
  Read(r, &a->router_id);
  Read(r, &a->router_id_v6);
  ReadList(r, &a->topologies);
  ReadList(r, &a->areas);
  ReadList(r, &a->addresses);
  ReadList(r, &a->links);
  ReadList(r, &a->prefixes);
  if ((bits & 4) != 0) ReadList(r, &a->facts);
  return r->ok();
}

}  // namespace flowacct::topology
