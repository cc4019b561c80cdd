#include "tokendb/scope.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"

namespace tokendb {
namespace {

TEST(BuildkiteScopesTest, AreFortyNineAndSorted) {
  ASSERT_EQ(BuildkiteScopes().size(), 49U);
  std::string_view last;
  for (const BuildkiteScope& scope : BuildkiteScopes()) {
    EXPECT_LT(last, scope.enum_name);
    last = scope.enum_name;
  }
}

TEST(BuildkiteScopesTest, HaveTheSameNameInBothSpellings) {
  for (const BuildkiteScope& scope : BuildkiteScopes()) {
    EXPECT_EQ(absl::AsciiStrToLower(std::string(scope.enum_name)), scope.name);
    EXPECT_EQ(absl::AsciiStrToUpper(std::string(scope.name)), scope.enum_name);
  }
}

TEST(BuildkiteScopesTest, AreFoundInBothSpellings) {
  for (const BuildkiteScope& scope : BuildkiteScopes()) {
    for (const std::string_view name : {scope.enum_name, scope.name}) {
      const std::optional<BuildkiteScope> found = FindBuildkiteScope(name);
      ASSERT_TRUE(found.has_value()) << name;
      EXPECT_EQ(found->enum_name, scope.enum_name);
      EXPECT_EQ(found->name, scope.name);
    }
  }
}

TEST(BuildkiteScopesTest, AreNotFoundInAnyOther) {
  for (const std::string_view name :
       {"", "Read_Builds", "read_BUILDS", "read-builds", "read_builds ",
        "read_build", "read_buildss", "sign"}) {
    EXPECT_FALSE(FindBuildkiteScope(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace tokendb
