// What a database should do, in the plainest way: a map of tokens, and loops
// over all of it. Shares no code with the library besides its public types.
#ifndef TOKENDB_TESTS_PROPERTY_MODEL_H_
#define TOKENDB_TESTS_PROPERTY_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tokendb/db.h"

namespace tokendb::testing {

class Model {
 public:
  // The time, in milliseconds: never goes back.
  void SetClock(absl::Time time);
  absl::Time now() const { return now_; }

  // How long tokens stay after they expired. Those that are gone stay gone.
  void SetRetention(absl::Duration expired, absl::Duration revoked);

  // The code of issuing the tokens together. If OK, they are issued: with the
  // ids that the database gave them.
  absl::StatusCode IssueCode(const std::vector<Token>& tokens) const;
  void Issue(std::vector<Token> tokens, const std::vector<TokenId>& ids);

  // As Database::Update(): the code of its status.
  absl::StatusCode Update(const TokenId& id, const TokenPatch& patch,
                          const Precondition& precondition);
  absl::StatusCode Revoke(const TokenId& id, const RevokeOptions& options);
  absl::StatusCode Delete(const TokenId& id, const Precondition& precondition);
  uint64_t RevokeAll(const Query& query, const std::string& reason);
  uint64_t DeleteAll(const Query& query);

  // Uses are noted, and take effect when they are flushed: before a change by
  // last use, and when the database is closed.
  void Touch(const TokenId& id, absl::Time at, const std::string& ip_address);
  void FlushTouches();

  // As Database::MarkNotified().
  uint64_t MarkNotified(const std::vector<TokenId>& ids, absl::Duration within);

  // Whether a window of what expired is refused, and where it is complete.
  bool MayHaveForgotten(absl::Time from, absl::Time before) const;
  absl::Time CompleteUntil(absl::Time from, absl::Time before) const;

  // The changes made since they were last taken.
  std::vector<TokenChange> TakeChanges() { return std::exchange(changes_, {}); }

  // All matches in the order of the query; paging is not applied.
  std::vector<Token> Select(const Query& query) const;

  // Those of them that come after `last`, which may have changed since it was
  // read, or be gone.
  std::vector<Token> SelectAfter(const Query& query, const Token& last) const;
  std::map<std::optional<std::string>, uint64_t> Group(const Query& query,
                                                       Grouping grouping) const;

  TokenState StateOf(const Token& token) const;
  const Token* Find(const TokenId& id) const;
  const Token* FindDigest(const Digest& digest) const;
  const std::map<TokenId, Token>& tokens() const { return tokens_; }

 private:
  // A last use, of a record or noted beside it.
  struct Use {
    std::optional<absl::Time> at;
    std::string ip_address;
  };
  // What is kept of a token besides its record; `tokens_` shows the later use.
  struct Beside {
    Use of_record;
    Use touched;
    absl::Time marked_expiry = absl::InfinitePast();
    absl::Duration marked_window;
  };

  bool Matches(const Query& query, const Token& token) const;
  bool IsMarked(const Token& token, absl::Duration within) const;
  bool IsUnusedSince(const Token& token, absl::Time time) const;
  void FlushTouchesFor(const Query& query);
  // Puts a token in, whose last use is that of its record.
  void Put(const Token& token);
  bool DigestIsFree(const Digest& digest, const TokenId& except) const;
  void TakeDigest(const Token& token);
  bool IsForgotten(const Token& token) const;
  void Forget();
  void Record(TokenChange::Kind kind, const Token& token);

  absl::Time now_ = absl::InfinitePast();
  absl::Time kept_expired_ = absl::InfinitePast();
  absl::Time kept_revoked_ = absl::InfinitePast();
  absl::Duration retain_expired_ = absl::InfiniteDuration();
  absl::Duration retain_revoked_ = absl::InfiniteDuration();
  std::map<TokenId, Token> tokens_;
  std::map<TokenId, Beside> beside_;
  std::map<TokenId, Use> noted_;
  std::vector<TokenChange> changes_;
};

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_PROPERTY_MODEL_H_
