#include "src/storage/expiry_filter.h"

#include <string>

#include "src/storage/drop_decision.h"
#include "src/storage/slice.h"

namespace tokendb {
namespace {

class ExpiryFilter final : public rocksdb::CompactionFilter {
 public:
  ExpiryFilter(Family family, const EntryReader& reader, const Cutoff& cutoff)
      : family_(family), reader_(reader), cutoff_(cutoff) {}

  const char* Name() const override { return "tokendb.ExpiryFilter"; }

  Decision FilterV2(int /*level*/, const rocksdb::Slice& key,
                    ValueType /*type*/, const rocksdb::Slice& value,
                    std::string* /*new_value*/,
                    std::string* skip_until) const override {
    const std::string_view key_view = ToView(key);
    const std::string_view value_view = ToView(value);
    const std::optional<EntryExpiry> expiry =
        reader_.expiry(family_, key_view, value_view);
    if (!expiry.has_value() || !expiry->IsForgotten(cutoff_) ||
        !reader_.intact(family_, key_view, value_view)) {
      return Decision::kKeep;
    }
    const Decision decision = DropDecision(family_, *expiry, cutoff_);
    if (decision == Decision::kRemoveAndSkipUntil) {
      *skip_until = family_ == Family::kIndex
                        ? reader_.first_remembered(key_view, cutoff_)
                        : std::string(key_view) + '\0';
    }
    return decision;
  }

 private:
  const Family family_;
  const EntryReader& reader_;
  const Cutoff cutoff_;
};

class ExpiryFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  ExpiryFilterFactory(Family family, const EntryReader& reader,
                      const SharedCutoff& cutoff)
      : family_(family), reader_(reader), cutoff_(cutoff) {}

  const char* Name() const override { return "tokendb.ExpiryFilterFactory"; }

  // One cutoff for the whole compaction.
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<ExpiryFilter>(family_, reader_, cutoff_.Get());
  }

 private:
  const Family family_;
  const EntryReader& reader_;
  const SharedCutoff& cutoff_;
};

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> MakeExpiryFilterFactory(
    Family family, const EntryReader& reader, const SharedCutoff& cutoff) {
  return std::make_shared<ExpiryFilterFactory>(family, reader, cutoff);
}

}  // namespace tokendb
