#include "bench/peers/entry_source.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "bench/synthetic.h"
#include "src/base/coding.h"

namespace tokendb::bench {
namespace {

constexpr size_t kChunkEntries = 20000;
constexpr std::string_view kScopePrefix = "scope/";  // docs/file_format.md
constexpr size_t kCacheBytes = size_t{8} << 20;

}  // namespace

EntrySource::EntrySource(const std::string& database, const std::string& copy)
    : path_(copy) {
  CopyDatabase(database, copy);
  store_ =
      std::make_unique<RawStore>(copy, OpenOptions{.cache_bytes = kCacheBytes});
  ForEachChunk(Family::kMeta, kScopePrefix,
               [&](absl::Span<const Entry> entries) {
                 for (const Entry& entry : entries) {
                   const uint32_t number =
                       LoadBig32(entry.key.data() + kScopePrefix.size());
                   scopes_[entry.value] = number;
                   names_.resize(std::max<size_t>(names_.size(), number + 1));
                   names_[number] = entry.value;
                 }
               });
}

uint64_t EntrySource::CountLogicalBytes() const {
  uint64_t bytes = 0;
  for (const Family family :
       {Family::kToken, Family::kDigest, Family::kIndex}) {
    ForEachChunk(family, {}, [&](absl::Span<const Entry> entries) {
      for (const Entry& entry : entries) {
        bytes += entry.key.size() + entry.value.size();
      }
    });
  }
  return bytes;
}

std::vector<std::string> EntrySource::NamesOf(
    const ScopeNumbers& scopes) const {
  std::vector<std::string> names;
  for (const uint32_t scope : scopes) names.push_back(names_[scope]);
  std::sort(names.begin(), names.end());
  return names;
}

void EntrySource::ForEachChunk(
    Family family, std::string_view prefix,
    absl::FunctionRef<void(absl::Span<const Entry>)> use) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = size_t{2} << 20;
  const std::unique_ptr<rocksdb::Iterator> it(
      store_->db().NewIterator(options, store_->family(family)));
  std::vector<Entry> chunk;
  for (it->Seek(ToSlice(prefix));
       it->Valid() && ToView(it->key()).starts_with(prefix); it->Next()) {
    chunk.push_back({family, it->key().ToString(), it->value().ToString()});
    if (chunk.size() < kChunkEntries) continue;
    use(chunk);
    chunk.clear();
  }
  CheckRaw(it->status(), "reading entries");
  if (!chunk.empty()) use(chunk);
}

uint32_t EntrySource::NumberOf(std::string_view scope) const {
  const auto it = scopes_.find(scope);
  if (it == scopes_.end()) {
    CheckOk(absl::InternalError("no number for a scope"), scope);
  }
  return it->second;
}

ScopeNumbers EntrySource::NumbersOf(const Token& token) const {
  ScopeNumbers numbers;
  for (const std::string& scope : token.scopes) {
    numbers.push_back(NumberOf(scope));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

ScopeKey::ScopeKey(std::string_view key)
    : scope(LoadBig32(TermOf(key).data())),
      expires_at(ExpiryOf(key)),
      id(IdOf(key)) {}

}  // namespace tokendb::bench
