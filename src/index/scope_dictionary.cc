#include "src/index/scope_dictionary.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/status_macros.h"
#include "src/index/keys.h"

namespace tokendb {
namespace {

constexpr std::string_view kRowPrefix = "scope/";

std::string RowKey(uint32_t number) {
  std::string key(kRowPrefix);
  AppendBig32(key, number);
  return key;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ScopeDictionary>> ScopeDictionary::Load(
    Store& store) {
  std::unique_ptr<ScopeDictionary> dictionary(new ScopeDictionary(store));
  const std::unique_lock lock(dictionary->mutex_);
  std::string begin(kRowPrefix);
  Cursor cursor =
      store.NewCursor(nullptr, Family::kMeta, {begin, PrefixEnd(begin)});
  for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) {
    const auto next = static_cast<uint32_t>(dictionary->names_.size()) + 1;
    if (cursor.key() != RowKey(next)) {
      return absl::DataLossError(
          absl::StrCat("scope dictionary: row ", next, " is missing"));
    }
    dictionary->names_.emplace_back(cursor.value());
    if (!dictionary->numbers_.emplace(dictionary->names_.back(), next).second) {
      return absl::DataLossError(
          absl::StrCat("scope dictionary: row ", next, " repeats a scope"));
    }
  }
  RETURN_IF_ERROR(cursor.status());
  return dictionary;
}

absl::StatusOr<ScopeNumbers> ScopeDictionary::NumbersOf(
    absl::Span<const std::string> scopes) {
  ScopeNumbers numbers = Known(scopes);
  if (numbers.size() == scopes.size()) return numbers;
  RETURN_IF_ERROR(Add(scopes));
  return Known(scopes);
}

std::optional<uint32_t> ScopeDictionary::NumberOf(
    std::string_view scope) const {
  const std::shared_lock lock(mutex_);
  const auto it = numbers_.find(scope);
  if (it == numbers_.end()) return std::nullopt;
  return it->second;
}

ScopeNumbers ScopeDictionary::Known(
    absl::Span<const std::string> scopes) const {
  ScopeNumbers numbers;
  {
    const std::shared_lock lock(mutex_);
    for (const std::string& scope : scopes) {
      const auto it = numbers_.find(scope);
      if (it != numbers_.end()) numbers.push_back(it->second);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

absl::Status ScopeDictionary::Add(absl::Span<const std::string> scopes) {
  const std::lock_guard adding(adding_);
  std::vector<std::string_view> missing;
  uint32_t next = 0;
  {
    const std::shared_lock lock(mutex_);
    for (const std::string& scope : scopes) {
      if (!numbers_.contains(scope)) missing.push_back(scope);
    }
    next = static_cast<uint32_t>(names_.size()) + 1;
  }
  if (missing.size() > std::numeric_limits<uint32_t>::max() - next) {
    return absl::ResourceExhaustedError("the scope dictionary is full");
  }
  Batch batch = store_.NewBatch();
  for (const std::string_view scope : missing) {
    batch.Put(Family::kMeta, RowKey(next++), scope);
  }
  // A synced write of entries that use the numbers syncs these rows too.
  RETURN_IF_ERROR(store_.Commit(batch, Durability::kBuffered));
  const std::unique_lock lock(mutex_);
  for (const std::string_view scope : missing) {
    names_.emplace_back(scope);
    numbers_.emplace(names_.back(), static_cast<uint32_t>(names_.size()));
  }
  return absl::OkStatus();
}

absl::Status ScopeDictionary::NamesOf(absl::Span<const uint32_t> numbers,
                                      std::vector<std::string>& names) const {
  const std::shared_lock lock(mutex_);
  names.reserve(names.size() + numbers.size());
  for (const uint32_t number : numbers) {
    if (number == kNoScope || number > names_.size()) {
      return absl::DataLossError(
          absl::StrCat("scope ", number, " is not in the dictionary"));
    }
    names.push_back(names_[number - 1]);
  }
  return absl::OkStatus();
}

uint32_t ScopeDictionary::size() const {
  const std::shared_lock lock(mutex_);
  return static_cast<uint32_t>(names_.size());
}

}  // namespace tokendb
