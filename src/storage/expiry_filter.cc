#include "src/storage/expiry_filter.h"

#include <string>
#include <utility>

#include "src/storage/drop_decision.h"
#include "src/storage/slice.h"

namespace tokendb {
namespace {

class ExpiryFilter final : public rocksdb::CompactionFilter {
 public:
  ExpiryFilter(Family family, const EntryReader& reader, const Cutoff& cutoff,
               std::shared_ptr<const DeadPrefixes> dead)
      : family_(family),
        reader_(reader),
        cutoff_(cutoff),
        dead_(std::move(dead)) {}

  const char* Name() const override { return "tokendb.ExpiryFilter"; }

  Decision FilterV2(int /*level*/, const rocksdb::Slice& key,
                    ValueType /*type*/, const rocksdb::Slice& value,
                    std::string* /*new_value*/,
                    std::string* skip_until) const override {
    const std::string_view key_view = ToView(key);
    const std::string_view value_view = ToView(value);
    if (family_ == Family::kIndex) {
      if (const std::string* const dead = dead_->Find(key_view)) {
        // No version of any key in it may be seen again.
        *skip_until = *dead;
        ++skip_until->back();
        return Decision::kRemoveAndSkipUntil;
      }
    }
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
  const std::shared_ptr<const DeadPrefixes> dead_;
};

class ExpiryFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  ExpiryFilterFactory(Family family, const EntryReader& reader,
                      const SharedCutoff& cutoff,
                      const SharedDeadPrefixes& dead)
      : family_(family), reader_(reader), cutoff_(cutoff), dead_(dead) {}

  const char* Name() const override { return "tokendb.ExpiryFilterFactory"; }

  // One cutoff for the whole compaction, and one set of dead prefixes.
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<ExpiryFilter>(family_, reader_, cutoff_.Get(),
                                          dead_.Get());
  }

 private:
  const Family family_;
  const EntryReader& reader_;
  const SharedCutoff& cutoff_;
  const SharedDeadPrefixes& dead_;
};

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> MakeExpiryFilterFactory(
    Family family, const EntryReader& reader, const SharedCutoff& cutoff,
    const SharedDeadPrefixes& dead) {
  return std::make_shared<ExpiryFilterFactory>(family, reader, cutoff, dead);
}

}  // namespace tokendb
