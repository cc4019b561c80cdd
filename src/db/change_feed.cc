#include "src/db/change_feed.h"

#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/crc32c.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/index/change_row.h"

namespace tokendb {
namespace {

constexpr char kVersion = 1;
constexpr size_t kIdBytes = 8;
constexpr size_t kMarkBytes = sizeof(uint32_t);
constexpr size_t kBodyBytes = 1 + kIdBytes + sizeof(uint64_t) + kMarkBytes;
constexpr size_t kMaxPage = 10000;

// Behind which change to go on.
struct Position {
  uint64_t number = 0;
  std::string mark = std::string(kMarkBytes, '\0');
};

// Of the row that `cursor` is at.
absl::StatusOr<Position> PositionOf(const Cursor& cursor) {
  ASSIGN_OR_RETURN(const uint64_t number, ParseChangeKey(cursor.key()));
  return Position{number, std::string(cursor.value().substr(0, kMarkBytes))};
}

std::string EncodePosition(const ChangeLog& log, const Position& position) {
  std::string bytes(1, kVersion);
  bytes += log.id();
  AppendBig64(bytes, position.number);
  bytes += position.mark;
  AppendBig32(bytes, ExtendCrc32c(0, bytes));
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<Position> ReadPosition(const ChangeLog& log,
                                      std::string_view continuation) {
  std::string bytes;
  // One position has one text.
  if (!absl::WebSafeBase64Unescape(AbslView(continuation), &bytes) ||
      bytes.size() != kBodyBytes + sizeof(uint32_t) ||
      bytes.front() != kVersion ||
      absl::WebSafeBase64Escape(bytes) != AbslView(continuation)) {
    return absl::InvalidArgumentError("the continuation is damaged");
  }
  const std::string_view body(bytes.data(), kBodyBytes);
  if (LoadBig32(&bytes[kBodyBytes]) != ExtendCrc32c(0, body)) {
    return absl::InvalidArgumentError("the continuation is damaged");
  }
  if (body.substr(1, kIdBytes) != log.id()) {
    return absl::InvalidArgumentError(
        "the continuation is of another database's changes");
  }
  return Position{LoadBig64(&body[1 + kIdBytes]),
                  std::string(body.substr(kBodyBytes - kMarkBytes))};
}

absl::Status CheckIsOn(const ChangeLog& log) {
  if (log.is_on()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this database keeps no changes: set retain_changes");
}

// Says since when the feed goes back. `cursor` is moved.
absl::Status PositionIsGone(Cursor& cursor, uint64_t floor) {
  cursor.Seek(ChangeKey(floor + 1));
  RETURN_IF_ERROR(cursor.status());
  if (!cursor.Valid()) {
    return absl::OutOfRangeError(
        "changes behind the continuation are not kept any more, and none has "
        "been made since; read all tokens anew");
  }
  ASSIGN_OR_RETURN(const TokenChange oldest,
                   ParseChangeRow(cursor.key(), cursor.value()));
  return absl::OutOfRangeError(absl::StrCat(
      "changes behind the continuation are not kept any more: the feed goes "
      "back to ",
      absl::FormatTime(oldest.at, absl::UTCTimeZone()),
      "; read all tokens anew"));
}

// Moves `cursor` to the first row behind `position`, whose own must be there.
absl::Status GoBehind(Cursor& cursor, const Position& position) {
  const std::string key = ChangeKey(position.number);
  cursor.Seek(key);
  RETURN_IF_ERROR(cursor.status());
  if (cursor.Valid() && cursor.key() == key &&
      cursor.value().substr(0, kMarkBytes) == position.mark) {
    cursor.Next();
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "this database does not have the change that the continuation follows: "
      "it was restored from an older copy, or lost unsynced changes with the "
      "power; read all tokens anew");
}

}  // namespace

// The order matters. The end is taken before the cursor is opened, so that the
// cursor has all rows before it; and the floor after, so that the cursor has
// all rows behind it.
absl::StatusOr<ChangePage> ReadChanges(const Store& store, const ChangeLog& log,
                                       std::string_view continuation,
                                       size_t limit) {
  RETURN_IF_ERROR(CheckIsOn(log));
  if (limit == 0 || limit > kMaxPage) {
    return absl::InvalidArgumentError(
        absl::StrCat("limit: ", limit, " is not in 1..", kMaxPage));
  }
  const ChangeLog::End end = log.end();
  Cursor cursor =
      store.NewCursor(nullptr, Family::kChange, {"", ChangeKey(end.before)});
  const uint64_t floor = log.floor();
  Position position{.number = floor};
  if (!continuation.empty()) {
    ASSIGN_OR_RETURN(position, ReadPosition(log, continuation));
  }
  if (position.number < floor) return PositionIsGone(cursor, floor);
  if (position.number == floor) {
    cursor.Seek(ChangeKey(floor + 1));  // The floor's own row may be gone.
  } else {
    RETURN_IF_ERROR(GoBehind(cursor, position));
  }
  ChangePage page;
  for (; cursor.Valid() && page.changes.size() < limit; cursor.Next()) {
    ASSIGN_OR_RETURN(const TokenChange change,
                     ParseChangeRow(cursor.key(), cursor.value()));
    ASSIGN_OR_RETURN(position, PositionOf(cursor));
    page.changes.push_back(change);
  }
  RETURN_IF_ERROR(cursor.status());
  page.continuation = EncodePosition(log, position);
  page.caught_up = !cursor.Valid() && !end.failed;
  if (end.failed && page.changes.empty() && !cursor.Valid()) {
    return absl::InternalError(
        "a change failed to be written, and may be there or not once the "
        "database is opened again; until then the feed ends here");
  }
  return page;
}

absl::StatusOr<std::string> EndOfChanges(const Store& store,
                                         const ChangeLog& log) {
  RETURN_IF_ERROR(CheckIsOn(log));
  Cursor cursor = store.NewCursor(nullptr, Family::kChange,
                                  {"", ChangeKey(log.end().before)});
  Position position{.number = log.floor()};
  cursor.SeekToLast();
  RETURN_IF_ERROR(cursor.status());
  if (cursor.Valid()) {
    ASSIGN_OR_RETURN(Position last, PositionOf(cursor));
    if (last.number > position.number) position = std::move(last);
  }
  return EncodePosition(log, position);
}

}  // namespace tokendb
