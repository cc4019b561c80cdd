#include "src/query/continuation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/status_matchers.h"

namespace tokendb {
namespace {

using testing::IsOkAndHolds;
using testing::StatusIs;

TokenId SomeId() {
  return *TokenId::Parse("0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6");
}

RC_GTEST_PROP(ContinuationProperty, ThePositionComesBack, (Millis time)) {
  Query query{.owners = {"ada"}};
  const Position position{.time = time, .id = SomeId()};
  query.continuation = EncodeContinuation(query, position);
  const auto read = ReadContinuation(query);
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == position);
}

// Clients keep continuations over upgrades: the bytes must not change.
TEST(ContinuationTest, HasTheDocumentedSize) {
  const std::string text =
      EncodeContinuation(Query{}, {.time = 0, .id = SomeId()});
  // 1 + 8 + 8 + 16 + 4 bytes in base64.
  EXPECT_EQ(text.size(), 50);
  EXPECT_EQ(text, EncodeContinuation(Query{}, {.time = 0, .id = SomeId()}));
}

TEST(ContinuationTest, NoneIsTheBeginning) {
  EXPECT_THAT(ReadContinuation(Query{}), IsOkAndHolds(std::nullopt));
}

TEST(ContinuationTest, EveryConditionBelongsToTheQuery) {
  const std::string text =
      EncodeContinuation(Query{}, {.time = 0, .id = SomeId()});
  const absl::Time at = absl::FromUnixSeconds(1);
  for (Query other : {Query{.ids = {SomeId()}},
                      Query{.digest = *Digest::OfSecret("s")},
                      Query{.owners = {"a"}},
                      Query{.without_owner = true},
                      Query{.scopes = {.all_of = {"a"}}},
                      Query{.scopes = {.any_of = {"a"}}},
                      Query{.scopes = {.none_of = {"a"}}},
                      Query{.scopes = {.exact = true}},
                      Query{.expires = {.from = at}},
                      Query{.expires = {.before = at}},
                      Query{.lifetime = Lifetime::kExpiring},
                      Query{.created = {.from = at}},
                      Query{.last_accessed = {.from = at}},
                      Query{.states = StateSet::All()},
                      Query{.text = "a"},
                      Query{.organization = "a"},
                      Query{.kind = "a"},
                      Query{.ip_address = "a"},
                      Query{.residual = [](const Token&) { return true; }},
                      Query{.order = Order::kCreation},
                      Query{.direction = Direction::kDescending}}) {
    other.continuation = text;
    EXPECT_THAT(ReadContinuation(other),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         ::testing::HasSubstr("another query")));
  }
}

}  // namespace
}  // namespace tokendb
