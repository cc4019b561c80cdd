#include "src/db/writer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/db/prepare.h"
#include "src/index/digest_row.h"
#include "src/index/hot_row.h"

namespace tokendb {
namespace {

absl::Status AtPosition(const absl::Status& status, size_t position,
                        size_t count) {
  if (status.ok() || count == 1) return status;
  return absl::Status(
      status.code(),
      absl::StrCat("token ", position, " of the batch: ", status.message()));
}

absl::Status CheckPrecondition(const Precondition& precondition,
                               const Token& token) {
  if (precondition.if_version.has_value() &&
      *precondition.if_version != token.version) {
    return absl::FailedPreconditionError(
        absl::StrCat("token ", token.id.ToString(), " has version ",
                     token.version, ", not ", *precondition.if_version));
  }
  if (precondition.if_owner.has_value() &&
      (!token.owner.has_value() || token.owner->id != *precondition.if_owner)) {
    return absl::FailedPreconditionError(
        absl::StrCat("token ", token.id.ToString(), " has another owner"));
  }
  return absl::OkStatus();
}

// Keys to lock for a set of tokens: their ids and digests.
void AddKeys(const Token& token, std::vector<std::string_view>& keys) {
  keys.push_back(token.id.bytes());
  if (token.digest.has_value()) keys.push_back(token.digest->bytes());
}

}  // namespace

// --- Issue ---

absl::StatusOr<std::vector<Writer::Prepared>> Writer::Prepare(
    absl::Span<const Token> tokens, Millis now) {
  const Cutoff cutoff = retention_.At(now);
  std::vector<Prepared> prepared;
  prepared.reserve(tokens.size());
  absl::flat_hash_set<TokenId> ids;
  absl::flat_hash_set<Digest> digests;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto fail = [&](const absl::Status& status) {
      return AtPosition(status, i, tokens.size());
    };
    absl::StatusOr<Token> made = PrepareToken(tokens[i], now, cutoff);
    if (!made.ok()) return fail(made.status());
    Prepared& next = prepared.emplace_back();
    next.token = *std::move(made);
    next.new_id = tokens[i].id.IsNil();
    const Token& token = next.token;
    if (!ids.insert(token.id).second) {
      return fail(absl::AlreadyExistsError(
          absl::StrCat("token ", token.id.ToString(), " is in it twice")));
    }
    if (token.digest.has_value() && !digests.insert(*token.digest).second) {
      return fail(absl::AlreadyExistsError("its digest is in it twice"));
    }
    ASSIGN_OR_RETURN(next.scopes, scopes_.NumbersOf(token.scopes));
  }
  return prepared;
}

absl::Status Writer::CheckIdsAreFree(absl::Span<const Prepared> prepared,
                                     const Cutoff& cutoff) const {
  std::vector<std::string_view> keys;
  std::vector<size_t> positions;
  for (size_t i = 0; i < prepared.size(); ++i) {
    if (prepared[i].new_id) continue;
    keys.push_back(prepared[i].token.id.bytes());
    positions.push_back(i);
  }
  if (keys.empty()) return absl::OkStatus();
  ValueBatch values;
  store_.GetMany(nullptr, Family::kToken, keys, values);
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSIGN_OR_RETURN(const auto value, values.Value(i));
    if (!value.has_value()) continue;
    const Token& token = prepared[positions[i]].token;
    ASSIGN_OR_RETURN(const Token present, DecodeRecord(token.id, *value));
    if (IsForgotten(ValidityOf(present), cutoff)) continue;
    return AtPosition(absl::AlreadyExistsError(absl::StrCat(
                          "token ", token.id.ToString(), " exists")),
                      positions[i], prepared.size());
  }
  return absl::OkStatus();
}

absl::Status Writer::FindHolders(absl::Span<const DigestClaim> claims,
                                 Millis now,
                                 std::vector<TokenId>& holders) const {
  holders.clear();
  if (claims.empty()) return absl::OkStatus();
  const Cutoff cutoff = retention_.At(now);
  std::vector<std::string_view> keys;
  keys.reserve(claims.size());
  for (const DigestClaim& claim : claims) keys.push_back(claim.digest.bytes());
  ValueBatch values;
  store_.GetMany(nullptr, Family::kDigest, keys, values);
  for (size_t i = 0; i < claims.size(); ++i) {
    ASSIGN_OR_RETURN(const auto value, values.Value(i));
    if (!value.has_value()) continue;
    ASSIGN_OR_RETURN(const DigestRow row,
                     ParseDigestRow(claims[i].digest, *value));
    // The record of a forgotten row's id may be another token by now.
    if (IsForgotten(row.validity, cutoff)) continue;
    if (row.validity.expires_at > now) {
      return AtPosition(absl::AlreadyExistsError(absl::StrCat(
                            "its digest is that of token ", row.id.ToString())),
                        claims[i].position, claims[i].batch_size);
    }
    holders.push_back(row.id);
  }
  return absl::OkStatus();
}

absl::Status Writer::Disown(absl::Span<const TokenId> holders,
                            TokenBatch& batch) const {
  for (const TokenId& id : holders) {
    absl::StatusOr<Token> token = ReadForChange(id);
    // It may have been forgotten since its row was read.
    if (absl::IsNotFound(token.status())) continue;
    RETURN_IF_ERROR(token.status());
    RETURN_IF_ERROR(batch.Disown(*std::move(token)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TokenId>> Writer::Issue(
    absl::Span<const Token> tokens, const WriteOptions& options) {
  std::vector<TokenId> ids;
  if (tokens.empty()) return ids;
  const Millis now = clock_.Now();
  ASSIGN_OR_RETURN(const std::vector<Prepared> prepared, Prepare(tokens, now));
  std::vector<std::string_view> keys;
  std::vector<DigestClaim> claims;
  for (size_t i = 0; i < prepared.size(); ++i) {
    const Token& token = prepared[i].token;
    AddKeys(token, keys);
    if (token.digest.has_value()) {
      claims.push_back({*token.digest, i, prepared.size()});
    }
    ids.push_back(token.id);
  }
  std::vector<TokenId> holders;
  // The holders of digests are known only under the digests' locks; to change
  // them takes theirs as well, all in one go.
  while (true) {
    std::vector<std::string_view> all_keys = keys;
    const std::vector<TokenId> expected = holders;
    for (const TokenId& holder : expected) all_keys.push_back(holder.bytes());
    const StripeLock lock(stripes_, all_keys);
    RETURN_IF_ERROR(CheckIdsAreFree(prepared, retention_.At(now)));
    RETURN_IF_ERROR(FindHolders(claims, now, holders));
    const bool locked = std::all_of(
        holders.begin(), holders.end(),
        [&](const TokenId& holder) { return lock.Covers(holder.bytes()); });
    if (!locked) continue;
    TokenBatch batch(store_, scopes_, indexes_.Get(), changes_, now);
    RETURN_IF_ERROR(Disown(holders, batch));
    for (size_t i = 0; i < prepared.size(); ++i) {
      if (absl::Status status =
              batch.Add(prepared[i].token, prepared[i].scopes);
          !status.ok()) {
        return AtPosition(status, i, prepared.size());
      }
    }
    RETURN_IF_ERROR(batch.Commit(options.durability));
    return ids;
  }
}

// --- Changes to one token ---

absl::StatusOr<Token> Writer::ReadForChange(const TokenId& id) const {
  if (id.IsNil()) return absl::InvalidArgumentError("the id is nil");
  PinnedValue value;
  ASSIGN_OR_RETURN(const bool found,
                   store_.Get(nullptr, Family::kToken, id.bytes(), value));
  if (!found) {
    return absl::NotFoundError(
        absl::StrCat("there is no token ", id.ToString()));
  }
  ASSIGN_OR_RETURN(Token token, DecodeRecord(id, value.view()));
  if (IsForgotten(ValidityOf(token), retention_.At(clock_.Now()))) {
    return absl::NotFoundError(
        absl::StrCat("token ", id.ToString(), " expired and is forgotten"));
  }
  if (WrittenByNewerSchema(value.view())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "token ", id.ToString(),
        " was written by a newer version of tokendb, whose fields a change "
        "would lose"));
  }
  return token;
}

absl::StatusOr<Token> Writer::Change(const TokenId& id,
                                     const Precondition& precondition,
                                     Durability durability, Changer changer) {
  // Locks for the new digest and its holder become known on the way; each
  // round takes all that are known by then.
  std::vector<TokenId> holders;
  std::optional<Digest> new_digest;
  while (true) {
    const std::vector<TokenId> ids = holders;
    const std::optional<Digest> digest = new_digest;
    std::vector<std::string_view> keys = {id.bytes()};
    for (const TokenId& holder : ids) keys.push_back(holder.bytes());
    if (digest.has_value()) keys.push_back(digest->bytes());
    const StripeLock lock(stripes_, keys);

    ASSIGN_OR_RETURN(const Token before, ReadForChange(id));
    RETURN_IF_ERROR(CheckPrecondition(precondition, before));
    Token after = changer(before);
    RETURN_IF_ERROR(Validate(after));
    after = Normalize(std::move(after));
    if (after == before) return before;
    ++after.version;

    std::vector<DigestClaim> claims;
    if (after.digest.has_value() && after.digest != before.digest) {
      new_digest = after.digest;
      if (!lock.Covers(new_digest->bytes())) continue;
      claims.push_back({.digest = *new_digest});
    }
    const Millis now = clock_.Now();
    RETURN_IF_ERROR(FindHolders(claims, now, holders));
    if (!holders.empty() && !lock.Covers(holders.front().bytes())) continue;
    TokenBatch batch(store_, scopes_, indexes_.Get(), changes_, now);
    RETURN_IF_ERROR(Disown(holders, batch));
    RETURN_IF_ERROR(batch.Replace(before, after));
    RETURN_IF_ERROR(batch.Commit(durability));
    return after;
  }
}

absl::StatusOr<Token> Writer::Update(const TokenId& id, const TokenPatch& patch,
                                     const UpdateOptions& options) {
  ASSIGN_OR_RETURN(
      Token token,
      Change(id, options.precondition, options.durability,
             [&](const Token& before) { return Apply(patch, before); }));
  // The change is made: if the row is damaged, the next read reports it.
  OverlayHotRow(store_, nullptr, token).IgnoreError();
  return token;
}

absl::StatusOr<Revocation> Writer::Revoke(const TokenId& id,
                                          const RevokeOptions& options) {
  const absl::Time at = FromMillis(
      options.at.has_value() ? FloorToMillis(*options.at) : clock_.Now());
  Revocation revocation;
  ASSIGN_OR_RETURN(const Token token,
                   Change(id, options.precondition, options.durability,
                          [&](const Token& before) {
                            Token after = before;
                            revocation.changed =
                                !before.revoked_at.has_value() ||
                                at < *before.revoked_at;
                            if (revocation.changed) {
                              after.revoked_at = at;
                              after.revoked_reason = options.reason;
                            }
                            return after;
                          }));
  revocation.revoked_at = *token.revoked_at;
  return revocation;
}

absl::Status Writer::Delete(const TokenId& id, const DeleteOptions& options) {
  const std::vector<std::string_view> keys = {id.bytes()};
  const StripeLock lock(stripes_, keys);
  ASSIGN_OR_RETURN(const Token token, ReadForChange(id));
  RETURN_IF_ERROR(CheckPrecondition(options.precondition, token));
  TokenBatch batch(store_, scopes_, indexes_.Get(), changes_, clock_.Now());
  batch.Remove(token);
  return batch.Commit(options.durability);
}

}  // namespace tokendb
