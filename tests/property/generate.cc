#include "tests/property/generate.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tokendb::testing {
namespace {

using std::string_literals::operator""s;

// Prefixes of each other, with the bytes that escaping must get right.
const std::vector<std::string>& Owners() {
  static const auto* const owners =
      new std::vector<std::string>{"a",
                                   "ab",
                                   "a\0b"s,
                                   "\0"s,
                                   "\0\0"s,
                                   "\0\xFF"s,
                                   "\xFF"s,
                                   "\xFF\xFF"s,
                                   "\0\x01"s,
                                   "user:42",
                                   "a\0"s,
                                   "a\0\x01"s,
                                   std::string(255, 'x')};
  return *owners;
}

const std::vector<std::string>& Scopes() {
  static const auto* const scopes = new std::vector<std::string>{
      "read", "read:user", "write", "read_builds",        "a b,c",
      "*",    "\xC3\xA9",  "\0"s,   std::string(255, 's')};
  return *scopes;
}

const std::vector<std::string>& Texts() {
  static const auto* const texts = new std::vector<std::string>{
      "", "CI", "ci bot", "deploy, production", "local\nscripts", "Terraform"};
  return *texts;
}

constexpr int kDigests = 12;

}  // namespace

std::vector<Digest> Generator::AllDigests() {
  std::vector<Digest> digests;
  for (int i = 0; i < kDigests; ++i) {
    digests.push_back(*Digest::OfSecret("secret " + std::to_string(i)));
  }
  return digests;
}

Digest Generator::MakeDigest() {
  return *Digest::OfSecret("secret " + std::to_string(Below(kDigests)));
}

TokenId Generator::MakeId() {
  std::array<char, TokenId::kSize> bytes;
  for (char& byte : bytes) byte = static_cast<char>(Below(256));
  return TokenId(bytes);
}

absl::Time Generator::MakeTime(absl::Time now) {
  static const std::vector<absl::Duration> kOffsets = {
      absl::ZeroDuration(),  absl::Milliseconds(1), absl::Milliseconds(-1),
      absl::Milliseconds(2), absl::Seconds(1),      absl::Seconds(-1),
      absl::Minutes(1),      absl::Minutes(-1),     absl::Hours(1),
      absl::Hours(26),       absl::Hours(-30),      absl::Hours(24 * 400)};
  if (OneIn(40)) return absl::UnixEpoch();
  // Sometimes finer than what is kept.
  const absl::Duration fine =
      OneIn(8) ? absl::Microseconds(1 + Below(999)) : absl::ZeroDuration();
  return now + Pick(kOffsets) + fine;
}

std::vector<std::string> Generator::PickScopes(uint64_t most) {
  std::vector<std::string> scopes;
  // Sometimes the same twice, and in no order.
  for (uint64_t n = Below(most + 1); n > 0; --n)
    scopes.push_back(Pick(Scopes()));
  return scopes;
}

// What no query asks for, but every copy must keep.
void Generator::AddDetails(Token& token) {
  if (token.owner && OneIn(2)) token.owner->email = "name@example.org";
  if (OneIn(5)) token.node_id = "QVBJQWNjZXNzVG9rZW4=";
  if (OneIn(5)) token.name = "n" + std::to_string(Below(9));
  if (OneIn(5)) token.revoked_reason = "why not";
  if (OneIn(5)) token.family_id = MakeId();
  if (OneIn(5)) token.parent_id = MakeId();
  if (OneIn(5)) token.created_by = "admin\0x"s;
  if (OneIn(5)) token.allowed_cidrs = {"192.0.2.0/24", "2001:db8::/32", "::1"};
  if (OneIn(5)) token.pepper_version = static_cast<uint32_t>(Below(3));
}

Token Generator::MakeToken(absl::Time now) {
  Token token;
  if (OneIn(4)) token.digest = MakeDigest();
  if (!OneIn(5)) token.owner = Owner{.id = Pick(Owners()), .name = "Name"};
  token.description = Pick(Texts());
  token.scopes = PickScopes(4);
  if (OneIn(50)) {
    // More than index entries repeat.
    for (int i = 0; i < 70; ++i) {
      token.scopes.push_back("many " + std::to_string(i));
    }
  }
  if (OneIn(2)) token.created_at = MakeTime(now);
  if (!OneIn(4)) token.expires_at = MakeTime(now);
  if (OneIn(3)) token.last_accessed_at = MakeTime(now);
  if (OneIn(3)) token.ip_address = OneIn(2) ? "192.0.2.1" : "2001:db8::1";
  if (OneIn(3)) token.organization = OneIn(2) ? "acme" : "initech";
  if (OneIn(3)) token.kind = OneIn(2) ? "access" : "refresh";
  if (OneIn(8)) token.not_before = MakeTime(now);
  if (OneIn(8)) token.revoked_at = MakeTime(now);
  token.enabled = !OneIn(10);
  if (OneIn(10)) token.metadata = std::string(Below(3000), '\x80');
  AddDetails(token);
  return token;
}

absl::Duration Generator::MakeRetention() {
  return Pick(std::vector<absl::Duration>{
      absl::ZeroDuration(), absl::Seconds(60), absl::Hours(26),
      absl::InfiniteDuration(), absl::InfiniteDuration()});
}

VerifyIndexOptions Generator::MakeVerifyIndex() {
  return {.mode = Pick(std::vector<VerifyMode>{
              VerifyMode::kOff, VerifyMode::kBounded, VerifyMode::kComplete}),
          .max_bytes = size_t{1} << 20};
}

absl::Duration Generator::MakeSpan() {
  return Pick(std::vector<absl::Duration>{
      absl::ZeroDuration(), absl::Milliseconds(1), absl::Minutes(1),
      absl::Hours(1), absl::Hours(26), absl::InfiniteDuration()});
}

TokenPatch Generator::MakePatch(absl::Time now) {
  TokenPatch patch;
  const Token values = MakeToken(now);
  const auto change = [&](auto& field, const auto& value) {
    switch (Below(6)) {
      case 0:
        field = kClear;
        break;
      case 1:
        field = value;
        break;
      default:
        break;
    }
  };
  change(patch.description, values.description);
  change(patch.scopes, values.scopes);
  change(patch.expires_at, MakeTime(now));
  change(patch.not_before, MakeTime(now));
  change(patch.revoked_at, MakeTime(now));
  change(patch.last_accessed_at, MakeTime(now));
  change(patch.enabled, !OneIn(3));
  change(patch.owner, Owner{.id = Pick(Owners())});
  change(patch.digest, MakeDigest());
  change(patch.organization, values.organization);
  change(patch.kind, values.kind);
  change(patch.ip_address, values.ip_address);
  change(patch.node_id, values.node_id);
  change(patch.name, values.name);
  change(patch.revoked_reason, values.revoked_reason);
  change(patch.created_by, values.created_by);
  change(patch.allowed_cidrs, values.allowed_cidrs);
  change(patch.pepper_version, values.pepper_version);
  change(patch.metadata, values.metadata);
  if (OneIn(10)) patch.family_id = MakeId();
  if (OneIn(10)) patch.parent_id = kClear;
  // Mostly a few fields; sometimes none at all.
  return OneIn(20) ? TokenPatch() : patch;
}

Precondition Generator::MakePrecondition(const Token& token) {
  Precondition precondition;
  if (OneIn(4)) precondition.if_version = token.version + (OneIn(3) ? 1 : 0);
  if (OneIn(6)) {
    precondition.if_owner =
        token.owner && !OneIn(3) ? token.owner->id : Pick(Owners());
  }
  return precondition;
}

TimeRange Generator::MakeRange(absl::Time now) {
  TimeRange range;
  if (!OneIn(3)) range.from = MakeTime(now);
  if (!OneIn(3)) range.before = MakeTime(now);
  if (range.from && range.before && *range.before < *range.from) {
    std::swap(range.from, range.before);
  }
  return range;
}

Query Generator::MakeQuery(absl::Time now, const std::vector<TokenId>& ids) {
  Query query;
  if (OneIn(15) && !ids.empty()) {
    for (uint64_t n = 1 + Below(5); n > 0; --n) query.ids.push_back(Pick(ids));
  }
  if (OneIn(25)) query.digest = MakeDigest();
  if (OneIn(3)) {
    for (uint64_t n = 1 + Below(3); n > 0; --n) {
      query.owners.push_back(Pick(Owners()));
    }
  } else if (OneIn(10)) {
    query.without_owner = true;
  }
  if (OneIn(4)) query.scopes.all_of = PickScopes(2);
  if (OneIn(4)) query.scopes.any_of = PickScopes(3);
  if (OneIn(6)) query.scopes.none_of = PickScopes(2);
  if (OneIn(12)) query.scopes.exact = true;
  if (OneIn(30)) query.scopes.all_of.emplace_back("never used");
  if (OneIn(4)) query.expires = MakeRange(now);
  if (OneIn(8)) {
    query.lifetime = OneIn(2) ? Lifetime::kExpiring : Lifetime::kNeverExpiring;
  }
  if (OneIn(4)) query.created = MakeRange(now);
  if (OneIn(10)) query.last_accessed = MakeRange(now);
  if (OneIn(10)) query.unused_since = MakeTime(now);
  if (OneIn(15)) query.expires_within = MakeSpan();
  if (OneIn(10)) query.not_notified_within = MakeSpan();
  if (OneIn(2)) {
    query.states = StateSet::All();
  } else if (OneIn(2)) {
    query.states = Pick(std::vector<StateSet>{
        TokenState::kExpired, TokenState::kRevoked, TokenState::kDisabled,
        TokenState::kNotYetValid,
        StateSet{TokenState::kLive, TokenState::kExpired},
        StateSet{TokenState::kExpired, TokenState::kNotYetValid}});
  }
  if (OneIn(10)) query.text = OneIn(2) ? "ci" : "PRODUCTION";
  if (OneIn(8)) query.organization = "acme";
  if (OneIn(8)) query.kind = "refresh";
  if (OneIn(12)) query.ip_address = "192.0.2.1";
  if (OneIn(20)) {
    query.residual = [](const Token& token) { return token.version % 2 == 1; };
  }
  query.order = OneIn(2) ? Order::kExpiry : Order::kCreation;
  query.direction = OneIn(2) ? Direction::kAscending : Direction::kDescending;
  query.limit = OneIn(3) ? 1 + Below(4) : 1 + Below(200);
  if (OneIn(5)) query.max_examined = 1 + Below(30);
  if (OneIn(20)) query.max_time = absl::Nanoseconds(1);
  return query;
}

}  // namespace tokendb::testing
