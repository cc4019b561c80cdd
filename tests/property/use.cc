#include "tests/property/use.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tokendb::testing {
namespace {

std::string Touch(Database& db, Model& model, Generator& generator,
                  const std::vector<TokenId>& ids, std::string& log) {
  const absl::Time at = generator.MakeTime(model.now());
  for (const TokenId& id : ids) {
    const std::string ip =
        generator.OneIn(3) ? "" : absl::StrCat("192.0.2.", generator.Below(3));
    const absl::Status status = db.Touch(id, at, ip);
    if (!status.ok()) return "Touch: " + status.ToString();
    model.Touch(id, at, ip);
    absl::StrAppend(&log, "touch ", id.ToString(), " at ", absl::FormatTime(at),
                    " ");
  }
  return "";
}

std::string FlushTouches(Database& db, Model& model, std::string& log) {
  log += "flush touches";
  const absl::Status status = db.FlushTouches();
  if (!status.ok()) return "FlushTouches: " + status.ToString();
  const auto stats = db.Stats();
  if (!stats.ok()) return "Stats: " + stats.status().ToString();
  if (stats->touches.pending != 0) return "touches are left over";
  model.FlushTouches();
  return "";
}

std::string Mark(Database& db, Model& model, Generator& generator,
                 const std::vector<TokenId>& ids, std::string& log) {
  const absl::Duration within = generator.MakeSpan();
  absl::StrAppend(&log, "mark ", ids.size(), " for ",
                  absl::FormatDuration(within));
  for (const TokenId& id : ids) absl::StrAppend(&log, " ", id.ToString());
  const auto marked =
      db.MarkNotified(ids, within, {.durability = Durability::kBuffered});
  if (!marked.ok()) return "MarkNotified: " + marked.status().ToString();
  const uint64_t expected = model.MarkNotified(ids, within);
  if (*marked == expected) return "";
  return absl::StrCat("MarkNotified: ", *marked, ", the model ", expected);
}

// All pages of a window; absent, with the difference, on one.
std::optional<std::vector<Token>> ReadWindow(const Database& db,
                                             absl::Time from, absl::Time before,
                                             ExpiredOptions options,
                                             absl::Time complete_until,
                                             std::string& difference) {
  std::vector<Token> tokens;
  do {
    const auto page = db.ExpiredBetween(from, before, options);
    if (!page.ok()) {
      difference = "ExpiredBetween: " + page.status().ToString();
      return std::nullopt;
    }
    tokens.insert(tokens.end(), page->tokens.begin(), page->tokens.end());
    options.continuation = page->continuation;
    if (options.continuation.empty() &&
        page->complete_until != complete_until) {
      difference = absl::StrCat("ExpiredBetween: complete until ",
                                absl::FormatTime(page->complete_until));
      return std::nullopt;
    }
  } while (!options.continuation.empty());
  return tokens;
}

std::string CompareNextExpiry(const Database& db, const Model& model) {
  std::optional<absl::Time> expected;
  for (const auto& [id, token] : model.tokens()) {
    if (!token.expires_at || *token.expires_at <= model.now()) continue;
    expected =
        std::min(expected.value_or(*token.expires_at), *token.expires_at);
  }
  const auto next = db.NextExpiry();
  if (!next.ok()) return "NextExpiry: " + next.status().ToString();
  return *next == expected ? "" : "NextExpiry differs";
}

}  // namespace

std::string UseSome(Database& db, Model& model, Generator& generator,
                    const std::vector<TokenId>& ids, std::string& log) {
  switch (generator.Below(5)) {
    case 0:
      return FlushTouches(db, model, log);
    case 1:
      return Mark(db, model, generator, ids, log);
    default:
      return Touch(db, model, generator, ids, log);
  }
}

std::string CompareExpired(const Database& db, const Model& model,
                           Generator& generator) {
  std::string difference = CompareNextExpiry(db, model);
  if (!difference.empty()) return difference;
  absl::Time from = generator.OneIn(8) ? absl::InfinitePast()
                                       : generator.MakeTime(model.now());
  absl::Time before = generator.OneIn(3) ? absl::InfiniteFuture()
                                         : generator.MakeTime(model.now());
  if (before < from) std::swap(from, before);
  ExpiredOptions options = {.limit = 1 + generator.Below(4)};
  if (generator.OneIn(3)) options.owners = {"a", "ab", "user:42"};
  if (model.MayHaveForgotten(from, before)) {
    const auto page = db.ExpiredBetween(from, before, options);
    return absl::IsOutOfRange(page.status())
               ? ""
               : "ExpiredBetween: " + page.status().ToString() +
                     ", the model may have forgotten some";
  }
  const auto actual = ReadWindow(db, from, before, options,
                                 model.CompleteUntil(from, before), difference);
  if (!actual.has_value()) {
    return absl::StrCat(difference, " of ", absl::FormatTime(from), " .. ",
                        absl::FormatTime(before));
  }
  const std::vector<Token> expected =
      model.Select({.owners = options.owners,
                    .expires = {.from = from, .before = before},
                    .states = TokenState::kExpired});
  return *actual == expected
             ? ""
             : absl::StrCat("ExpiredBetween ", absl::FormatTime(from), " .. ",
                            absl::FormatTime(before), ": ", actual->size(),
                            " tokens, the model ", expected.size());
}

}  // namespace tokendb::testing
