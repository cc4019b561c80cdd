#ifndef TOKENDB_BULK_LOAD_H_
#define TOKENDB_BULK_LOAD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tokendb/options.h"
#include "tokendb/token.h"

namespace tokendb {

// How far a bulk load is.
struct BulkLoadProgress {
  enum class Phase : uint8_t {
    kReading,     // Add(): tokens come in.
    kBuilding,    // Finish(): what came in is sorted, and files are made of it.
    kPublishing,  // Finish(): the files become part of the database.
  };
  Phase phase = Phase::kReading;

  // Taken in so far, without those that were forgotten.
  uint64_t tokens = 0;

  // Records, index entries and counters that are in files; and, about, how
  // many there will be.
  uint64_t built_entries = 0;
  uint64_t entries = 0;
};

struct BulkLoadOptions {
  // Memory for sorting, in bytes; what does not fit goes through temporary
  // files. At least 64 KiB are used. What is being written to files comes on
  // top, about 10 MiB, and the texts of all scopes.
  size_t memory_bytes = size_t{512} << 20;

  // Called from Add() after every 4,096 tokens, and from Finish() ten times a
  // second. The loader must not be used in it.
  std::function<void(const BulkLoadProgress&)> progress;

  // Ends the load with Cancelled once it is true. Not owned; must outlive the
  // loader; null: never.
  const std::atomic<bool>* stop = nullptr;

  // How errors name a token, made of the label given to Add(), such as
  // "tokens.csv:17". Null: "token 17".
  std::function<std::string(uint64_t label)> label_text;
};

struct BulkLoadReport {
  uint64_t tokens = 0;

  // Left out, because they expired longer ago than the database keeps tokens.
  uint64_t forgotten = 0;

  uint64_t entries = 0;  // Records, index entries and counters.
  uint64_t files = 0;
  uint64_t bytes = 0;  // In these files.
};

// Puts tokens into a database that has none: any number, in any order, many
// times faster than Database::IssueBatch(). The database is then the same as if
// they had been issued one by one, but for the change feed: it begins anew, and
// whoever follows it is told so (OutOfRange) and must read the tokens.
//
// They are sorted and written to table files directly, past the write-ahead log
// and all compactions, and become visible together when Finish() returns OK.
// After any error, after a kill at any point, and if the loader is destroyed
// before that, the database has no token, as before; only texts of scopes may
// stay in the dictionary. Temporary files are in the directory "bulk" of the
// database, take up to twice the space that the tokens will, and are removed
// with the loader or else when the database is opened next.
//
// A loader has the database open: nobody else can meanwhile.
//
// Not thread-safe. Uses a second thread of its own.
class BulkLoader {
 public:
  // Opens the database in the directory `path`, which `open_options` may ask
  // to be made. Errors as Database::Open(); FailedPrecondition if it holds any
  // token.
  static absl::StatusOr<std::unique_ptr<BulkLoader>> Open(
      std::string_view path, const OpenOptions& open_options = {},
      const BulkLoadOptions& options = {});

  ~BulkLoader();
  BulkLoader(const BulkLoader&) = delete;
  BulkLoader& operator=(const BulkLoader&) = delete;

  // Takes in a token, with the defaults of Database::Issue(). `label` is what
  // later errors call it, such as its line in a file.
  //
  // Errors: InvalidArgument as Issue(): the token is left out, and the load
  // can go on. Any other ends it, and is returned by Finish() again: Cancelled;
  // ResourceExhausted if the disk is full; Internal.
  absl::Status Add(const Token& token, uint64_t label = 0);

  // Puts all tokens into the database, durably. Call it once.
  //
  // Errors: AlreadyExists, naming both tokens, if an id or a digest came twice
  // (also that of an expired token, which Issue() would take away from it);
  // Cancelled; ResourceExhausted; FailedPrecondition if called again. No token
  // is in the database then.
  absl::StatusOr<BulkLoadReport> Finish();

  // The time the database now acts on, as Database::Now().
  absl::Time Now() const;

 private:
  class Impl;
  explicit BulkLoader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokendb

#endif  // TOKENDB_BULK_LOAD_H_
