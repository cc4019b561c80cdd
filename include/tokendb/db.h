#ifndef TOKENDB_DB_H_
#define TOKENDB_DB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tokendb/changes.h"
#include "tokendb/index.h"
#include "tokendb/options.h"
#include "tokendb/query.h"
#include "tokendb/scope.h"
#include "tokendb/token.h"
#include "tokendb/verify.h"

namespace tokendb {

struct Revocation {
  // Since when, or from when on, the token is revoked: the earliest time it
  // was ever revoked for.
  absl::Time revoked_at;

  // False if it had been revoked for that time or earlier before the call,
  // which then changed nothing.
  bool changed = false;
};

// What taking space back has done.
struct ReclaimReport {
  uint64_t files_dropped = 0;    // Index files wholly forgotten, unread.
  uint64_t files_rewritten = 0;  // Not counting files these overlapped.
  uint64_t bytes_rewritten = 0;
  uint64_t bytes_reclaimed = 0;  // About.
};

struct ReclaimStats {
  absl::Duration retain_expired;
  absl::Duration retain_revoked;

  // In files, about: of forgotten tokens, and of all others.
  uint64_t forgotten_bytes = 0;
  uint64_t live_bytes = 0;
  uint64_t files_waiting = 0;  // Worth rewriting.

  // Since the database was opened.
  ReclaimReport total;
  uint64_t rounds = 0;
  bool paused = false;
  absl::Status last_error;  // Of the last round in the background.
};

// Uses of tokens, since the database was opened.
struct TouchStats {
  uint64_t pending = 0;  // Noted and not yet written.
  uint64_t written = 0;
  uint64_t dropped = 0;     // Not worth writing when it came to that.
  absl::Status last_error;  // Of the last attempt to write them.
};

struct DatabaseStats {
  struct Family {
    std::string name;
    uint64_t estimated_entries = 0;
    uint64_t file_bytes = 0;
    uint64_t memory_bytes = 0;
  };
  std::vector<Family> families;
  uint64_t scopes = 0;          // Distinct scopes ever used.
  uint32_t format_version = 0;  // docs/file_format.md
  absl::Time clock;             // The time operations now act on.
  std::string engine;           // The storage engine and its version.
  ReclaimStats reclaim;
  TouchStats touches;
  VerifyStats verify;

  absl::Duration retain_changes;  // Zero: there is no change feed.
  uint64_t changes = 0;           // Its rows, about.
};

// A difference between records and the entries derived from them.
struct CheckProblem {
  enum class Kind : uint8_t {
    kUnreadableRecord,  // Its checksum or structure is wrong.
    kMissingEntry,      // Derived from the record, not there.
    kWrongEntry,        // There with another value.
    kStrayEntry,        // There, derived from no record.
    kUnknownScope,      // A scope id that the dictionary does not have.
    kWrongCounter,      // Not the number of tokens that the records say.
  };
  Kind kind;
  std::string family;  // Column family.
  std::string key;     // In hexadecimal.
  std::string detail;
};

// "unreadable_record", "missing_entry", ...
std::string_view CheckProblemKindName(CheckProblem::Kind kind);

struct CheckReport {
  uint64_t records = 0;
  uint64_t entries = 0;  // Index and digest entries.
  uint64_t problems_found = 0;
  std::vector<CheckProblem> problems;  // The first 1,000.
};

struct RepairReport {
  uint64_t records = 0;
  uint64_t repaired = 0;  // Entries, and records whose scopes got numbers.
  uint64_t counters = 0;
  uint64_t unrepaired_found = 0;
  std::vector<CheckProblem> unrepaired;  // The first 1,000.
};

// Reads the tokens of one query in its order, in bounded memory, however many
// they are, from one snapshot at one time `now`. While a reader lives, space of
// data overwritten since cannot be freed. Must be destroyed before its
// database. Not thread-safe; several readers may be used at once.
class TokenReader {
 public:
  virtual ~TokenReader() = default;

  // Returns the next token, or nothing at the end. DataLoss as List(); after
  // an error every further call returns it again.
  virtual absl::StatusOr<std::optional<Token>> Next() = 0;
};

// A set of tokens in a directory, indexed by digest, owner, scope, expiry and
// creation. One process at a time may have a directory open.
//
// Every change to a token and to all its index entries is atomic, also across
// a crash. Reads of one call see one state of the database at one time `now`.
//
// All methods are thread-safe, and wait only for the disk and for changes to
// the same tokens. They return Internal or DataLoss if the storage below fails
// and ResourceExhausted if the disk is full, besides what is said at each.
class Database {
 public:
  // Opens the database in the directory `path`.
  //
  // Errors: NotFound if there is none and `options` do not ask for a new one;
  // Unavailable if another process has it open; FailedPrecondition if it was
  // written by a newer format than this library knows; InvalidArgument if
  // `path` holds something else.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      std::string_view path, const OpenOptions& options = {});

  // Closes the database, after writing the uses noted by Touch(). No call may
  // be under way and no reader alive.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // --- Changes ---

  // Adds a token and returns its id. Reads no entry if `token.id` is nil and
  // there is no digest, else one for each of the two.
  //
  // Errors: InvalidArgument as Validate(); AlreadyExists if the id is taken, or
  // the digest by a token that has not expired. An expired token's digest
  // passes to the new token: the old one is left without.
  absl::StatusOr<TokenId> Issue(const Token& token,
                                const WriteOptions& options = {});

  // Adds all tokens or none; returns their ids in order. Errors as Issue(),
  // naming the token's position.
  absl::StatusOr<std::vector<TokenId>> IssueBatch(
      absl::Span<const Token> tokens, const WriteOptions& options = {});

  // Applies `patch` and returns the token as it then is. A patch that changes
  // nothing writes nothing and keeps the version. Writes only the index
  // entries that differ.
  //
  // Errors: NotFound; FailedPrecondition if `options.precondition` does not
  // hold or the record was written by a newer version of the library, whose
  // fields would be lost; InvalidArgument and AlreadyExists as Issue().
  absl::StatusOr<Token> Update(const TokenId& id, const TokenPatch& patch,
                               const UpdateOptions& options = {});

  // Revokes a token, which stays readable. The earliest revocation holds: one
  // for the same or a later time changes nothing. Errors as Update().
  absl::StatusOr<Revocation> Revoke(const TokenId& id,
                                    const RevokeOptions& options = {});

  // Revokes the tokens that match `query` when the call begins and are not
  // revoked yet, whatever their state (`query.states`, paging and order are not
  // used); returns how many it revoked. Tokens issued later are left alone, and
  // so are tokens that a concurrent change made no longer match. If `query`
  // asks for the last use, uses noted by then are written first.
  //
  // Works in steps of up to 256 tokens, each atomic; a crash or an error in
  // between leaves the earlier steps done, and calling again goes on. Other
  // writers wait for one step at most. Errors: InvalidArgument if `query` has
  // no condition, else as List().
  absl::StatusOr<uint64_t> RevokeAll(const Query& query,
                                     const RevokeAllOptions& options = {});

  // Removes a token and all its index entries. Errors: NotFound;
  // InvalidArgument for the nil id; FailedPrecondition.
  absl::Status Delete(const TokenId& id, const DeleteOptions& options = {});

  // Removes the tokens that match `query` (here `query.states` counts),
  // otherwise as RevokeAll().
  absl::StatusOr<uint64_t> DeleteAll(const Query& query,
                                     const DeleteAllOptions& options = {});

  // --- Use ---

  // Notes that a token was used at `at` from `ip_address` (empty: unknown).
  // Takes about 100 ns and neither reads nor writes; of several uses of a
  // token the latest is kept. Written in batches, see TouchOptions; reads
  // show a use once it is written: as `last_accessed_at` and `ip_address`, the
  // record itself with its version staying as it is.
  //
  // When it is written, a use is dropped if the token does not exist, is not
  // live (also if it was when it was used), or has a later use. A use in the
  // future counts as one of now. A use changes no expiry and revives nothing.
  //
  // Errors: InvalidArgument for the nil id, an `at` outside of the years 1 to
  // 9999, or an address longer than Limits::kIpAddressBytes; what
  // FlushTouches() returns if `TouchOptions::max_pending` made it flush, and
  // then the use is not noted.
  absl::Status Touch(const TokenId& id, absl::Time at,
                     std::string_view ip_address = {});

  // Writes all uses noted before the call, as Durability::kBuffered. Reads a
  // record and a row for each. What could not be written stays noted.
  absl::Status FlushTouches();

  // --- Single tokens, in whatever state ---

  // Reads one record; once tokens were touched, a row of last use as well.
  // Errors: NotFound; InvalidArgument for the nil id or text that is no UUID;
  // DataLoss if what is read fails its checksum.
  absl::StatusOr<Token> Get(const TokenId& id) const;
  absl::StatusOr<Token> GetByUuid(std::string_view uuid) const;

  // Reads one digest row and one record. With `kind` not empty, NotFound also
  // if the token is of another kind.
  absl::StatusOr<Token> GetByDigest(const Digest& digest,
                                    std::string_view kind = {}) const;

  // Reads many records in one batch from one snapshot; absent for ids that do
  // not exist. Errors: InvalidArgument for a nil id; DataLoss.
  absl::StatusOr<std::vector<std::optional<Token>>> GetMany(
      absl::Span<const TokenId> ids) const;

  // Says what the token of this digest is now. With a verify index (see
  // OpenOptions::verify) answered from memory, without a lock or a write that
  // others could wait for: a complete one reads nothing at all, but of tokens
  // that are not valid yet or whose revocation is scheduled. Otherwise reads
  // the digest's row, which carries all it takes.
  //
  // What was acknowledged before the call is seen by it: a revoked token is not
  // live for anyone from then on. DataLoss if a row fails its checksum.
  absl::StatusOr<Authentication> Authenticate(const Digest& digest) const;

  // The same for many digests at once, which is faster: memory is fetched
  // ahead, and rows are read in one batch. All are judged at one time.
  // InvalidArgument if there are not as many results as digests; DataLoss if a
  // row fails its checksum. After an error the results say nothing.
  absl::Status AuthenticateMany(absl::Span<const Digest> digests,
                                absl::Span<Authentication> results) const;

  // Whether a set of scopes of this database holds `scope`.
  bool Grants(const ScopeSet& scopes, std::string_view scope) const;

  // The scopes of a set, sorted. DataLoss if one has no name.
  absl::StatusOr<std::vector<std::string>> ScopeNames(
      const ScopeSet& scopes) const;

  // Says what the token of this digest is now, whose it is, and the names of
  // its scopes. Reads the digest's row, unless a complete verify index knows
  // that there is none. DataLoss if the row fails its checksum.
  absl::StatusOr<Introspection> Introspect(const Digest& digest) const;

  // Waits until the verify index has been filled, if there is one.
  // DeadlineExceeded if that takes longer; DatabaseStats::verify tells what has
  // become of it.
  absl::Status AwaitVerifyIndex(absl::Duration timeout) const;

  // Whether a token with these times counts as forgotten by now: Issue() would
  // refuse it with OutOfRange. Reads nothing.
  bool IsForgotten(const Token& token) const;

  // --- Queries ---

  // Returns the tokens that match `query`, in `query.order`.
  //
  // Reads at one snapshot; `now` is taken from the clock once. Examines about
  // as many index entries as the rarest condition has matches, and fetches the
  // records of the page, and of those entries that meet every condition the
  // index can decide.
  //
  // Errors: InvalidArgument for an empty owner or scope, too many of them, an
  // inverted time range, a limit out of range, or a continuation that is
  // damaged or of another query; DataLoss if a record fails its checksum or an
  // index entry has no record.
  absl::StatusOr<Page> List(const Query& query) const;

  // As List(), but fetches records only for conditions the index cannot
  // decide: `owners` beside a rarer condition, last_accessed, unused_since,
  // not_notified_within, text, ip_address, residual, and organization and kind,
  // unless their own index is read.
  absl::StatusOr<IdPage> ListIds(const Query& query) const;

  // Counts the tokens that match `query`, fetching as ListIds(). Paging is not
  // used.
  //
  // The live tokens of one owner, of no owner, of one scope, of no scope and of
  // all are not counted one by one: Count() then reads one counter for each
  // hour in which one of them expires, and the entries of the rest of this
  // hour.
  absl::StatusOr<CountResult> Count(const Query& query) const;
  absl::StatusOr<GroupedCount> CountBy(const Query& query,
                                       Grouping grouping) const;

  // Reads all tokens that match `query`; `limit` and the bounds on work are
  // not used, and `continuation` is where to begin.
  absl::StatusOr<std::unique_ptr<TokenReader>> Read(const Query& query) const;

  // Says how List() would answer `query`, reading no entry. Errors as List().
  absl::StatusOr<Explanation> Explain(const Query& query) const;

  // Runs List() once and says what it took.
  absl::StatusOr<Explanation> ExplainAnalyze(const Query& query) const;

  // --- Indexes ---

  // Adds an index to a database that may be full and in use, and returns when
  // queries use it. OK at once if they do already. Goes over all tokens in
  // steps, each of which holds the locks of its tokens and is atomic; reads
  // each record once and writes one entry for each. After Cancelled, an error
  // or a crash the index is maintained but not used, and adding it again goes
  // on from the last step.
  //
  // Errors: Cancelled; DataLoss if a record cannot be read; FailedPrecondition
  // while another call adds or drops this index; InvalidArgument for a step of
  // 0 or more than 256 tokens; ResourceExhausted if it was added 255 times.
  absl::Status AddIndex(OptionalIndex index,
                        const AddIndexOptions& options = {});

  // Drops an index, also a half-built one; OK if there is none. Calls under way
  // go on reading it; later ones answer without it. Reads and deletes no entry:
  // their space is taken back as that of forgotten tokens is. Errors:
  // FailedPrecondition while another call adds or drops this index.
  absl::Status DropIndex(OptionalIndex index);

  // All indexes, also those that were not added. Reads nothing.
  std::vector<IndexInfo> Indexes() const;

  // --- Expiry ---

  // Returns the tokens that expired in from <= t < before and by now, ordered
  // by (expires_at, id): those in state kExpired, as revoked and disabled ones
  // did not end by expiry. What of the window lies in the future is left out:
  // begin the next one at `ExpiredPage::complete_until`, and no token that
  // expires is missed or comes twice, also across restarts.
  //
  // A token whose expiry is changed to a time already read does not come, and
  // one read whose expiry is extended comes again when it ends.
  //
  // Reads about as many index entries as List() for this range. Errors:
  // OutOfRange, naming the earliest time that is remembered, if a token of the
  // window, or of the rest of it after `options.continuation`, may be forgotten
  // (`OpenOptions::retain_expired` and `retain_revoked`, the shorter one);
  // else as List().
  absl::StatusOr<ExpiredPage> ExpiredBetween(
      absl::Time from, absl::Time before,
      const ExpiredOptions& options = {}) const;

  // Returns the live tokens that meet `query`, expire within `within` from now
  // and are not yet marked for that, the first to expire first: List() with
  // `states`, `order`, `direction`, `expires_within` and `not_notified_within`
  // set. Cost and errors as List(); reads the record of each token that expires
  // so soon until the page is full.
  absl::StatusOr<Page> ExpiringSoon(absl::Duration within,
                                    const Query& query = {}) const;

  // Marks tokens as warned of: somebody was told, up to `within` before it,
  // that they expire when they now do. Returns how many were not marked for
  // that before; of several calls at once each token counts in one. Extending a
  // token's expiry ends the mark, and one for a longer time does not stand for
  // a shorter one. Tokens that do not exist or never expire are left out. The
  // records and their versions stay as they are.
  //
  // Works in groups of up to 256 tokens, each atomic; an error leaves the
  // groups before it done. Reads a record and a row for each token. Errors:
  // InvalidArgument for a nil id or a negative `within`.
  absl::StatusOr<uint64_t> MarkNotified(absl::Span<const TokenId> ids,
                                        absl::Duration within,
                                        const WriteOptions& options = {});

  // Returns the next time after now at which a token expires, whatever its
  // state: nothing expires earlier. Absent if nothing does. Reads one index
  // entry.
  absl::StatusOr<std::optional<absl::Time>> NextExpiry() const;

  // --- Change feed ---

  // Returns up to `limit` changes behind `continuation`, in their order; from
  // the oldest that is kept if it is empty. To follow the database, read all
  // tokens once from ChangesFromNow() on, and then call this again and again
  // with the continuation of the page before.
  //
  // The changes of one token come in the order in which they were made, each
  // once. A page has all changes committed behind `continuation` up to its last
  // one; a change shows once it and all that began to be committed before it
  // are done. Changes written with Durability::kBuffered show as well: a loss
  // of power may take them back, together with what they did to the token.
  //
  // Errors: FailedPrecondition if no changes are kept (see
  // OpenOptions::retain_changes), or if this database does not have the change
  // that `continuation` follows, since it was restored from an older copy;
  // OutOfRange, saying how far the feed goes back, if changes behind
  // `continuation` are not kept any more, after which all tokens must be read
  // anew; InvalidArgument if it is damaged or of another database, or `limit`
  // is not in 1..10,000; DataLoss if a row fails its checksum.
  //
  // Reads one row for each change, and one more. Thread-safe; waits for no one.
  absl::StatusOr<ChangePage> Changes(std::string_view continuation = {},
                                     size_t limit = 1000) const;

  // Returns a continuation behind all changes so far; changes being committed
  // at the moment may come behind it. Errors: FailedPrecondition as Changes().
  absl::StatusOr<std::string> ChangesFromNow() const;

  // --- Upkeep ---

  // The time operations now act on: the clock's, but never earlier than any
  // time acted on before in this process, nor, to within a second, in an
  // earlier one that was killed.
  absl::Time Now() const;

  absl::StatusOr<DatabaseStats> Stats() const;

  // Compares every record with its index and digest entries, and every entry
  // with its record, at one snapshot. Reads everything once, and each entry
  // once more. `progress`, if given, is called now and then with the number of
  // records compared. Differences are not errors: they are in the report.
  absl::StatusOr<CheckReport> Check(
      const std::function<void(uint64_t)>& progress = {}) const;

  // Puts right what Check() finds, also while tokens change: records decide,
  // and entries and counters follow. Each entry is looked at again under the
  // locks of its token. Works in steps of up to 256 entries, each atomic and
  // synced; after an error or a crash the same call again goes on. Reads as
  // Check() does, `progress` too.
  //
  // What only a record could tell is left alone and reported: unreadable
  // records and the entries that name them, and a digest that two records
  // have. While a record is unreadable counters are left alone as well.
  absl::StatusOr<RepairReport> Repair(
      const std::function<void(uint64_t)>& progress = {});

  // Makes all earlier writes durable and moves them from memory to files.
  absl::Status Flush();

  // Takes the space of forgotten tokens back now, at full speed: drops and
  // rewrites the files that hold many of them. Reads and writes as much as
  // those files hold, and what they overlap.
  absl::StatusOr<ReclaimReport> Reclaim();

  // Stops and restarts the reclaiming in the background; a file that is being
  // rewritten is completed. Not kept when the database is closed.
  void PauseReclaim();
  void ResumeReclaim();

  // Rewrites all files into their final order. Takes as long as reading and
  // writing everything once.
  absl::Status Compact();

 private:
  class Impl;
  friend class BulkLoader;    // include/tokendb/bulk_load.h.
  friend class DatabasePeer;  // Tests of the library look inside.
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokendb

#endif  // TOKENDB_DB_H_
