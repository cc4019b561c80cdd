#include "src/model/liveness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/time/time.h"
#include "tokendb/token.h"

namespace tokendb {
namespace {

using ::testing::Optional;

constexpr absl::Duration kTick = absl::Milliseconds(1);

absl::Time At(int64_t millis) { return absl::FromUnixMillis(millis); }

// Scenario 21.
TEST(LivenessTest, TokenIsDeadExactlyAtItsExpiry) {
  const Token token{.expires_at = At(1000)};
  EXPECT_EQ(StateOf(token, At(1000) - kTick), TokenState::kLive);
  EXPECT_EQ(StateOf(token, At(1000)), TokenState::kExpired);
  EXPECT_EQ(StateOf(token, At(1000) + kTick), TokenState::kExpired);
}

TEST(LivenessTest, TheInstantBeforeAnExpiryIsLiveAtAnyPrecision) {
  const Token token{.expires_at = At(1000)};
  EXPECT_EQ(StateOf(token, At(1000) - absl::Nanoseconds(1)), TokenState::kLive);
  EXPECT_EQ(StateOf(token, At(1000) + absl::Nanoseconds(1)),
            TokenState::kExpired);
}

// Scenario 23.
TEST(LivenessTest, TokenWithoutExpiryIsLiveAtAnyTime) {
  const Token token;
  for (const absl::Time now :
       {absl::InfinitePast(), FromMillis(kMinMillis), At(-1), At(0), At(1),
        FromMillis(kMaxMillis), absl::FromUnixSeconds(1LL << 50)}) {
    EXPECT_EQ(StateOf(token, now), TokenState::kLive) << now;
  }
}

// Scenario 25: "never" lies outside every range of times that can be given.
TEST(LivenessTest, NeverIsLaterThanEveryStorableTime) {
  EXPECT_GT(kNever, kMaxMillis);
  EXPECT_LT(kAlways, kMinMillis);
  EXPECT_EQ(ValidityOf(Token{}).expires_at, kNever);
  EXPECT_EQ(ValidityOf(Token{}).revoked_at, kNever);
  EXPECT_EQ(ValidityOf(Token{}).not_before, kAlways);
}

// Scenario 27.
TEST(LivenessTest, EpochZeroIsATimeLikeAnyOther) {
  const Token expires{.expires_at = At(0)};
  EXPECT_EQ(ValidityOf(expires).expires_at, 0);
  EXPECT_EQ(StateOf(expires, At(-1)), TokenState::kLive);
  EXPECT_EQ(StateOf(expires, At(0)), TokenState::kExpired);
  const Token revoked{.revoked_at = At(0)};
  EXPECT_EQ(StateOf(revoked, At(-1)), TokenState::kLive);
  EXPECT_EQ(StateOf(revoked, At(0)), TokenState::kRevoked);
  const Token begins{.not_before = At(0)};
  EXPECT_EQ(StateOf(begins, At(-1)), TokenState::kNotYetValid);
  EXPECT_EQ(StateOf(begins, At(0)), TokenState::kLive);
}

// Scenario 28.
TEST(LivenessTest, RemainingLifetimeIsNeverNegative) {
  const Token token{.expires_at = At(1000)};
  EXPECT_THAT(RemainingLifetime(token, At(400)),
              Optional(absl::Milliseconds(600)));
  EXPECT_THAT(RemainingLifetime(token, At(999)), Optional(kTick));
  EXPECT_THAT(RemainingLifetime(token, At(1000)),
              Optional(absl::ZeroDuration()));
  EXPECT_THAT(RemainingLifetime(token, At(5000)),
              Optional(absl::ZeroDuration()));
  EXPECT_EQ(RemainingLifetime(Token{}, At(5000)), std::nullopt);
}

TEST(LivenessTest, ExpiredTokenHasNoTimeLeftEvenBeforeItsTimesAreRounded) {
  const Token token{.expires_at = At(1000) + absl::Microseconds(900)};
  const absl::Time now = At(1000) + absl::Microseconds(100);
  ASSERT_EQ(StateOf(token, now), TokenState::kExpired);
  EXPECT_THAT(RemainingLifetime(token, now), Optional(absl::ZeroDuration()));
}

// Scenario 39.
TEST(LivenessTest, TokenBecomesLiveExactlyAtItsNotBefore) {
  const Token token{.not_before = At(1000)};
  EXPECT_EQ(StateOf(token, At(1000) - kTick), TokenState::kNotYetValid);
  EXPECT_EQ(StateOf(token, At(1000)), TokenState::kLive);
  EXPECT_EQ(StateOf(token, At(1000) + kTick), TokenState::kLive);
}

// Scenario 43.
TEST(LivenessTest, ScheduledRevocationTakesEffectExactlyAtItsTime) {
  const Token token{.revoked_at = At(1000)};
  EXPECT_EQ(StateOf(token, At(1000) - kTick), TokenState::kLive);
  EXPECT_EQ(StateOf(token, At(1000)), TokenState::kRevoked);
  EXPECT_EQ(StateOf(token, At(1000) + kTick), TokenState::kRevoked);
}

TEST(LivenessTest, DisabledTokenIsLiveAgainOnceEnabled) {
  Token token{.enabled = false};
  EXPECT_EQ(StateOf(token, At(0)), TokenState::kDisabled);
  token.enabled = true;
  EXPECT_EQ(StateOf(token, At(0)), TokenState::kLive);
}

TEST(LivenessTest, FirstReasonInTheDocumentedOrderWins) {
  Token token{.expires_at = At(10),
              .not_before = At(1000),
              .revoked_at = At(20),
              .enabled = false};
  EXPECT_EQ(StateOf(token, At(100)), TokenState::kRevoked);
  token.revoked_at.reset();
  EXPECT_EQ(StateOf(token, At(100)), TokenState::kDisabled);
  token.enabled = true;
  EXPECT_EQ(StateOf(token, At(100)), TokenState::kExpired);
  token.expires_at.reset();
  EXPECT_EQ(StateOf(token, At(100)), TokenState::kNotYetValid);
  token.not_before.reset();
  EXPECT_EQ(StateOf(token, At(100)), TokenState::kLive);
}

TEST(LivenessTest, TokenThatExpiresBeforeItBeginsIsNeverLive) {
  const Token token{.expires_at = At(10), .not_before = At(20)};
  for (int64_t now = 0; now < 30; ++now) {
    EXPECT_NE(StateOf(token, At(now)), TokenState::kLive) << now;
  }
}

// A finer time than is stored gives the same state before and after rounding.
TEST(LivenessTest, RoundingNeverLengthensALife) {
  const absl::Duration half = kTick / 2;
  const Token token{.expires_at = At(1000) + half,
                    .not_before = At(10) + half,
                    .revoked_at = At(500) + half};
  const Validity validity = ValidityOf(token);
  EXPECT_EQ(validity.expires_at, 1000);
  EXPECT_EQ(validity.not_before, 11);
  EXPECT_EQ(validity.revoked_at, 500);
  EXPECT_EQ(ValidityOf(Normalize(token)), validity);
}

TEST(LivenessTest, EveryStateHasItsName) {
  EXPECT_EQ(TokenStateName(TokenState::kLive), "live");
  EXPECT_EQ(TokenStateName(TokenState::kExpired), "expired");
  EXPECT_EQ(TokenStateName(TokenState::kRevoked), "revoked");
  EXPECT_EQ(TokenStateName(TokenState::kDisabled), "disabled");
  EXPECT_EQ(TokenStateName(TokenState::kNotYetValid), "not_yet_valid");
  EXPECT_EQ(TokenStateName(TokenState::kUnknown), "unknown");
}

}  // namespace
}  // namespace tokendb
