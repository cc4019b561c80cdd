#include "src/index/counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tokendb {
namespace {

TEST(CountersTest, HoursBeginBeforeTheEpochToo) {
  EXPECT_EQ(HourOf(0), 0);
  EXPECT_EQ(HourOf(kMillisPerHour - 1), 0);
  EXPECT_EQ(HourOf(kMillisPerHour), kMillisPerHour);
  EXPECT_EQ(HourOf(-1), -kMillisPerHour);
  EXPECT_EQ(HourOf(-kMillisPerHour), -kMillisPerHour);
  EXPECT_EQ(HourOf(kNever), kNever);
}

TEST(CountersTest, ARowIsReadUntilItsTimeHasPassedWhole) {
  const std::string subject = TotalSubject();
  const Millis hour = 7 * kMillisPerHour;
  const std::string by_hour =
      CounterKey(subject, CounterClass::kExpiryHour, hour);
  EXPECT_TRUE(IsCounterRead(by_hour, hour - 1));
  EXPECT_FALSE(IsCounterRead(by_hour, hour));
  // It goes once nothing in its hour is remembered.
  EXPECT_EQ(CounterExpiry(by_hour), hour + kMillisPerHour - 1);
  const std::string exact =
      CounterKey(subject, CounterClass::kRevocation, hour);
  EXPECT_TRUE(IsCounterRead(exact, hour - 1));
  EXPECT_FALSE(IsCounterRead(exact, hour));
  EXPECT_EQ(CounterExpiry(exact), hour);
  const std::string never =
      CounterKey(subject, CounterClass::kExpiryHour, kNever);
  EXPECT_TRUE(IsCounterRead(never, kMaxMillis));
  EXPECT_EQ(CounterExpiry(never), kNever);
  EXPECT_EQ(CounterExpiry("x"), std::nullopt);
  EXPECT_EQ(CounterExpiry(std::string(20, '\x09')), std::nullopt);
}

// A few hours around the epoch, and no time at all.
rc::Gen<std::optional<Millis>> AnyTime() {
  return rc::gen::oneOf(
      rc::gen::just(std::optional<Millis>()),
      rc::gen::map(
          rc::gen::inRange<Millis>(-3 * kMillisPerHour, 3 * kMillisPerHour),
          [](Millis time) { return std::optional<Millis>(time); }),
      rc::gen::map(rc::gen::inRange<Millis>(-3, 4), [](Millis hour) {
        return std::optional<Millis>(hour * kMillisPerHour);
      }));
}

absl::Time TimeOf(Millis time) { return FromMillis(time); }

Token AnyToken() {
  Token token;
  token.enabled = *rc::gen::inRange(0, 5) != 0;
  if (const auto time = *AnyTime(); time) token.expires_at = TimeOf(*time);
  if (const auto time = *AnyTime(); time) token.revoked_at = TimeOf(*time);
  if (const auto time = *AnyTime(); time) token.not_before = TimeOf(*time);
  return token;
}

// What the rows, and the entries of the rest of the hour, say is live.
int64_t LiveByCounters(const std::map<std::string, int64_t>& rows,
                       const std::vector<Token>& tokens, Millis now) {
  int64_t live = 0;
  for (const auto& [key, count] : rows) {
    if (!IsCounterRead(key, now)) continue;
    const bool begins = key[TotalSubject().size()] ==
                        static_cast<char>(CounterClass::kBeginning);
    live += begins ? -count : count;
  }
  for (const Token& token : tokens) {
    const Validity validity = ValidityOf(token);
    if (EndsByExpiry(validity) && validity.expires_at > now &&
        HourOf(validity.expires_at) == HourOf(now)) {
      ++live;
    }
  }
  return live;
}

// Rows are written as time goes on, and taken back later still.
RC_GTEST_PROP(CountersTest, CountAsTheRuleDoesAtAnyLaterTime, ()) {
  Millis now = *rc::gen::inRange<Millis>(-4 * kMillisPerHour, 0);
  std::map<std::string, int64_t> rows;
  std::vector<Token> tokens;
  const std::string total = TotalSubject();
  const auto add = [&](const Token& token, int64_t delta) {
    ForEachCounter(token, {}, now, [&](std::string_view key) {
      if (key.substr(0, total.size()) == total) rows[std::string(key)] += delta;
    });
  };
  for (int step = 0; step < 30; ++step) {
    if (!tokens.empty() && *rc::gen::inRange(0, 3) == 0) {
      const auto which = *rc::gen::inRange<size_t>(0, tokens.size());
      add(tokens[which], -1);
      tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(which));
    } else {
      tokens.push_back(AnyToken());
      add(tokens.back(), 1);
    }
    now += *rc::gen::element<Millis>(0, 1, 999, 100000, kMillisPerHour);
    int64_t live = 0;
    for (const Token& token : tokens) {
      live += StateAt(ValidityOf(token), now) == TokenState::kLive ? 1 : 0;
    }
    RC_ASSERT(LiveByCounters(rows, tokens, now) == live);
  }
}

}  // namespace
}  // namespace tokendb
