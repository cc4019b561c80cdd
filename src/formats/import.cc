#include "src/formats/import.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/formats/token_reader.h"
#include "src/model/millis.h"
#include "src/model/record_codec.h"

namespace tokendb {
namespace {

// A token of the file with its place among the file's tokens.
struct Row {
  uint64_t number;
  ImportedToken token;
};

bool IsUnexpired(const Token& token, absl::Time now) {
  return !token.expires_at.has_value() || *token.expires_at > now;
}

// What `imported` changes in `current`, as PatchFor(). The database may know of
// a later use than the file, which is of some earlier time: it stays.
absl::StatusOr<TokenPatch> ImportPatch(const ImportedToken& imported,
                                       const Token* current, absl::Time now) {
  ASSIGN_OR_RETURN(TokenPatch patch, PatchFor(imported, current, now));
  if (current == nullptr || !current->last_accessed_at.has_value() ||
      patch.last_accessed_at.IsKeep()) {
    return patch;
  }
  const std::optional<absl::Time>& in_file = patch.last_accessed_at.value();
  if (!in_file.has_value() ||
      FloorToMillis(*in_file) < FloorToMillis(*current->last_accessed_at)) {
    patch.last_accessed_at = {};
    patch.ip_address = {};
  }
  return patch;
}

// Reads the file in batches of rows and hands them on.
class BatchSink : public TokenSink {
 public:
  BatchSink(Database& database, const ImportOptions& options,
            ImportReport& report)
      : database_(database), options_(options), report_(report) {}

  bool OnToken(ImportedToken token) override {
    rows_.push_back({.number = next_number_++, .token = std::move(token)});
    return rows_.size() < options_.batch_tokens || Flush();
  }

  void OnMorePages() override { report_.more_pages = true; }

  // Hands on what is left. False if reading must end; status() says why.
  bool Flush() {
    if (options_.stop != nullptr && options_.stop->load()) {
      status_ = absl::CancelledError("the import was interrupted");
      return false;
    }
    if (rows_.empty()) return true;
    status_ = HandleBatch();
    rows_.clear();
    if (status_.ok() && options_.progress) {
      options_.progress(IsWriting(), next_number_);
    }
    return status_.ok();
  }

  const absl::Status& status() const { return status_; }

 protected:
  virtual absl::Status Handle(const Row& row,
                              const std::optional<Token>& current) = 0;
  virtual absl::Status EndBatch() { return absl::OkStatus(); }
  virtual bool IsWriting() const = 0;

  Database& database_;
  const ImportOptions& options_;
  ImportReport& report_;
  absl::Status status_;

 private:
  absl::Status HandleBatch() {
    std::vector<TokenId> ids;
    ids.reserve(rows_.size());
    for (const Row& row : rows_) ids.push_back(row.token.id);
    ASSIGN_OR_RETURN(const auto current, database_.GetMany(ids));
    for (size_t i = 0; i < rows_.size(); ++i) {
      RETURN_IF_ERROR(Handle(rows_[i], current[i]));
    }
    return EndBatch();
  }

  std::vector<Row> rows_;
  uint64_t next_number_ = 0;
};

// The first pass: writes nothing.
class Validator : public BatchSink {
 public:
  using BatchSink::BatchSink;

  bool OnError(InputError error) override {
    fatal_ = fatal_ || error.fatal;
    Report(std::move(error));
    return !fatal_;
  }

  bool fatal() const { return fatal_; }
  absl::flat_hash_set<uint64_t> TakeBadRows() { return std::move(bad_rows_); }

 protected:
  absl::Status Handle(const Row& row,
                      const std::optional<Token>& current) override {
    ASSIGN_OR_RETURN(const std::string problem, FindProblem(row, current));
    if (problem.empty()) return absl::OkStatus();
    bad_rows_.insert(row.number);
    Report({.position = row.token.position, .message = problem});
    return absl::OkStatus();
  }

  bool IsWriting() const override { return false; }

 private:
  // Errors of a batch's rows come after those of the lines between them, so
  // the list is sorted at the end of the pass; far more than are shown are
  // kept until then, to have the first ones.
  void Report(InputError error) {
    ++report_.bad_lines;
    if (report_.errors.size() < 2 * ImportReport::kMaxErrors) {
      report_.errors.push_back(std::move(error));
    }
  }

  // Returns what is wrong with the row; empty if nothing is. The status says
  // whether that could be found out.
  absl::StatusOr<std::string> FindProblem(const Row& row,
                                          const std::optional<Token>& current) {
    const ImportedToken& imported = row.token;
    const auto [first, is_new] =
        lines_of_ids_.try_emplace(imported.id, imported.position.line);
    if (!is_new) {
      return absl::StrCat("the token ", imported.id.ToString(), " is on line ",
                          first->second, " already");
    }
    const absl::StatusOr<TokenPatch> patch = ImportPatch(
        imported, current.has_value() ? &*current : nullptr, database_.Now());
    if (!patch.ok()) return std::string(patch.status().message());
    Token base;
    base.id = imported.id;
    base.created_at = imported.created_at.value_or(absl::InfinitePast());
    const Token token = Apply(*patch, current.value_or(base));
    if (const absl::Status valid = Validate(token); !valid.ok()) {
      return std::string(valid.message());
    }
    // Only the encoded record shows whether all fields together fit.
    const absl::Status fits = encoder_.Encode(Normalize(token)).status();
    if (!fits.ok()) return std::string(fits.message());
    return FindDigestProblem(imported);
  }

  absl::StatusOr<std::string> FindDigestProblem(const ImportedToken& imported) {
    if (!imported.fields.digest.value().has_value()) return std::string();
    const Digest& digest = *imported.fields.digest.value();
    const auto [first, is_new] =
        lines_of_digests_.try_emplace(digest, imported.position.line);
    if (!is_new) {
      return absl::StrCat("the digest is on line ", first->second, " already");
    }
    const absl::StatusOr<Token> holder = database_.GetByDigest(digest);
    if (absl::IsNotFound(holder.status())) return std::string();
    RETURN_IF_ERROR(holder.status());
    if (holder->id == imported.id || !IsUnexpired(*holder, database_.Now())) {
      return std::string();
    }
    return absl::StrCat("the token ", holder->id.ToString(),
                        " has this digest");
  }

  RecordEncoder encoder_;
  absl::flat_hash_map<TokenId, uint64_t> lines_of_ids_;
  absl::flat_hash_map<Digest, uint64_t> lines_of_digests_;
  absl::flat_hash_set<uint64_t> bad_rows_;
  bool fatal_ = false;
};

// The second pass. Bad lines have been reported by the first.
class Writer : public BatchSink {
 public:
  Writer(Database& database, const ImportOptions& options, ImportReport& report,
         absl::flat_hash_set<uint64_t> bad_rows)
      : BatchSink(database, options, report), bad_rows_(std::move(bad_rows)) {}

  bool OnError(InputError error) override {
    if (options_.skip_bad && !error.fatal) return true;
    status_ = absl::AbortedError("the file changed while it was imported");
    return false;
  }

 protected:
  absl::Status Handle(const Row& row,
                      const std::optional<Token>& current) override {
    if (bad_rows_.contains(row.number)) return absl::OkStatus();
    if (current.has_value()) return Change(row.token, *current);
    ASSIGN_OR_RETURN(Token token, NewToken(row.token, database_.Now()));
    new_tokens_.push_back(std::move(token));
    return absl::OkStatus();
  }

  absl::Status EndBatch() override {
    absl::Status status;
    // Time goes on: a token may be forgotten just before it is issued.
    do {
      report_.forgotten += std::erase_if(new_tokens_, [&](const Token& token) {
        return database_.IsForgotten(token);
      });
      if (new_tokens_.empty()) return absl::OkStatus();
      status =
          database_
              .IssueBatch(new_tokens_, {.durability = Durability::kBuffered})
              .status();
    } while (absl::IsOutOfRange(status));
    RETURN_IF_ERROR(status);
    report_.issued += new_tokens_.size();
    new_tokens_.clear();
    return absl::OkStatus();
  }

  bool IsWriting() const override { return true; }

 private:
  // The patch is made of the token as read, so it must still be that one; if
  // someone else was quicker, it is made anew.
  absl::Status Change(const ImportedToken& imported, Token current) {
    constexpr int kAttempts = 5;
    for (int attempt = 1;; ++attempt) {
      ASSIGN_OR_RETURN(const TokenPatch patch,
                       ImportPatch(imported, &current, database_.Now()));
      if (Normalize(Apply(patch, current)) == current) {
        ++report_.unchanged;
        return absl::OkStatus();
      }
      absl::Status status =
          database_
              .Update(imported.id, patch,
                      {.precondition = {.if_version = current.version},
                       .durability = Durability::kBuffered})
              .status();
      if (status.ok()) ++report_.updated;
      if (!absl::IsFailedPrecondition(status) || attempt == kAttempts) {
        return status;
      }
      ASSIGN_OR_RETURN(current, database_.Get(imported.id));
    }
  }

  const absl::flat_hash_set<uint64_t> bad_rows_;
  std::vector<Token> new_tokens_;
};

// Runs one pass over the file.
absl::Status RunPass(FileFormat format, std::istream& in, BatchSink& sink) {
  const absl::Status read = ReadTokens(format, in, sink);
  // A pass that ended early has nothing more to hand on.
  if (sink.status().ok()) sink.Flush();
  return sink.status().ok() ? read : sink.status();
}

void SortErrors(ImportReport& report) {
  std::stable_sort(report.errors.begin(), report.errors.end(),
                   [](const InputError& a, const InputError& b) {
                     return a.position.line < b.position.line;
                   });
  if (report.errors.size() > ImportReport::kMaxErrors) {
    report.errors.resize(ImportReport::kMaxErrors);
  }
}

}  // namespace

ImportReport ImportTokens(Database& database, FileFormat format,
                          std::istream& in, const ImportOptions& options) {
  ImportReport report;
  in.clear();
  const std::istream::pos_type begin = in.tellg();
  Validator validator(database, options, report);
  report.status = RunPass(format, in, validator);
  SortErrors(report);
  if (!report.status.ok()) return report;
  if (report.bad_lines > 0 && (validator.fatal() || !options.skip_bad)) {
    report.status = absl::InvalidArgumentError(absl::StrCat(
        report.bad_lines, report.bad_lines == 1 ? " bad line" : " bad lines",
        "; nothing was imported"));
    return report;
  }
  report.skipped = report.bad_lines;
  in.clear();
  in.seekg(begin);
  if (!in.good()) {
    report.status = absl::UnavailableError("cannot read the input again");
    return report;
  }
  Writer writer(database, options, report, validator.TakeBadRows());
  report.status = RunPass(format, in, writer);
  return report;
}

}  // namespace tokendb
