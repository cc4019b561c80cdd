#include "src/storage/expiry_histogram.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace tokendb {
namespace {

using Revoked = EntryExpiry::Revoked;

uint64_t Forgotten(const ExpiryHistogram& histogram, Millis expired,
                   Millis revoked) {
  return histogram.ForgottenBytes({.expired = expired, .revoked = revoked});
}

TEST(ExpiryHistogramTest, KnowsNothingForgottenOfEntriesThatNeverExpire) {
  ExpiryHistogram histogram;
  histogram.Add(std::nullopt, 10);
  histogram.Add(EntryExpiry{}, 5);
  EXPECT_EQ(histogram.total_bytes(), 15);
  EXPECT_EQ(Forgotten(histogram, kNever - 1, kNever - 1), 0);
}

TEST(ExpiryHistogramTest, KeepsRevokedEntriesApart) {
  ExpiryHistogram histogram;
  histogram.Add(EntryExpiry{1000, Revoked::kNo}, 1);
  histogram.Add(EntryExpiry{1000, Revoked::kYes}, 10);
  histogram.Add(EntryExpiry{1000, Revoked::kUnknown}, 100);
  EXPECT_EQ(Forgotten(histogram, 999, 999), 0);
  EXPECT_EQ(Forgotten(histogram, 1000, 999), 1);
  EXPECT_EQ(Forgotten(histogram, 999, 1000), 10);
  EXPECT_EQ(Forgotten(histogram, 1000, 1000), 111);
}

TEST(ExpiryHistogramTest, RefusesWhatItDidNotWrite) {
  ExpiryHistogram histogram;
  histogram.Add(EntryExpiry{1000, Revoked::kNo}, 1);
  const std::string encoded = histogram.Encode();
  ASSERT_TRUE(ExpiryHistogram::Decode(encoded).has_value());
  for (size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_FALSE(ExpiryHistogram::Decode(encoded.substr(0, size)).has_value())
        << size;
  }
  EXPECT_FALSE(ExpiryHistogram::Decode(encoded + '\0').has_value());
}

// Of any number of entries at any times.
RC_GTEST_PROP(ExpiryHistogramTest, NeverClaimsMoreThanIsForgotten, ()) {
  const auto spread = *rc::gen::element<Millis>(10, 1000000, 4000000000000);
  const auto times = *rc::gen::container<std::vector<Millis>>(
      *rc::gen::inRange(0, 6000), rc::gen::inRange<Millis>(-spread, spread));
  ExpiryHistogram histogram;
  for (const Millis time : times) {
    histogram.Add(EntryExpiry{time, Revoked::kNo}, 3);
  }
  const auto decoded = ExpiryHistogram::Decode(histogram.Encode());
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(decoded->total_bytes() == 3 * times.size());
  const auto cutoff = *rc::gen::inRange<Millis>(-2 * spread, 2 * spread);
  uint64_t forgotten = 0;
  for (const Millis time : times) forgotten += time <= cutoff ? 3 : 0;
  const uint64_t claimed = Forgotten(*decoded, cutoff, kAlways);
  RC_ASSERT(claimed <= forgotten);
  // And all of it once all have expired.
  RC_ASSERT(Forgotten(*decoded, kNever - 1, kAlways) == 3 * times.size());
}

}  // namespace
}  // namespace tokendb
