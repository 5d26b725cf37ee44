// What subscribers on 4G and 5G do (TS 23.401), as messages of GTPv2-C (TS 29.274, 7.2 and 7.3).

#include <utility>

#include "flowacct/collector/generate/gtp_simulation.h"

namespace flowacct::collector {

using namespace gtp_message;  // NOLINT: numbers of message types, which are many

namespace {

constexpr int64_t kMicro = 1000;
// TS 24.008, 10.5.6.12: a new template with one filter, in both directions, for UDP (component 0x30, RFC 768's 17).
constexpr uint8_t kTft[] = {0x21, 0x30, 0x00, 0x02, 0x30, 0x11};
// Indication flags (TS 29.274, 8.12), octets 5 and 6.
constexpr uint64_t kOperation = uint64_t{0x08} << 56, kScope = uint64_t{0x02} << 48;
// Causes (8.4).
constexpr uint8_t kReactivation = 8;
constexpr uint8_t kRefusals[] = {73, 92, 93};  // no resources, authentication failed, APN access denied

gtp::BearerQos Qos(int slot, int bearer) {
  gtp::BearerQos qos;
  if (bearer == 1) {
    qos.qci = 1;
    qos.arp = 0x08;  // priority 2
    qos.max_up_kbps = qos.max_down_kbps = qos.guaranteed_up_kbps = qos.guaranteed_down_kbps = 128;
  } else {
    qos.qci = slot == 1 ? 5 : 9;
  }
  return qos;
}

}  // namespace

void GtpSimulation::Fteid(uint8_t type, uint8_t instance, uint32_t teid, GtpNodeId node, bool control) {
  const GtpNode& n = network_.node(node);
  if (control) {
    v2_.FteidElement(type, instance, teid, n.control);
  } else {
    v2_.FteidElement(type, instance, teid, n.v4, n.v6);
  }
}

void GtpSimulation::WriteLocation2(const Subscriber& u) {
  gtp::UserLocation location;
  gtp::LocationArea area;
  area.plmn = network_.VisitedPlmn(u.profile);
  area.code = 1u + u.radio / 10;
  location.Set(gtp::LocationForm::kTai, area);
  area.code = 0;
  area.cell = static_cast<uint32_t>(u.radio) << 8 | (1 + u.mm_control % 3);
  location.Set(gtp::LocationForm::kEcgi, area);
  v2_.UserLocation(location);
}

void GtpSimulation::WriteIdentity2(uint32_t index) {
  const Subscriber& u = subscribers_[index];
  v2_.Imsi(network_.Imsi(index, u.profile)).Msisdn(network_.Msisdn(index)).Imei(network_.Imei(index));
  WriteLocation2(u);
  v2_.ServingNetwork(network_.VisitedPlmn(u.profile)).RatType(kEutran);
}

void GtpSimulation::WriteAnsweredBearer(int slot, int bearer) { v2_.Ebi(Ebi(slot, bearer)).Cause(kAccepted); }

int64_t GtpSimulation::Attach(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  u.access = u.profile.access;
  u.lost = false;
  for (int i = 0; i < kLabels; ++i) u.labels[i] = static_cast<uint8_t>(i);
  switch (u.access) {
    case GtpAccess::k3G:
      return Connect3G(index, now);
    case GtpAccess::k5G:
      return Attach5G(index, now);
    case GtpAccess::k4G:
      break;
  }
  u.mm = PickMme(u);
  u.sgw = PickSgw(u);
  u.radio = PickRadio(u, 0);
  return Connect4G(index, 0, u.profile.apn, now);
}

int64_t GtpSimulation::Connect4G(uint32_t index, int slot, uint8_t apn, int64_t now) {
  Subscriber& u = subscribers_[index];
  const bool first = Connections(u) == 0;
  const bool refused = first && Chance(options_.percent_refused);
  if (first) {
    Count(refused ? GtpProcedure::kAttachRefused : GtpProcedure::kAttach);
    u.mm_control = NewTeid(u.mm, now);
    u.sgw_control = NewTeid(u.sgw, now);
  }
  const GtpNodeId gateway = PickGateway(u, apn);
  const uint32_t sgw_control = NewTeid(u.sgw, now), sgw_core = NewTeid(u.sgw, now);
  const GtpApn& about = GtpApnAt(apn);
  const gtp::UeAddresses ue = network_.UeAddresses(index, apn);
  const std::string apn_text = network_.ApnText(u.profile, apn);
  if (!refused) {
    Session& s = sessions_[static_cast<size_t>(Open(index, slot, apn, gateway, now))];
    s.sgw_control = sgw_control;
    s.gateway_control = NewTeid(gateway, now);
    s.bearers[0].teid = {0, NewTeid(u.sgw, now), sgw_core, NewTeid(gateway, now)};
  }
  const auto connection = [&] {
    v2_.Apn(apn_text).SelectionMode(0).PdnType(static_cast<uint8_t>((about.v4 ? 1 : 0) | (about.v6 ? 2 : 0)));
    gtp::UeAddresses wanted;  // of any address
    if (about.v4) wanted.v4 = base::IpAddress::V4(0);
    if (about.v6) wanted.v6 = base::IpAddress();
    v2_.Paa(wanted).ApnRestriction(0).Ambr(50000, 150000).TimeZone(0x40, 0).ChargingCharacteristics(0x0800);
  };

  const uint32_t sequence = Sequence(u.mm);
  Begin2(kCreateSessionRequest, first ? 0 : u.sgw_control, sequence);
  WriteIdentity2(index);
  Fteid(kS11Mme, 0, u.mm_control, u.mm, true);
  Fteid(kS5CPgw, 1, 0, gateway, true);  // where the SGW is to ask: no TEID yet
  connection();
  size_t group = v2_.BeginGroup(kBearerContext, 0);
  v2_.Ebi(Ebi(slot, 0)).Qos(Qos(slot, 0));
  v2_.EndGroup(group);
  v2_.Recovery(network_.node(u.mm).recovery);
  const uint32_t s11 = Request(u, now, u.mm, u.sgw, GtpTap::kS11, Bit(kImsi) | Bit(kMm) | (first ? 0 : Bit(kSgw)));

  int64_t t = now + Step();
  const uint32_t sequence5 = Sequence(u.sgw);
  Begin2(kCreateSessionRequest, 0, sequence5);
  WriteIdentity2(index);
  Fteid(kS5CSgw, 0, sgw_control, u.sgw, true);
  connection();
  group = v2_.BeginGroup(kBearerContext, 0);
  v2_.Ebi(Ebi(slot, 0));
  Fteid(kS5USgw, 2, sgw_core, u.sgw, false);
  v2_.Qos(Qos(slot, 0));
  v2_.EndGroup(group);
  v2_.Recovery(network_.node(u.sgw).recovery);
  const uint32_t named = refused ? 0 : Bit(SgwLabel(slot)) | Bit(Label(slot, 0, kSgwCore));
  const uint32_t s5 = Request(u, t, u.sgw, gateway, GtpTap::kS5, Bit(kImsi) | named);

  t += Step();
  if (refused) {
    const uint8_t cause = kRefusals[random_.Below(3)];
    Begin2(kCreateSessionRequest + 1, sgw_control, sequence5).Cause(cause).Recovery(network_.node(gateway).recovery);
    Answer(u, t, gateway, u.sgw, GtpTap::kS5, 0, s5);
    t += Step();
    Begin2(kCreateSessionRequest + 1, u.mm_control, sequence).Cause(cause);
    Answer(u, t, u.sgw, u.mm, GtpTap::kS11, 0, s11);
    FreeTeid(u.sgw, sgw_control, t);
    FreeTeid(u.sgw, sgw_core, t);
    FreeControl(u, t);
    return t;
  }

  Session& s = At(u, slot);
  Bearer& b = s.bearers[0];
  Begin2(kCreateSessionRequest + 1, sgw_control, sequence5).Cause(kAccepted);
  Fteid(kS5CPgw, 1, s.gateway_control, gateway, true);
  v2_.Paa(ue).ApnRestriction(0).Ambr(50000, 150000);
  group = v2_.BeginGroup(kBearerContext, 0);
  WriteAnsweredBearer(slot, 0);
  Fteid(kS5UPgw, 2, b.teid[kGateway], gateway, false);
  v2_.Qos(Qos(slot, 0)).ChargingId(s.charging_id);
  v2_.EndGroup(group);
  v2_.Recovery(network_.node(gateway).recovery);
  Answer(u, t, gateway, u.sgw, GtpTap::kS5,
         Bit(SgwLabel(slot)) | Bit(GatewayLabel(slot)) | Bit(Label(slot, 0, kGateway)), s5);

  t += Step();
  const int64_t answered = t;
  Begin2(kCreateSessionRequest + 1, u.mm_control, sequence).Cause(kAccepted);
  if (first) Fteid(kS11Sgw, 0, u.sgw_control, u.sgw, true);
  Fteid(kS5CPgw, 1, s.gateway_control, gateway, true);
  v2_.Paa(ue).ApnRestriction(0).Ambr(50000, 150000);
  group = v2_.BeginGroup(kBearerContext, 0);
  WriteAnsweredBearer(slot, 0);
  Fteid(kS1USgw, 0, b.teid[kSgwRadio], u.sgw, false);
  Fteid(kS5UPgw, 2, b.teid[kGateway], gateway, false);
  v2_.Qos(Qos(slot, 0)).ChargingId(s.charging_id);
  v2_.EndGroup(group);
  v2_.Recovery(network_.node(u.sgw).recovery);
  Answer(u, t, u.sgw, u.mm, GtpTap::kS11,
         Bit(kMm) | (first ? Bit(kSgw) : 0) | Bit(GatewayLabel(slot)) | Bit(Label(slot, 0, kSgwRadio)) |
             Bit(Label(slot, 0, kGateway)),
         s11);

  u.state = State::kActive;
  t = ModifyBearers(index, t + Step(), /*radio=*/true, /*sender=*/false, slot);
  if (Chance(options_.percent_early)) {
    ++truth_.early_bursts;
    t = std::max(t, Burst(index, answered - 900 * kMicro));
  }
  return t;
}

int64_t GtpSimulation::ModifyBearers(uint32_t index, int64_t now, bool radio, bool sender, int only_slot) {
  Subscriber& u = subscribers_[index];
  int64_t t = now;
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0 || (only_slot >= 0 && slot != only_slot)) continue;
    Session& s = At(u, slot);
    const uint32_t sequence = Sequence(u.mm);
    uint32_t named = Bit(kSgw) | (sender ? Bit(kMm) : 0), answered = Bit(kMm);
    Begin2(kModifyBearerRequest, u.sgw_control, sequence);
    WriteLocation2(u);
    v2_.RatType(kEutran);
    if (sender) Fteid(kS11Mme, 0, u.mm_control, u.mm, true);
    for (int bearer = 0; radio && bearer < static_cast<int>(kBearers); ++bearer) {
      Bearer& b = s.bearers[bearer];
      if (!b.open) continue;
      const int label = Label(slot, bearer, kRadio);
      b.teid[kRadio] = NewTeid(u.radio, now);
      Fresh(u, label);
      named |= Bit(label);
      answered |= Bit(Label(slot, bearer, kSgwRadio));
      const size_t group = v2_.BeginGroup(kBearerContext, 0);
      v2_.Ebi(Ebi(slot, bearer));
      Fteid(kS1UEnodeb, 0, b.teid[kRadio], u.radio, false);
      v2_.EndGroup(group);
    }
    const uint32_t request = Request(u, t, u.mm, u.sgw, GtpTap::kS11, named);
    t += Step();
    Begin2(kModifyBearerRequest + 1, u.mm_control, sequence).Cause(kAccepted);
    for (int bearer = 0; radio && bearer < static_cast<int>(kBearers); ++bearer) {
      if (!s.bearers[bearer].open) continue;
      const size_t group = v2_.BeginGroup(kBearerContext, 0);
      WriteAnsweredBearer(slot, bearer);
      Fteid(kS1USgw, 0, s.bearers[bearer].teid[kSgwRadio], u.sgw, false);
      v2_.EndGroup(group);
    }
    Answer(u, t, u.sgw, u.mm, GtpTap::kS11, answered, request);
    t += Step();
  }
  return t;
}

int64_t GtpSimulation::DeleteAtSgw(Subscriber& u, GtpNodeId sgw, uint32_t sgw_control, int slot, int64_t now) {
  const uint32_t sequence = Sequence(u.mm);
  Begin2(kDeleteSessionRequest, sgw_control, sequence).Ebi(Ebi(slot, 0)).Indication(kScope, 2);
  Request(u, now, u.mm, sgw, GtpTap::kS11, 0);
  const int64_t t = now + Step();
  Begin2(kDeleteSessionRequest + 1, u.mm_control, sequence).Cause(kAccepted);
  Answer(u, t, sgw, u.mm, GtpTap::kS11, 0, 0);
  return t;
}

int64_t GtpSimulation::Disconnect4G(uint32_t index, int slot, int64_t now) {
  Subscriber& u = subscribers_[index];
  Session& s = At(u, slot);
  int64_t t = now;
  const uint32_t sequence = Sequence(u.mm), sequence5 = Sequence(u.sgw);
  Begin2(kDeleteSessionRequest, u.sgw_control, sequence).Ebi(Ebi(slot, 0));
  WriteLocation2(u);
  v2_.Indication(kOperation, 2);
  Request(u, t, u.mm, u.sgw, GtpTap::kS11, 0);
  t += Step();
  Begin2(kDeleteSessionRequest, s.gateway_control, sequence5).Ebi(Ebi(slot, 0));
  WriteLocation2(u);
  Request(u, t, u.sgw, s.gateway, GtpTap::kS5, 0);
  t += Step();
  Begin2(kDeleteSessionRequest + 1, s.sgw_control, sequence5).Cause(kAccepted);
  Answer(u, t, s.gateway, u.sgw, GtpTap::kS5, 0, 0);
  t += Step();
  Begin2(kDeleteSessionRequest + 1, u.mm_control, sequence).Cause(kAccepted);
  Answer(u, t, u.sgw, u.mm, GtpTap::kS11, 0, 0);
  Close(u, slot, t, /*restarted=*/false);
  return t;
}

int64_t GtpSimulation::Detach4G(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  int64_t t = now;
  for (int slot = kSlots - 1; slot >= 0; --slot) {
    if (u.sessions[slot] >= 0) t = Disconnect4G(index, slot, t + Step());
  }
  FreeControl(u, t);
  return t;
}

int64_t GtpSimulation::EndByGateway4G(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const int slot = u.sessions[1] >= 0 ? 1 : 0;
  Session& s = At(u, slot);
  const uint32_t sequence5 = Sequence(s.gateway), sequence = Sequence(u.sgw);
  // With the linked EBI: all bearers of the connection (29.274, 7.2.9.2).
  Begin2(kDeleteBearerRequest, s.sgw_control, sequence5).Ebi(Ebi(slot, 0)).Cause(kReactivation);
  Request(u, now, s.gateway, u.sgw, GtpTap::kS5, 0);
  int64_t t = now + Step();
  Begin2(kDeleteBearerRequest, u.mm_control, sequence).Ebi(Ebi(slot, 0)).Cause(kReactivation);
  Request(u, t, u.sgw, u.mm, GtpTap::kS11, 0);
  t += Step();
  Begin2(kDeleteBearerRequest + 1, u.sgw_control, sequence).Cause(kAccepted).Ebi(Ebi(slot, 0));
  Answer(u, t, u.mm, u.sgw, GtpTap::kS11, 0, 0);
  t += Step();
  Begin2(kDeleteBearerRequest + 1, s.gateway_control, sequence5).Cause(kAccepted).Ebi(Ebi(slot, 0));
  Answer(u, t, u.sgw, s.gateway, GtpTap::kS5, 0, 0);
  Close(u, slot, t, /*restarted=*/false);
  FreeControl(u, t);
  return t;
}

int64_t GtpSimulation::Dedicated(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const int slot = u.sessions[1] >= 0 ? 1 : 0;
  Session& s = At(u, slot);
  Bearer& b = s.bearers[1];
  b.open = true;
  b.teid = {NewTeid(u.radio, now), NewTeid(u.sgw, now), NewTeid(u.sgw, now), NewTeid(s.gateway, now)};
  for (size_t i = 0; i < kEndpoints; ++i) Fresh(u, Label(slot, 1, static_cast<Endpoint>(i)));
  const uint32_t radio = Bit(Label(slot, 1, kRadio)), sgw_radio = Bit(Label(slot, 1, kSgwRadio)),
                 sgw_core = Bit(Label(slot, 1, kSgwCore)), gateway = Bit(Label(slot, 1, kGateway));
  int64_t t = now;
  const uint32_t sequence5 = Sequence(s.gateway), sequence = Sequence(u.sgw);
  Begin2(kCreateBearerRequest, s.sgw_control, sequence5).Ebi(Ebi(slot, 0));
  size_t group = v2_.BeginGroup(kBearerContext, 0);
  v2_.Ebi(0).Element(kBearerTft, 0, kTft);
  Fteid(kS5UPgw, 1, b.teid[kGateway], s.gateway, false);
  v2_.Qos(Qos(slot, 1)).ChargingId(next_charging_id_);
  v2_.EndGroup(group);
  const uint32_t s5 = Request(u, t, s.gateway, u.sgw, GtpTap::kS5, Bit(SgwLabel(slot)) | gateway);
  t += Step();
  Begin2(kCreateBearerRequest, u.mm_control, sequence).Ebi(Ebi(slot, 0));
  group = v2_.BeginGroup(kBearerContext, 0);
  v2_.Ebi(0).Element(kBearerTft, 0, kTft);
  Fteid(kS1USgw, 0, b.teid[kSgwRadio], u.sgw, false);
  Fteid(kS5UPgw, 1, b.teid[kGateway], s.gateway, false);
  v2_.Qos(Qos(slot, 1)).ChargingId(next_charging_id_++);
  v2_.EndGroup(group);
  const uint32_t s11 = Request(u, t, u.sgw, u.mm, GtpTap::kS11, Bit(kMm) | sgw_radio | gateway);
  t += Step();
  Begin2(kCreateBearerRequest + 1, u.sgw_control, sequence).Cause(kAccepted);
  group = v2_.BeginGroup(kBearerContext, 0);
  WriteAnsweredBearer(slot, 1);
  Fteid(kS1UEnodeb, 0, b.teid[kRadio], u.radio, false);
  Fteid(kS1USgw, 1, b.teid[kSgwRadio], u.sgw, false);
  v2_.EndGroup(group);
  Answer(u, t, u.mm, u.sgw, GtpTap::kS11, Bit(kSgw) | radio | sgw_radio, s11);
  t += Step();
  Begin2(kCreateBearerRequest + 1, s.gateway_control, sequence5).Cause(kAccepted);
  group = v2_.BeginGroup(kBearerContext, 0);
  WriteAnsweredBearer(slot, 1);
  Fteid(kS5USgw, 2, b.teid[kSgwCore], u.sgw, false);
  Fteid(kS5UPgw, 3, b.teid[kGateway], s.gateway, false);
  v2_.EndGroup(group);
  Answer(u, t, u.sgw, s.gateway, GtpTap::kS5, Bit(GatewayLabel(slot)) | sgw_core | gateway, s5);
  return t;
}

int64_t GtpSimulation::DedicatedEnd(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  int64_t t = now;
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0 || !At(u, slot).bearers[1].open) continue;
    Session& s = At(u, slot);
    const uint32_t sequence5 = Sequence(s.gateway), sequence = Sequence(u.sgw);
    Begin2(kDeleteBearerRequest, s.sgw_control, sequence5).Ebi(Ebi(slot, 1), 1);
    Request(u, t, s.gateway, u.sgw, GtpTap::kS5, 0);
    t += Step();
    Begin2(kDeleteBearerRequest, u.mm_control, sequence).Ebi(Ebi(slot, 1), 1);
    Request(u, t, u.sgw, u.mm, GtpTap::kS11, 0);
    const auto answer = [&](uint32_t teid, uint32_t number, GtpNodeId from, GtpNodeId to, GtpTap tap) {
      t += Step();
      Begin2(kDeleteBearerRequest + 1, teid, number).Cause(kAccepted);
      const size_t group = v2_.BeginGroup(kBearerContext, 0);
      WriteAnsweredBearer(slot, 1);
      v2_.EndGroup(group);
      Answer(u, t, from, to, tap, 0, 0);
    };
    answer(u.sgw_control, sequence, u.mm, u.sgw, GtpTap::kS11);
    answer(s.gateway_control, sequence5, u.sgw, s.gateway, GtpTap::kS5);
    FreeBearer(u, s, 1, t);
    s.bearers[1] = Bearer();
    t += Step();
  }
  return t;
}

int64_t GtpSimulation::BearerUpdate(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const int slot = u.sessions[0] >= 0 ? 0 : 1;
  Session& s = At(u, slot);
  int64_t t = now;
  const uint32_t sequence5 = Sequence(s.gateway), sequence = Sequence(u.sgw);
  const auto write = [&] {
    const size_t group = v2_.BeginGroup(kBearerContext, 0);
    v2_.Ebi(Ebi(slot, 0)).Qos(Qos(slot, 0));
    v2_.EndGroup(group);
    v2_.Ambr(25000, 75000);
  };
  Begin2(kUpdateBearerRequest, s.sgw_control, sequence5);
  write();
  const uint32_t s5 = Request(u, t, s.gateway, u.sgw, GtpTap::kS5, Bit(SgwLabel(slot)));
  t += Step();
  Begin2(kUpdateBearerRequest, u.mm_control, sequence);
  write();
  const uint32_t s11 = Request(u, t, u.sgw, u.mm, GtpTap::kS11, Bit(kMm));
  const auto answer = [&](uint32_t teid, uint32_t number) {
    t += Step();
    Begin2(kUpdateBearerRequest + 1, teid, number).Cause(kAccepted);
    const size_t group = v2_.BeginGroup(kBearerContext, 0);
    WriteAnsweredBearer(slot, 0);
    v2_.EndGroup(group);
  };
  answer(u.sgw_control, sequence);
  Answer(u, t, u.mm, u.sgw, GtpTap::kS11, Bit(kSgw), s11);
  answer(s.gateway_control, sequence5);
  Answer(u, t, u.sgw, s.gateway, GtpTap::kS5, Bit(GatewayLabel(slot)), s5);
  return t;
}

int64_t GtpSimulation::Handover(uint32_t index, int64_t now, bool over_x2) {
  Subscriber& u = subscribers_[index];
  const GtpNodeId old = u.radio, target = PickRadio(u, old);
  const GtpNode &from = network_.node(old), &to = network_.node(target);
  if (!(from.v4 && to.v4) && !(from.v6 && to.v6)) over_x2 = false;  // they have no family to talk in
  std::array<std::array<uint32_t, kBearers>, kSlots> old_teids{};
  for (size_t slot = 0; slot < kSlots; ++slot) {
    for (size_t bearer = 0; u.sessions[slot] >= 0 && bearer < kBearers; ++bearer) {
      old_teids[slot][bearer] = At(u, static_cast<int>(slot)).bearers[bearer].teid[kRadio];
    }
  }
  const int slot = u.sessions[0] >= 0 ? 0 : 1;
  const GtpNodeId sgw = u.sgw;
  int64_t t = now;
  const uint32_t at_target = NewTeid(target, now);
  uint32_t at_sgw = 0;
  if (!over_x2) {
    at_sgw = NewTeid(sgw, now);
    Fresh(u, kForwardSgw);
    Fresh(u, kForwardRadio);
    const uint32_t sequence = Sequence(u.mm);
    Begin2(kCreateForwardingRequest, u.sgw_control, sequence);
    size_t group = v2_.BeginGroup(kBearerContext, 0);
    v2_.Ebi(Ebi(slot, 0));
    Fteid(kForwardEnodeb, 0, at_target, target, false);
    v2_.EndGroup(group);
    const uint32_t request = Request(u, t, u.mm, sgw, GtpTap::kS11, Bit(kSgw) | Bit(kForwardRadio));
    t += Step();
    Begin2(kCreateForwardingRequest + 1, u.mm_control, sequence).Cause(kAccepted);
    group = v2_.BeginGroup(kBearerContext, 0);
    WriteAnsweredBearer(slot, 0);
    Fteid(kForwardSgw23, 0, at_sgw, sgw, false);
    v2_.EndGroup(group);
    Answer(u, t, sgw, u.mm, GtpTap::kS11, Bit(kMm) | Bit(kForwardSgw), request);
    t += Step();
  }
  // Packets that come down while the radio is switched go round by the old eNodeB.
  const bool v6 = !GtpApnAt(At(u, slot).apn).v4;
  const auto port = static_cast<uint16_t>(33000 + random_.Below(20000));
  const uint32_t remote = random_.Below(1 << 17);
  for (int i = 0; i < 2; ++i) {
    const auto octets = static_cast<uint16_t>(600 + random_.Below(700));
    const auto forward = [&](int64_t at, GtpTap tap, GtpNodeId a, GtpNodeId b, uint32_t teid, GtpKnowledge known) {
      PushUser(u, slot, 0, at, false, GtpTraffic::kQuic, octets, port, remote, v6, tap, a, b, teid, known);
    };
    Carry(u, slot, 0, t, false, GtpTraffic::kQuic, octets, port, remote, v6);
    if (over_x2) {
      forward(t + 500 * kMicro, GtpTap::kX2, old, target, at_target, GtpKnowledge::kNone);
    } else {
      forward(t + 500 * kMicro, GtpTap::kForwarding, old, sgw, at_sgw, Knowledge(u, kForwardSgw));
      forward(t + 700 * kMicro, GtpTap::kForwarding, sgw, target, at_target, Knowledge(u, kForwardRadio));
    }
    t += Step();
  }
  u.radio = target;
  t = ModifyBearers(index, t, /*radio=*/true, /*sender=*/false, -1);
  // TS 23.401, 5.5.1.1.2: the SGW ends what goes the old way.
  for (size_t i = 0; i < kSlots; ++i) {
    for (const uint32_t teid : old_teids[i]) {
      if (teid == 0) continue;
      message_.Clear();
      gtp::WriteEndMarker(teid, &message_);
      SendUserSignal(u, t, sgw, old, GtpTap::kS1U);
      FreeTeid(old, teid, t);
    }
  }
  if (!over_x2) {
    t += Step();
    const uint32_t sequence = Sequence(u.mm);
    Begin2(kDeleteForwardingRequest, u.sgw_control, sequence);
    const uint32_t request = Request(u, t, u.mm, sgw, GtpTap::kS11, Bit(kSgw));
    t += Step();
    Begin2(kDeleteForwardingRequest + 1, u.mm_control, sequence).Cause(kAccepted);
    Answer(u, t, sgw, u.mm, GtpTap::kS11, Bit(kMm), request);
    FreeTeid(sgw, at_sgw, t);
  }
  FreeTeid(target, at_target, t);
  return t;
}

int64_t GtpSimulation::CreateAtSgw(uint32_t index, int slot, bool first, bool radio, int64_t now) {
  Subscriber& u = subscribers_[index];
  Session& s = At(u, slot);
  s.sgw_control = NewTeid(u.sgw, now);
  Fresh(u, SgwLabel(slot));
  uint32_t named = Bit(kImsi) | Bit(kMm) | Bit(GatewayLabel(slot)) | (first ? 0 : Bit(kSgw));
  uint32_t named5 = Bit(SgwLabel(slot)) | Bit(GatewayLabel(slot));
  uint32_t answered = Bit(kMm) | (first ? Bit(kSgw) : 0);
  const uint32_t sequence = Sequence(u.mm), sequence5 = Sequence(u.sgw);
  Begin2(kCreateSessionRequest, first ? 0 : u.sgw_control, sequence);
  WriteIdentity2(index);
  v2_.Indication(kOperation, 2);
  Fteid(kS11Mme, 0, u.mm_control, u.mm, true);
  Fteid(kS5CPgw, 1, s.gateway_control, s.gateway, true);
  v2_.Apn(network_.ApnText(u.profile, s.apn)).SelectionMode(0).ApnRestriction(0).Ambr(50000, 150000);
  v2_.Paa(network_.UeAddresses(index, s.apn));
  for (int bearer = 0; bearer < static_cast<int>(kBearers); ++bearer) {
    Bearer& b = s.bearers[bearer];
    if (!b.open) continue;
    b.teid[kSgwRadio] = NewTeid(u.sgw, now);
    b.teid[kSgwCore] = NewTeid(u.sgw, now);
    if (radio) b.teid[kRadio] = NewTeid(u.radio, now);
    for (const Endpoint endpoint : {kRadio, kSgwRadio, kSgwCore}) Fresh(u, Label(slot, bearer, endpoint));
    named |= Bit(Label(slot, bearer, kGateway)) | (radio ? Bit(Label(slot, bearer, kRadio)) : 0);
    named5 |= Bit(Label(slot, bearer, kSgwCore));
    answered |= Bit(Label(slot, bearer, kSgwRadio));
    const size_t group = v2_.BeginGroup(kBearerContext, 0);
    v2_.Ebi(Ebi(slot, bearer));
    if (radio) Fteid(kS1UEnodeb, 0, b.teid[kRadio], u.radio, false);
    Fteid(kS5UPgw, 3, b.teid[kGateway], s.gateway, false);
    v2_.Qos(Qos(slot, bearer));
    v2_.EndGroup(group);
  }
  v2_.Recovery(network_.node(u.mm).recovery);
  const uint32_t s11 = Request(u, now, u.mm, u.sgw, GtpTap::kS11, named);

  int64_t t = now + Step();
  Begin2(kModifyBearerRequest, s.gateway_control, sequence5);
  WriteLocation2(u);
  v2_.ServingNetwork(network_.VisitedPlmn(u.profile)).RatType(kEutran);
  Fteid(kS5CSgw, 0, s.sgw_control, u.sgw, true);
  for (int bearer = 0; bearer < static_cast<int>(kBearers); ++bearer) {
    if (!s.bearers[bearer].open) continue;
    const size_t group = v2_.BeginGroup(kBearerContext, 0);
    v2_.Ebi(Ebi(slot, bearer));
    Fteid(kS5USgw, 1, s.bearers[bearer].teid[kSgwCore], u.sgw, false);
    v2_.EndGroup(group);
  }
  v2_.Recovery(network_.node(u.sgw).recovery);
  const uint32_t s5 = Request(u, t, u.sgw, s.gateway, GtpTap::kS5, named5);
  t += Step();
  Begin2(kModifyBearerRequest + 1, s.sgw_control, sequence5).Cause(kAccepted);
  for (int bearer = 0; bearer < static_cast<int>(kBearers); ++bearer) {
    if (!s.bearers[bearer].open) continue;
    const size_t group = v2_.BeginGroup(kBearerContext, 0);
    WriteAnsweredBearer(slot, bearer);
    v2_.ChargingId(s.charging_id);
    v2_.EndGroup(group);
  }
  Answer(u, t, s.gateway, u.sgw, GtpTap::kS5, Bit(SgwLabel(slot)), s5);
  t += Step();
  Begin2(kCreateSessionRequest + 1, u.mm_control, sequence).Cause(kAccepted);
  if (first) Fteid(kS11Sgw, 0, u.sgw_control, u.sgw, true);
  for (int bearer = 0; bearer < static_cast<int>(kBearers); ++bearer) {
    if (!s.bearers[bearer].open) continue;
    const size_t group = v2_.BeginGroup(kBearerContext, 0);
    WriteAnsweredBearer(slot, bearer);
    Fteid(kS1USgw, 0, s.bearers[bearer].teid[kSgwRadio], u.sgw, false);
    v2_.EndGroup(group);
  }
  v2_.Recovery(network_.node(u.sgw).recovery);
  Answer(u, t, u.sgw, u.mm, GtpTap::kS11, answered, s11);
  return t;
}

int64_t GtpSimulation::SgwChange(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const GtpNodeId old = u.sgw, old_radio = u.radio;
  const uint32_t old_control = u.sgw_control;
  std::array<std::pair<uint32_t, std::array<Bearer, kBearers>>, kSlots> before;
  u.sgw = Other(network_.sgws(), old);
  u.radio = PickRadio(u, old_radio);
  u.sgw_control = NewTeid(u.sgw, now);
  Fresh(u, kSgw);
  int64_t t = now;
  bool first = true;
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0) continue;
    before[slot] = {At(u, slot).sgw_control, At(u, slot).bearers};
    t = CreateAtSgw(index, slot, first, /*radio=*/true, t) + Step();
    first = false;
  }
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0) continue;
    for (const Bearer& b : before[slot].second) {
      if (!b.open) continue;
      message_.Clear();
      gtp::WriteEndMarker(b.teid[kRadio], &message_);
      SendUserSignal(u, t, old, old_radio, GtpTap::kS1U);
    }
    t = DeleteAtSgw(u, old, old_control, slot, t + Step());
    FreeTeid(old, before[slot].first, t);
    for (const Bearer& b : before[slot].second) {
      if (!b.open) continue;
      FreeTeid(old_radio, b.teid[kRadio], t);
      FreeTeid(old, b.teid[kSgwRadio], t);
      FreeTeid(old, b.teid[kSgwCore], t);
    }
  }
  FreeTeid(old, old_control, t);
  return t;
}

int64_t GtpSimulation::MmeChange(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const GtpNodeId old = u.mm, next = Other(network_.mmes(), old);
  const base::Digits imsi = network_.Imsi(index, u.profile);
  const uint32_t at_old = NewTeid(old, now), at_next = NewTeid(next, now), sequence = Sequence(next);
  int64_t t = now;
  Begin2(kContextRequest, 0, sequence).Imsi(imsi).RatType(kEutran);
  Fteid(kS10Mme, 0, at_next, next, true);
  const uint32_t request = Request(u, t, next, old, GtpTap::kS10, Bit(kImsi));
  t += Step();
  Begin2(kContextResponse, at_next, sequence).Cause(kAccepted).Imsi(imsi);
  uint32_t named = Bit(kImsi) | Bit(kSgw);
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0) continue;
    const Session& s = At(u, slot);
    const gtp::UeAddresses ue = network_.UeAddresses(index, s.apn);
    const size_t connection = v2_.BeginGroup(kPdnConnection, 0);
    v2_.Apn(network_.ApnText(u.profile, s.apn));
    if (ue.v4) v2_.Address(*ue.v4, 0);
    if (ue.v6) v2_.Address(*ue.v6, 1);
    v2_.Ebi(Ebi(slot, 0));
    Fteid(kS5CPgw, 0, s.gateway_control, s.gateway, true);
    named |= Bit(GatewayLabel(slot));
    for (int bearer = 0; bearer < static_cast<int>(kBearers); ++bearer) {
      if (!s.bearers[bearer].open) continue;
      const size_t group = v2_.BeginGroup(kBearerContext, 0);
      v2_.Ebi(Ebi(slot, bearer));
      Fteid(kS1USgw, 0, s.bearers[bearer].teid[kSgwRadio], u.sgw, false);
      Fteid(kS5UPgw, 1, s.bearers[bearer].teid[kGateway], s.gateway, false);
      v2_.Qos(Qos(slot, bearer));
      v2_.EndGroup(group);
      named |= Bit(Label(slot, bearer, kSgwRadio)) | Bit(Label(slot, bearer, kGateway));
    }
    v2_.Ambr(50000, 150000);
    v2_.EndGroup(connection);
  }
  Fteid(kS10Mme, 0, at_old, old, true);
  Fteid(kS11Sgw, 1, u.sgw_control, u.sgw, true);
  Answer(u, t, old, next, GtpTap::kS10, named, request);
  t += Step();
  Begin2(kContextAcknowledge, at_old, sequence).Cause(kAccepted);
  Request(u, t, next, old, GtpTap::kS10, 0);
  t += Step();
  FreeTeid(old, at_old, t);
  FreeTeid(next, at_next, t);
  FreeTeid(old, u.mm_control, t);
  u.mm = next;
  u.mm_control = NewTeid(next, now);
  Fresh(u, kMm);
  return ModifyBearers(index, t, /*radio=*/false, /*sender=*/true, -1);
}

int64_t GtpSimulation::ChangeNotification(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const int slot = u.sessions[0] >= 0 ? 0 : 1;
  Session& s = At(u, slot);
  const base::Digits imsi = network_.Imsi(index, u.profile);
  int64_t t = now;
  const uint32_t sequence = Sequence(u.mm), sequence5 = Sequence(u.sgw);
  const auto write = [&](uint32_t teid, uint32_t number) {
    Begin2(kChangeNotificationRequest, teid, number).Imsi(imsi).Ebi(Ebi(slot, 0)).RatType(kEutran);
    WriteLocation2(u);
  };
  write(u.sgw_control, sequence);
  const uint32_t s11 = Request(u, t, u.mm, u.sgw, GtpTap::kS11, Bit(kImsi) | Bit(kSgw));
  t += Step();
  write(s.gateway_control, sequence5);
  const uint32_t s5 = Request(u, t, u.sgw, s.gateway, GtpTap::kS5, Bit(kImsi) | Bit(GatewayLabel(slot)));
  t += Step();
  Begin2(kChangeNotificationRequest + 1, s.sgw_control, sequence5).Imsi(imsi).Cause(kAccepted);
  Answer(u, t, s.gateway, u.sgw, GtpTap::kS5, Bit(kImsi) | Bit(SgwLabel(slot)), s5);
  t += Step();
  Begin2(kChangeNotificationRequest + 1, u.mm_control, sequence).Imsi(imsi).Cause(kAccepted);
  Answer(u, t, u.sgw, u.mm, GtpTap::kS11, Bit(kImsi) | Bit(kMm), s11);
  return t;
}

void GtpSimulation::FreeRadio(Subscriber& u, int64_t now) {
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0) continue;
    for (int bearer = 0; bearer < static_cast<int>(kBearers); ++bearer) {
      uint32_t& teid = At(u, slot).bearers[bearer].teid[kRadio];
      if (teid != 0) FreeTeid(u.radio, teid, now);
      teid = 0;
    }
  }
}

int64_t GtpSimulation::Release(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const uint32_t sequence = Sequence(u.mm);
  Begin2(kReleaseAccessBearersRequest, u.sgw_control, sequence);
  const uint32_t request = Request(u, now, u.mm, u.sgw, GtpTap::kS11, Bit(kSgw));
  const int64_t t = now + Step();
  Begin2(kReleaseAccessBearersRequest + 1, u.mm_control, sequence).Cause(kAccepted);
  Answer(u, t, u.sgw, u.mm, GtpTap::kS11, Bit(kMm), request);
  FreeRadio(u, t);
  u.state = State::kIdle;
  return t;
}

int64_t GtpSimulation::Notify(uint32_t index, int slot, int64_t now) {
  Subscriber& u = subscribers_[index];
  const uint32_t sequence = Sequence(u.sgw);
  Begin2(kDownlinkDataNotification, u.mm_control, sequence).Ebi(Ebi(slot, 0));
  const uint8_t arp = 0x7c;
  v2_.Element(155, 0, base::Octets(&arp, 1));  // allocation and retention priority, 8.86
  const uint32_t request = Request(u, now, u.sgw, u.mm, GtpTap::kS11, Bit(kMm));
  const int64_t t = now + Step();
  Begin2(kDownlinkDataNotificationAcknowledge, u.sgw_control, sequence).Cause(kAccepted);
  Answer(u, t, u.mm, u.sgw, GtpTap::kS11, Bit(kSgw), request);
  return t;
}

int64_t GtpSimulation::ServiceRequest(uint32_t index, int64_t now, bool paged) {
  Subscriber& u = subscribers_[index];
  int64_t t = now;
  if (paged) {
    const int slot = u.sessions[0] >= 0 ? 0 : 1;
    // It waits in the SGW: seen on S5 alone.
    Carry(u, slot, 0, t, false, GtpTraffic::kQuic, static_cast<uint16_t>(200 + random_.Below(1000)), 40000,
          random_.Below(1 << 17), !GtpApnAt(At(u, slot).apn).v4);
    t = Notify(index, slot, t + Step()) + Step();
  }
  u.radio = PickRadio(u, u.radio);
  u.state = State::kActive;
  return ModifyBearers(index, t, /*radio=*/true, /*sender=*/false, -1);
}

int64_t GtpSimulation::SuspendResume(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const base::Digits imsi = network_.Imsi(index, u.profile);
  int64_t t = now;
  for (const uint8_t type : {kSuspendNotification, kResumeNotification}) {
    const uint32_t sequence = Sequence(u.mm);
    Begin2(type, u.sgw_control, sequence).Imsi(imsi);
    const uint32_t request = Request(u, t, u.mm, u.sgw, GtpTap::kS11, Bit(kImsi) | Bit(kSgw));
    t += Step();
    Begin2(static_cast<uint8_t>(type + 1), u.mm_control, sequence).Cause(kAccepted);
    Answer(u, t, u.sgw, u.mm, GtpTap::kS11, Bit(kMm), request);
    t += Step();
  }
  return t;
}

int64_t GtpSimulation::ErrorIndication(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const int slot = u.sessions[0] >= 0 ? 0 : 1;
  const uint32_t lost = At(u, slot).bearers[0].teid[kRadio];
  int64_t t = now;
  Carry(u, slot, 0, t, false, GtpTraffic::kQuic, 900, 40001, random_.Below(1 << 17), !GtpApnAt(At(u, slot).apn).v4);
  t += Step();
  message_.Clear();
  gtp::WriteErrorIndication(static_cast<uint16_t>(Sequence(u.radio)), lost, UserAddress(u.radio, u.sgw), &message_);
  SendUserSignal(u, t, u.radio, u.sgw, GtpTap::kS1U);
  t = Notify(index, slot, t + Step()) + Step();
  FreeRadio(u, t);
  return ModifyBearers(index, t, /*radio=*/true, /*sender=*/false, -1);
}

// --- 5G: what SMF and UPF say of it is PFCP, which is not here ---

int64_t GtpSimulation::Attach5G(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  Count(GtpProcedure::kAttach);
  u.radio = Pick(network_.gnodebs());
  const GtpNodeId upf = Pick(network_.upfs());
  Session& s = sessions_[static_cast<size_t>(Open(index, 0, u.profile.apn, upf, now))];
  s.bearers[0].teid = {NewTeid(u.radio, now), 0, 0, NewTeid(upf, now)};
  u.state = State::kActive;
  return now + Step();
}

int64_t GtpSimulation::N3Handover(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  Count(GtpProcedure::kN3Handover);
  uint32_t& teid = At(u, 0).bearers[0].teid[kRadio];
  message_.Clear();
  gtp::WriteEndMarker(teid, &message_);
  SendUserSignal(u, now, At(u, 0).gateway, u.radio, GtpTap::kN3);
  FreeTeid(u.radio, teid, now);
  u.radio = Other(network_.gnodebs(), u.radio);
  teid = NewTeid(u.radio, now);
  return now + Step();
}

int64_t GtpSimulation::Detach5G(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  Count(GtpProcedure::kDetach);
  Close(u, 0, now, /*restarted=*/false);
  FreeControl(u, now);
  return now;
}

}  // namespace flowacct::collector
