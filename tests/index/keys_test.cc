#include "src/index/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace tokendb {
namespace {

using std::string_literals::operator""s;

// Texts in which the bytes that escaping is about are frequent.
rc::Gen<std::string> HostileText() {
  return rc::gen::container<std::string>(
      rc::gen::element<char>('\x00', '\x01', '\x02', '\xFE', '\xFF', 'a', 'b'));
}

rc::Gen<TokenId> AnyId() {
  return rc::gen::map(
      rc::gen::container<std::vector<char>>(
          TokenId::kSize, rc::gen::element<char>('\x00', '\x01', '\xFF')),
      [](const std::vector<char>& bytes) {
        return IdFromBytes(std::string_view(bytes.data(), bytes.size()));
      });
}

rc::Gen<Millis> AnyExpiry() {
  return rc::gen::oneOf(rc::gen::just(kNever), rc::gen::just(Millis{0}),
                        rc::gen::just(Millis{-1}), rc::gen::just(kMaxMillis),
                        rc::gen::inRange<Millis>(kMinMillis, kMaxMillis));
}

std::string OwnerKey(const std::optional<std::string>& owner, Millis expiry,
                     const TokenId& id) {
  std::string key = OwnerPrefix(owner);
  AppendKeyTail(key, expiry, id);
  return key;
}

std::optional<std::string> OptionalText(bool present, const std::string& text) {
  return present ? std::optional(text) : std::nullopt;
}

// Keys of one index sort as (term, expiry, id); no owner sorts first.
RC_GTEST_PROP(OwnerKeys, SortByOwnerThenExpiryThenId,
              (bool a_owned, bool b_owned)) {
  const auto a_owner = OptionalText(a_owned, *HostileText());
  const auto b_owner = OptionalText(b_owned, *HostileText());
  const Millis a_expiry = *AnyExpiry();
  const Millis b_expiry = *AnyExpiry();
  const TokenId a_id = *AnyId();
  const TokenId b_id = *AnyId();
  const auto a = OwnerKey(a_owner, a_expiry, a_id);
  const auto b = OwnerKey(b_owner, b_expiry, b_id);
  RC_ASSERT((a < b) == (std::tuple(a_owner, a_expiry, a_id) <
                        std::tuple(b_owner, b_expiry, b_id)));
}

// All keys of an owner lie in its prefix's range, and no other owner's do.
RC_GTEST_PROP(OwnerKeys, OneOwnerIsOneRange, ()) {
  const std::string owner = *HostileText();
  const std::string other = *HostileText();
  const std::string key = OwnerKey(other, *AnyExpiry(), *AnyId());
  const std::string prefix = OwnerPrefix(owner);
  RC_ASSERT((prefix <= key && key < PrefixEnd(prefix)) == (owner == other));
}

RC_GTEST_PROP(OwnerKeys, PartsComeBack, (bool owned)) {
  const auto owner = OptionalText(owned, *HostileText());
  const Millis expiry = *AnyExpiry();
  const TokenId id = *AnyId();
  const std::string key = OwnerKey(owner, expiry, id);
  bool valid = false;
  RC_ASSERT(IsIndexKey(key));
  RC_ASSERT(OwnerFromTerm(TermOf(key), valid) == owner);
  RC_ASSERT(valid);
  RC_ASSERT(ExpiryOf(key) == expiry);
  RC_ASSERT(IdOf(key) == id);
}

RC_GTEST_PROP(Times, SortAsBytesWithNeverLast, ()) {
  const Millis a = *AnyExpiry();
  const Millis b = *AnyExpiry();
  std::string a_bytes;
  std::string b_bytes;
  AppendBig64(a_bytes, OrderedMillis(a));
  AppendBig64(b_bytes, OrderedMillis(b));
  RC_ASSERT((a < b) == (a_bytes < b_bytes));
  RC_ASSERT(FromOrderedMillis(OrderedMillis(a)) == a);
}

RC_GTEST_PROP(PrefixEnd, IsTheSmallestTextAfterAllThatBeginWithIt, ()) {
  const std::string prefix = *rc::gen::nonEmpty(HostileText());
  const std::string end = PrefixEnd(prefix);
  const std::string rest = *HostileText();
  RC_ASSERT(end.empty() || prefix + rest < end);
  if (end.empty()) {
    RC_ASSERT(prefix == std::string(prefix.size(), '\xFF'));
  } else {
    // Nothing smaller ends the prefix's texts.
    RC_ASSERT(end.back() != '\x00');
    std::string before = end;
    before.back() = static_cast<char>(before.back() - 1);
    RC_ASSERT(prefix.compare(0, before.size(), before) == 0);
  }
}

RC_GTEST_PROP(CreationKeys, SortByCreationThenId, ()) {
  const auto key = [](Millis created, Millis expiry, const TokenId& id) {
    std::string result = IndexPrefix(IndexKind::kCreation);
    AppendCreationTerm(result, created, id);
    AppendKeyTail(result, expiry, id);
    return result;
  };
  const Millis a = *AnyExpiry();
  const Millis b = *AnyExpiry();
  const TokenId a_id = *AnyId();
  const TokenId b_id = *AnyId();
  RC_PRE(std::tuple(a, a_id) != std::tuple(b, b_id));
  RC_ASSERT((key(a, *AnyExpiry(), a_id) < key(b, *AnyExpiry(), b_id)) ==
            (std::tuple(a, a_id) < std::tuple(b, b_id)));
}

TEST(NeverTest, IsAllOnesInAKey) {
  std::string key;
  AppendKeyTail(key, kNever, TokenId());
  EXPECT_EQ(key.substr(0, kExpiryBytes), std::string(kExpiryBytes, '\xFF'));
}

TEST(OwnerTermTest, HasTheDocumentedBytes) {
  const auto term = [](std::optional<std::string_view> owner) {
    std::string result;
    AppendOwnerTerm(result, owner);
    return result;
  };
  EXPECT_EQ(term("a"), "a\0\x01"s);
  EXPECT_EQ(term("a\0b"s),
            "a\0\xFF"
            "b\0\x01"s);
  EXPECT_EQ(term("\0\xFF"s), "\0\xFF\xFF\0\x01"s);
  EXPECT_EQ(term(std::nullopt), "\0\0"s);
}

TEST(OwnerTermTest, MalformedTermsAreRefused) {
  for (const std::string& term : {""s, "a"s, "a\0"s, "a\0\0"s,
                                  "a\0\x01"
                                  "b"s,
                                  "\0\0\0\x01"s, "a\0\x02"s}) {
    bool valid = true;
    OwnerFromTerm(term, valid);
    EXPECT_FALSE(valid) << ::testing::PrintToString(term);
  }
}

}  // namespace
}  // namespace tokendb
