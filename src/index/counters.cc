#include "src/index/counters.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "src/base/coding.h"
#include "src/index/keys.h"

namespace tokendb {
namespace {

constexpr char kTotal = 0;
constexpr char kOwner = 1;
constexpr char kScope = 2;
constexpr size_t kTailBytes = 1 + sizeof(uint64_t);

// What a row's key ends in.
struct Tail {
  CounterClass counter_class;
  Millis time;
};

bool IsReadAt(const Tail& tail, Millis now) {
  return tail.time >
         (tail.counter_class == CounterClass::kExpiryHour ? HourOf(now) : now);
}

std::optional<Tail> TailOfKey(std::string_view key) {
  if (key.size() <= kTailBytes) return std::nullopt;
  const char* const tail = key.data() + key.size() - kTailBytes;
  const auto counter_class = static_cast<CounterClass>(*tail);
  if (counter_class < CounterClass::kExpiryHour ||
      counter_class > CounterClass::kBeginning) {
    return std::nullopt;
  }
  return Tail{counter_class, FromOrderedMillis(LoadBig64(tail + 1))};
}

}  // namespace

Millis HourOf(Millis time) {
  if (time == kNever) return kNever;
  return time - ((time % kMillisPerHour) + kMillisPerHour) % kMillisPerHour;
}

std::string TotalSubject() { return std::string(1, kTotal); }

std::string OwnerSubject(std::optional<std::string_view> owner) {
  std::string subject(1, kOwner);
  AppendOwnerTerm(subject, owner);
  return subject;
}

std::string ScopeSubject(uint32_t scope) {
  std::string subject(1, kScope);
  AppendBig32(subject, scope);
  return subject;
}

std::string CounterKey(std::string_view subject, CounterClass counter_class,
                       Millis time) {
  std::string key(subject);
  key.push_back(static_cast<char>(counter_class));
  AppendBig64(key, OrderedMillis(time));
  return key;
}

bool EndsByExpiry(const Validity& validity) {
  return validity.enabled && validity.revoked_at >= validity.expires_at &&
         validity.not_before < validity.expires_at;
}

void ForEachCounter(const Token& token, absl::Span<const uint32_t> scopes,
                    Millis now,
                    absl::FunctionRef<void(std::string_view)> emit) {
  const Validity validity = ValidityOf(token);
  const Millis end = std::min(validity.expires_at, validity.revoked_at);
  if (!validity.enabled || validity.not_before >= end) return;
  absl::InlinedVector<Tail, 2> tails;
  if (EndsByExpiry(validity)) {
    tails.push_back({CounterClass::kExpiryHour, HourOf(validity.expires_at)});
  } else {
    tails.push_back({CounterClass::kRevocation, end});
  }
  if (validity.not_before != kAlways) {
    tails.push_back({CounterClass::kBeginning, validity.not_before});
  }
  const auto emit_subject = [&](const std::string& subject) {
    for (const Tail& tail : tails) {
      if (!IsReadAt(tail, now)) continue;
      emit(CounterKey(subject, tail.counter_class, tail.time));
    }
  };
  emit_subject(TotalSubject());
  emit_subject(OwnerSubject(
      token.owner.has_value() ? std::optional<std::string_view>(token.owner->id)
                              : std::nullopt));
  if (scopes.empty()) emit_subject(ScopeSubject(kNoScope));
  for (const uint32_t scope : scopes) emit_subject(ScopeSubject(scope));
}

std::optional<Millis> CounterExpiry(std::string_view key) {
  const std::optional<Tail> tail = TailOfKey(key);
  if (!tail.has_value()) return std::nullopt;
  if (tail->counter_class != CounterClass::kExpiryHour ||
      tail->time == kNever) {
    return tail->time;
  }
  return tail->time + kMillisPerHour - 1;
}

bool IsCounterRead(std::string_view key, Millis now) {
  const std::optional<Tail> tail = TailOfKey(key);
  return tail.has_value() && IsReadAt(*tail, now);
}

}  // namespace tokendb
