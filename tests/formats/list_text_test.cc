#include "src/formats/list_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/support/status_matchers.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;

TEST(ListTextTest, PlainListsMeanWhatTheySay) {
  EXPECT_THAT(ParseListText("read_builds, read_teams"),
              IsOkAndHolds(ElementsAre("read_builds", "read_teams")));
  EXPECT_THAT(ParseListText("encrypt ring:debian rsa:4096"),
              IsOkAndHolds(ElementsAre("encrypt", "ring:debian", "rsa:4096")));
  EXPECT_THAT(ParseListText(",a,,b\t\r\n"),
              IsOkAndHolds(ElementsAre("a", "b")));
  EXPECT_THAT(ParseListText("a%20b repo:*/+ x\"y\\z"),
              IsOkAndHolds(ElementsAre("a%20b", "repo:*/+", "x\"y\\z")));
  EXPECT_THAT(ParseListText(""), IsOkAndHolds(ElementsAre()));
}

TEST(ListTextTest, QuotedItemsHoldAnything) {
  EXPECT_THAT(ParseListText(R"("a, b", "\"\\", c)"),
              IsOkAndHolds(ElementsAre("a, b", "\"\\", "c")));
  for (const char* text : {"\"a", "\"a\\", "\"a\"b", "\""}) {
    EXPECT_THAT(ParseListText(text),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

// Scenario 86.
TEST(ListTextTest, EveryListOfScopesComesBack) {
  EXPECT_TRUE(rc::check("reading what was written", [] {
    const auto items = *rc::gen::container<std::vector<std::string>>(
        rc::gen::nonEmpty(rc::gen::container<std::string>(
            rc::gen::oneOf(rc::gen::arbitrary<char>(),
                           rc::gen::elementOf(std::string("\", \\\n\ta"))))));
    const auto read = ParseListText(FormatListText(items));
    RC_ASSERT(read.ok());
    RC_ASSERT(*read == items);
  }));
}

}  // namespace
}  // namespace tokendb::testing
