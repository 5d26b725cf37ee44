#include "flowacct/flow/template/plan_kernels.h"

#include <cstring>

#include "flowacct/flow/template/kernel_loop.h"
#include "flowacct/flow/template/list_view.h"
#include "flowacct/flow/template/telephone_number.h"
#include "flowacct/record/field.h"

namespace flowacct::flow {
namespace {

using base::LoadBe;
using base::LoadBe16;
using base::LoadBe24;
using base::LoadBe32;
using base::LoadBe64;
using base::Octets;

// Length 0 stands for "as the run tells".
constexpr int kAnyLength = 0;

template <int kLength>
inline uint64_t LoadNumber(const uint8_t* p, uint32_t length) {
  if constexpr (kLength == 1) {
    return *p;
  } else if constexpr (kLength == 2) {
    return LoadBe16(p);
  } else if constexpr (kLength == 3) {
    return LoadBe24(p);
  } else if constexpr (kLength == 4) {
    return LoadBe32(p);
  } else if constexpr (kLength == 8) {
    return LoadBe64(p);
  } else if constexpr (kLength == kAnyLength) {
    return length <= 8 ? LoadBe(p, length) : 0;
  } else {
    return LoadBe(p, kLength);
  }
}

template <int kLength, int kSize>
void NumberKernel(const PlanStep& step, const RecordRun& run) {
  const uint16_t target = step.target;
  if constexpr (kLength != kAnyLength && kLength <= kSize) {
    ForEach(step.source, run, [target](const uint8_t* from, uint8_t* row) {
      StoreNumber<kSize>(row + target, LoadNumber<kLength>(from, kLength));
    });
  } else {
    const uint32_t length = run.lengths[step.source];
    if (kLength == kAnyLength && (length == 0 || length > 8)) {
      if (length > 8) run.context->misfits += run.count;
      return;  // a field of no octets says nothing
    }
    uint64_t misfits = 0;
    ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
      const uint64_t value = LoadNumber<kLength>(from, length);
      if constexpr (kSize < 8) {
        if (value >> (8 * kSize) != 0) {
          ++misfits;
          return;
        }
      }
      StoreNumber<kSize>(row + target, value);
      SetPresent(step, row);
    });
    run.context->misfits += misfits;
  }
}

// The prototype has the mapped prefix.
void AddressV4Kernel(const PlanStep& step, const RecordRun& run) {
  const uint16_t target = step.target + 12;
  ForEach(step.source, run, [target](const uint8_t* from, uint8_t* row) { std::memcpy(row + target, from, 4); });
}

template <int kSize>
void CopyKernel(const PlanStep& step, const RecordRun& run) {
  const uint16_t target = step.target;
  ForEach(step.source, run, [target](const uint8_t* from, uint8_t* row) { std::memcpy(row + target, from, kSize); });
}

template <bool kIsText>
void InternKernel(const PlanStep& step, const RecordRun& run) {
  const uint32_t length = run.lengths[step.source];
  // Records in a row often say the same: ask the interner once.
  Octets last;
  base::InternId last_id = base::Interner::kNone;
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    Octets octets(from, length);
    if (kIsText) {
      while (!octets.empty() && octets.back() == 0) octets.remove_suffix(1);
    }
    if (octets.empty()) return;
    if (octets != last) {
      last = octets;
      last_id = run.interner->Intern(octets);
    }
    StoreNumber<4>(row + step.target, last_id);
    SetPresent(step, row);
  });
}

void DigitsKernel(const PlanStep& step, const RecordRun& run) {
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    const TelephoneNumber told = TelephoneNumberOf(Octets(from, run.lengths[step.source]));
    if (!told.digits) {
      run.context->misfits += told.empty ? 0 : 1;
      return;
    }
    StoreNumber<8>(row + step.target, told.digits->bits());
    SetPresent(step, row);
  });
}

// Communities and AS numbers (RFC 8549, 4) as BGP's attributes have them. `constant`: octets of a member; 0: AS numbers
// of 1 to 4 octets, which become one AS_SEQUENCE (RFC 4271, 4.3; RFC 6793).
void ListKernel(const PlanStep& step, const RecordRun& run) {
  constexpr size_t kMaxOctets = 4080;  // an UPDATE has 4096 (RFC 4271, 4.1)
  constexpr size_t kMaxSequence = 255;
  const bool as_path = step.constant == 0;
  const size_t size = as_path ? 4 : step.constant;
  uint8_t octets[kMaxOctets];
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    const Octets field(from, run.lengths[step.source]);
    if (field.empty()) return;
    BasicListView list;
    size_t members = 0;
    size_t end = as_path ? 2 : 0;
    bool fits = BasicListView::Parse(field, &list);
    for (Octets value; fits && list.Next(&value); ++members, end += size) {
      fits = kMaxOctets - end >= size && !(as_path && members == kMaxSequence) &&
             (size == 4 ? !value.empty() && value.size() <= 4 : value.size() == size);
      if (!fits) break;
      if (size == 4) {
        base::StoreBe32(octets + end, static_cast<uint32_t>(LoadBe(value.data(), value.size())));
      } else {
        std::memcpy(octets + end, value.data(), size);
      }
    }
    if (!fits || list.cut()) {
      ++run.context->misfits;
      return;
    }
    if (members == 0) return;
    if (as_path) {
      octets[0] = 2;  // AS_SEQUENCE
      octets[1] = static_cast<uint8_t>(members);
    }
    StoreNumber<4>(row + step.target, run.interner->Intern(Octets(octets, end)));
    SetPresent(step, row);
  });
}

template <int kAddressSize>
void PrefixKernel(const PlanStep& step, const RecordRun& run) {
  if (run.lengths[step.source] != kAddressSize || step.second == kNoField || run.lengths[step.second] != 1) return;
  const uint8_t* mask = run.records + run.offsets[step.second];
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    const base::IpAddress address = kAddressSize == 4 ? base::IpAddress::FromV4(from) : base::IpAddress::FromV6(from);
    if (*mask <= 8 * kAddressSize) {
      const base::IpPrefix prefix(address, *mask);
      std::memcpy(row + step.target, prefix.address().data(), 16);
      row[step.target + 16] = prefix.length();
      SetPresent(step, row);
    } else {
      ++run.context->misfits;
    }
    mask += run.stride;
  });
}

void TopLabelKernel(const PlanStep& step, const RecordRun& run) {
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    const uint32_t entry = LoadBe24(from);
    if (entry == 0) return;  // exporters fill absent labels with zeros
    StoreNumber<4>(row + step.target, entry >> 4);
    SetPresent(step, row);
  });
}

constexpr int64_t kNanosPerMilli = 1000000;
constexpr int64_t kNanosPerMicro = 1000;
constexpr int64_t kNanosPerSecond = 1000000000;
// Seconds from 1900 to 1970 (RFC 5905, 6).
constexpr int64_t kNtpToUnixSeconds = 2208988800;
// 2262: beyond, nanoseconds do not fit 64 bits.
constexpr uint64_t kMaxSeconds = 9000000000;

// What cannot be represented becomes the latest of times, and so is repaired.
inline int64_t FromSeconds(uint64_t v) {
  return v <= kMaxSeconds ? static_cast<int64_t>(v) * kNanosPerSecond : INT64_MAX;
}
inline int64_t FromMillis(uint64_t v) {
  return v <= kMaxSeconds * 1000 ? static_cast<int64_t>(v) * kNanosPerMilli : INT64_MAX;
}
inline int64_t FromNtp(uint64_t v) {
  int64_t seconds = static_cast<int64_t>(v >> 32);
  if (seconds < kNtpToUnixSeconds) seconds += int64_t{1} << 32;  // the era that begins in 2036
  const uint64_t fraction = v & 0xffffffff;
  return (seconds - kNtpToUnixSeconds) * kNanosPerSecond +
         static_cast<int64_t>((fraction * kNanosPerSecond + (uint64_t{1} << 31)) >> 32);
}

inline void StoreTime(const PlanStep& step, const RecordRun& run, int64_t nanos, uint8_t* row) {
  if (nanos > run.context->latest_nanos) {
    ++run.context->clock_repairs;
    nanos = run.context->export_nanos;
  }
  StoreNumber<8>(row + step.target, static_cast<uint64_t>(nanos));
  SetPresent(step, row);
}

template <Conversion kConversion>
void AbsoluteTimeKernel(const PlanStep& step, const RecordRun& run) {
  const uint32_t length = run.lengths[step.source];
  if (length == 0 || length > 8) return;
  const int64_t shift = run.context->shift_nanos;
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    const uint64_t value = length == 8 ? LoadBe64(from) : (length == 4 ? LoadBe32(from) : LoadBe(from, length));
    if (value == 0) return;  // not told
    int64_t nanos;
    if constexpr (kConversion == Conversion::kSeconds) {
      nanos = FromSeconds(value);
    } else if constexpr (kConversion == Conversion::kMilliseconds) {
      nanos = FromMillis(value);
    } else if constexpr (kConversion == Conversion::kMicroseconds) {
      // The lowest eleven bits of the fraction are below a microsecond and to be ignored (RFC 7011, 6.1.9).
      nanos = (FromNtp(value & ~uint64_t{0x7ff}) + kNanosPerMicro / 2) / kNanosPerMicro * kNanosPerMicro;
    } else {
      nanos = FromNtp(value);
    }
    // A time that the shift would carry beyond 2262 is as absurd as one that was there before.
    if (nanos == INT64_MAX || __builtin_add_overflow(nanos, shift, &nanos)) nanos = INT64_MAX;
    StoreTime(step, run, nanos, row);
  });
}

// The counter has 32 bits and wraps after 49.7 days: what counts is how long before the export it was.
inline int64_t FromUptime(int64_t export_nanos, uint32_t uptime_now, uint32_t value) {
  return export_nanos - int64_t{static_cast<int32_t>(uptime_now - value)} * kNanosPerMilli;
}

void UptimeKernel(const PlanStep& step, const RecordRun& run) {
  const MessageContext& context = *run.context;
  if (run.lengths[step.source] != 4) return;
  if (step.second != kNoField) {
    if (run.lengths[step.second] != 8) return;
    const uint8_t* start = run.records + run.offsets[step.second];
    ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
      const int64_t start_nanos = FromMillis(LoadBe64(start));
      start += run.stride;
      if (start_nanos == INT64_MAX || start_nanos == 0) return;
      const int64_t since = context.export_nanos - context.shift_nanos - start_nanos;
      const uint32_t uptime = static_cast<uint32_t>(since / kNanosPerMilli);
      // Whole milliseconds from the start are exact; the export time has only seconds.
      const int64_t rest = since - since / kNanosPerMilli * kNanosPerMilli;
      StoreTime(step, run, FromUptime(context.export_nanos - rest, uptime, LoadBe32(from)), row);
    });
    return;
  }
  if (!context.has_uptime) return;
  const int64_t export_nanos = context.export_nanos - context.uptime_remainder_nanos;
  const uint32_t uptime = context.uptime_millis;
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    StoreTime(step, run, FromUptime(export_nanos, uptime, LoadBe32(from)), row);
  });
}

void BeforeExportKernel(const PlanStep& step, const RecordRun& run) {
  const uint32_t length = run.lengths[step.source];
  if (length == 0 || length > 8) return;
  const int64_t export_nanos = run.context->export_nanos;
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    const uint64_t micros = LoadBe(from, length);
    if (micros > kMaxSeconds) {  // of microseconds: two and a half hours at most, else it is not an offset
      ++run.context->misfits;
      return;
    }
    StoreTime(step, run, export_nanos - static_cast<int64_t>(micros) * kNanosPerMicro, row);
  });
}

inline bool IsZero(const uint8_t* p, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (p[i] != 0) return false;
  }
  return true;
}

void AddressFallbackKernel(const PlanStep& step, const RecordRun& run) {
  const uint32_t length = run.lengths[step.source];
  if (length != 4 && length != 16) return;
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    uint8_t* target = row + step.target;
    // What is there is zero in either family: octets 0 to 9 and 12 to 15.
    if (!IsZero(target, 10) || !IsZero(target + 12, 4) || IsZero(from, length)) return;
    if (length == 16) {
      std::memcpy(target, from, 16);
    } else {
      target[10] = target[11] = 0xff;
      std::memcpy(target + 12, from, 4);
    }
    SetPresent(step, row);
  });
}

void NumberFallbackKernel(const PlanStep& step, const RecordRun& run) {
  const uint32_t length = run.lengths[step.source];
  if (length == 0 || length > 8) return;
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) {
    uint8_t* target = row + step.target;
    if (!IsZero(target, step.target_size)) return;
    const uint64_t value = LoadBe(from, length);
    if (step.target_size < 8 && value >> (8 * step.target_size) != 0) {
      ++run.context->misfits;
      return;
    }
    if (value == 0) return;  // as good as what is there
    std::memcpy(target, &value, step.target_size);
    SetPresent(step, row);
  });
}

template <int kLength>
PlanKernel NumberKernelFor(uint8_t target_size) {
  switch (target_size) {
    case 1:
      return NumberKernel<kLength, 1>;
    case 2:
      return NumberKernel<kLength, 2>;
    case 4:
      return NumberKernel<kLength, 4>;
    case 8:
      return NumberKernel<kLength, 8>;
    default:
      return nullptr;
  }
}

PlanKernel FindNumberKernel(uint16_t length, uint8_t target_size) {
  switch (length) {
    case 1:
      return NumberKernelFor<1>(target_size);
    case 2:
      return NumberKernelFor<2>(target_size);
    case 3:
      return NumberKernelFor<3>(target_size);
    case 4:
      return NumberKernelFor<4>(target_size);
    case 5:
      return NumberKernelFor<5>(target_size);
    case 6:
      return NumberKernelFor<6>(target_size);
    case 7:
      return NumberKernelFor<7>(target_size);
    case 8:
      return NumberKernelFor<8>(target_size);
    case kVariableLength:
      return NumberKernelFor<kAnyLength>(target_size);
    default:
      return nullptr;
  }
}

}  // namespace

PlanKernel FindKernel(Conversion conversion, uint16_t length, uint8_t target_size) {
  const bool number_length = (length >= 1 && length <= 8) || length == kVariableLength;
  switch (conversion) {
    case Conversion::kNone:
      return nullptr;
    case Conversion::kNumber:
      return FindNumberKernel(length, target_size);
    case Conversion::kAddressV4:
      return length == 4 ? AddressV4Kernel : (length == kVariableLength ? AddressFallbackKernel : nullptr);
    case Conversion::kAddressV6:
      return length == 16 ? CopyKernel<16> : (length == kVariableLength ? AddressFallbackKernel : nullptr);
    case Conversion::kMac:
      return length == 6 ? CopyKernel<6> : nullptr;
    case Conversion::kText:
      return InternKernel<true>;
    case Conversion::kOctets:
      return InternKernel<false>;
    case Conversion::kDigits:
      return DigitsKernel;
    case Conversion::kList:
      return ListKernel;
    case Conversion::kPrefixV4:
      return PrefixKernel<4>;
    case Conversion::kPrefixV6:
      return PrefixKernel<16>;
    case Conversion::kTopLabel:
      return length == 3 ? TopLabelKernel : nullptr;
    case Conversion::kSeconds:
      return number_length ? AbsoluteTimeKernel<Conversion::kSeconds> : nullptr;
    case Conversion::kMilliseconds:
      return number_length ? AbsoluteTimeKernel<Conversion::kMilliseconds> : nullptr;
    case Conversion::kMicroseconds:
      return length == 8 ? AbsoluteTimeKernel<Conversion::kMicroseconds> : nullptr;
    case Conversion::kNanoseconds:
      return length == 8 ? AbsoluteTimeKernel<Conversion::kNanoseconds> : nullptr;
    case Conversion::kUptime:
      return length == 4 ? UptimeKernel : nullptr;
    case Conversion::kBeforeExport:
      return number_length ? BeforeExportKernel : nullptr;
  }
  return nullptr;
}

bool AlwaysSets(Conversion conversion, uint16_t length, uint8_t target_size) {
  switch (conversion) {
    case Conversion::kNumber:
      return length <= target_size;
    case Conversion::kAddressV4:
    case Conversion::kAddressV6:
    case Conversion::kMac:
      return length != kVariableLength;
    default:
      return false;
  }
}

PlanKernel FindFallbackKernel(Conversion conversion, uint16_t length, uint8_t target_size) {
  switch (conversion) {
    case Conversion::kAddressV4:
      return length == 4 ? AddressFallbackKernel : nullptr;
    case Conversion::kAddressV6:
      return length == 16 ? AddressFallbackKernel : nullptr;
    case Conversion::kNumber:
      return length <= 8 ? NumberFallbackKernel : nullptr;
    default:
      return nullptr;
  }
}

void IpVersionKernel(const PlanStep& step, const RecordRun& run) {
  if (run.lengths[step.source] != 16) return;
  ForEach(step.source, run, [&](const uint8_t* from, uint8_t* row) { row[step.target] = IsZero(from, 16) ? 4 : 6; });
}

void IcmpKernel(const PlanStep& step, const RecordRun& run) {
  if (run.lengths[step.source] <= step.constant) return;
  for (size_t i = 0; i < run.count; ++i) {
    uint8_t* row = run.rows + i * run.row_stride;
    if (IsPresent(step, row) && row[step.target] != 0) continue;
    if (step.second != kNoField) {
      const uint64_t protocol = NumberAt(run, step.second, i);
      if (protocol != 1 && protocol != 58) continue;
    }
    row[step.target] = run.records[i * run.stride + run.offsets[step.source] + step.constant];
    SetPresent(step, row);
  }
}

namespace {

template <int kSign>
void DurationKernel(const PlanStep& step, const RecordRun& run, const record::Layout& layout, record::FieldId other) {
  const uint16_t offset = layout.offset(other);
  const uint16_t index = layout.index(other);
  for (size_t i = 0; i < run.count; ++i) {
    uint8_t* row = run.rows + i * run.row_stride;
    if (IsPresent(step, row) || (row[index >> 3] >> (index & 7) & 1) == 0) continue;
    const uint64_t duration = NumberAt(run, step.second, i);
    if (duration > kMaxSeconds) {
      ++run.context->misfits;
      continue;
    }
    const int64_t nanos = static_cast<int64_t>(duration) * (step.constant == 0 ? kNanosPerMilli : kNanosPerMicro);
    const int64_t known = base::LoadHost<int64_t>(row + offset);
    StoreNumber<8>(row + step.target, static_cast<uint64_t>(known + kSign * nanos));
    SetPresent(step, row);
  }
}

}  // namespace

void EndFromDurationKernel(const PlanStep& step, const RecordRun& run) {
  DurationKernel<1>(step, run, run.plan->layout(), record::FieldId::kStartTime);
}

void StartFromDurationKernel(const PlanStep& step, const RecordRun& run) {
  DurationKernel<-1>(step, run, run.plan->layout(), record::FieldId::kEndTime);
}

}  // namespace flowacct::flow
