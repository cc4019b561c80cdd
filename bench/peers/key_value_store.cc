#include "bench/peers/key_value_store.h"

#include <algorithm>
#include <limits>

#include "bench/token_entries.h"
#include "src/base/coding.h"
#include "src/index/scope_sets.h"

namespace tokendb::bench {
namespace {

// Where a digest's row holds what (src/index/digest_row.h).
constexpr size_t kExpiryInRow = 4;
constexpr size_t kIdInRow = 12;
constexpr size_t kOwnerInRow = kIdInRow + TokenId::kSize;

void CheckParsed(bool parsed) {
  if (!parsed) CheckOk(absl::DataLossError("malformed"), "entry");
}

Cover CoverOf(std::string_view bytes) {
  Cover cover;
  CheckParsed(ParseCover(bytes, cover));
  return cover;
}

}  // namespace

Answer AnswerOfRow(std::string_view row, int64_t now) {
  std::string_view rest = row.substr(kOwnerInRow);
  uint64_t owner_bytes = 0;
  CheckParsed(ConsumeVarint(rest, owner_bytes) && owner_bytes <= rest.size());
  Cover cover = CoverOf(rest.substr(owner_bytes));
  cover.validity.expires_at =
      FromOrderedMillis(LoadBig64(row.data() + kExpiryInRow));
  if (StateAt(cover.validity, now) != TokenState::kLive) return {};
  ScopeNumbers scopes;
  CheckParsed(ParseScopes(cover.encoded_scopes, scopes));
  return {.live = true,
          .id = IdFromBytes(row.substr(kIdInRow, TokenId::kSize)),
          .scopes = ScopeSets::MakeSet(scopes)};
}

std::string KeyValueStore::LiveFrom(std::string prefix) const {
  AppendBig64(prefix, OrderedMillis(NowMillis() + 1));
  return prefix;
}

std::vector<TokenId> KeyValueStore::Ids(const std::string& prefix,
                                        absl::Time before) {
  std::string upper = prefix;
  AppendBig64(upper, OrderedMillis(FloorToMillis(before)));
  return IdsBetween(LiveFrom(prefix), upper,
                    std::numeric_limits<size_t>::max());
}

std::vector<TokenId> KeyValueStore::Expiring(absl::Time before) {
  return Ids(IndexPrefix(IndexKind::kExpiry), before);
}

std::vector<TokenId> KeyValueStore::ExpiringOfOwner(const std::string& owner,
                                                    absl::Time before) {
  return Ids(OwnerPrefix(owner), before);
}

std::vector<TokenId> KeyValueStore::ExpiringOfScope(const std::string& scope,
                                                    absl::Time before) {
  return Ids(ScopePrefix(entries_->NumberOf(scope)), before);
}

std::vector<TokenId> KeyValueStore::ExpiringOfOwnerWithScope(
    const std::string& owner, const std::string& scope, absl::Time before) {
  const uint32_t number = entries_->NumberOf(scope);
  const std::string prefix = OwnerPrefix(owner);
  std::string upper = prefix;
  AppendBig64(upper, OrderedMillis(FloorToMillis(before)));
  std::vector<TokenId> ids;
  ScopeNumbers scopes;
  ForEach(LiveFrom(prefix), upper,
          [&](std::string_view key, std::string_view value) {
            scopes.clear();
            CheckParsed(ParseScopes(CoverOf(value).encoded_scopes, scopes));
            if (std::binary_search(scopes.begin(), scopes.end(), number)) {
              ids.push_back(IdOf(key));
            }
          });
  return ids;
}

std::vector<Token> KeyValueStore::LastOfOwner(const std::string& owner,
                                              size_t limit) {
  const std::string prefix = OwnerPrefix(owner);
  std::vector<TokenId> ids;
  ForEachBackward(LiveFrom(prefix), PrefixEnd(prefix),
                  [&](std::string_view key) {
                    ids.push_back(IdOf(key));
                    return ids.size() < limit;
                  });
  return Read(ids);
}

std::optional<absl::Time> KeyValueStore::LastUse(const TokenId& id) {
  return Read({&id, 1}).front().last_accessed_at;
}

std::optional<size_t> KeyValueStore::DeleteExpired(size_t most) {
  const std::string prefix = IndexPrefix(IndexKind::kExpiry);
  const std::vector<Token> tokens =
      Read(IdsBetween(prefix, LiveFrom(prefix), most));
  Changes changes;
  RecordEncoder encoder;
  for (const Token& token : tokens) {
    AppendEntries(token, entries_->NumbersOf(token), encoder, changes.deletes);
  }
  Write(changes);
  return tokens.size();
}

void KeyValueCaller::Issue(absl::Span<const Token> tokens) {
  Changes changes;
  CounterSums sums;
  for (const Token& token : tokens) {
    const ScopeNumbers scopes = store_.entries().NumbersOf(token);
    AppendEntries(token, scopes, encoder_, changes.puts);
    if (counters_) sums.Add(token, scopes, store_.Now(), 1);
  }
  sums.MoveTo(changes.puts);
  store_.Write(changes);
}

void KeyValueCaller::Revoke(const TokenId& id) {
  store_.Update(id, [&](Token token) {
    Changes changes;
    if (token.revoked_at.has_value()) return changes;
    const ScopeNumbers scopes = store_.entries().NumbersOf(token);
    CounterSums sums;
    if (counters_) sums.Add(token, scopes, store_.Now(), -1);
    token.revoked_at = store_.Now();
    std::vector<Entry> entries;
    AppendEntries(token, scopes, encoder_, entries);
    for (Entry& entry : entries) {
      auto& where =
          entry.family == Family::kIndex ? changes.deletes : changes.puts;
      where.push_back(std::move(entry));
    }
    sums.MoveTo(changes.puts);
    return changes;
  });
}

void KeyValueCaller::Touch(const TokenId& id, absl::Time time,
                           const std::string& ip) {
  store_.Update(id, [&](Token token) {
    token.last_accessed_at = time;
    token.ip_address = ip;
    Changes changes;
    changes.puts.push_back(
        {Family::kToken, std::string(id.bytes()),
         std::string(ValueOrDie(encoder_.Encode(token), "encoding"))});
    return changes;
  });
}

}  // namespace tokendb::bench
