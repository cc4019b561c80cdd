#include "src/query/hit_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "src/base/status_macros.h"
#include "src/base/text.h"
#include "src/index/digest_row.h"
#include "src/index/hot_row.h"
#include "src/index/keys.h"
#include "src/model/record_codec.h"

namespace tokendb {
namespace {

constexpr uint32_t kEntriesPerClock = 256;

std::vector<Cursor> OpenCursors(const ReadView& view,
                                const Conditions& conditions, const Plan& plan,
                                const std::optional<Position>& after) {
  std::vector<Cursor> cursors;
  for (KeyRange& range : RangesOf(plan.chosen, conditions, after)) {
    cursors.push_back(
        view.store.NewCursor(&view.snapshot, Family::kIndex, std::move(range)));
  }
  return cursors;
}

Hit HitOf(Token token) {
  Hit hit{.id = token.id,
          .expires_at = ValidityOf(token).expires_at,
          .created_at = FloorToMillis(token.created_at),
          .decided = true};
  hit.token = std::make_unique<Token>(std::move(token));
  return hit;
}

using HotRows = std::vector<std::optional<HotRow>>;

// Whether tokens need what their hot rows say.
bool NeedsHotRows(const ReadView& view, const Conditions& conditions,
                  Need need) {
  return view.store.MayHold(Family::kHot) &&
         (need == Need::kTokens || conditions.needs_hot_row());
}

// Reads the hot rows and lays their last uses over the tokens.
absl::StatusOr<HotRows> OverlayAll(const ReadView& view,
                                   std::vector<Token>& tokens) {
  std::vector<Token*> pointers;
  pointers.reserve(tokens.size());
  for (Token& token : tokens) pointers.push_back(&token);
  return OverlayHotRows(view.store, &view.snapshot, pointers);
}

const HotRow* RowAt(const HotRows& rows, size_t i) {
  return rows[i].has_value() ? &*rows[i] : nullptr;
}

}  // namespace

Budget::Budget(const Query& query)
    : limited_(IsWorkBounded(query)), left_(query.max_examined) {
  if (query.max_time != absl::InfiniteDuration()) {
    deadline_ = std::chrono::steady_clock::now() +
                absl::ToChronoNanoseconds(query.max_time);
  }
}

// The clock is looked at only after the first entries, so that every call gets
// further.
bool Budget::SpendLimited() {
  if (left_ == 0) return false;
  --left_;
  if (deadline_.has_value() && until_clock_-- == 0) {
    until_clock_ = kEntriesPerClock;
    if (std::chrono::steady_clock::now() >= *deadline_) {
      left_ = 0;
      return false;
    }
  }
  return true;
}

HitStream::HitStream(const ReadView& view, const Conditions& conditions,
                     const Plan& plan, const std::optional<Position>& after,
                     Budget budget, QueryStats& stats)
    : conditions_(conditions),
      stats_(stats),
      budget_(budget),
      decided_(ConditionOf(plan.chosen.driver)),
      order_(OrderOf(plan.chosen.driver)),
      stream_(OpenCursors(view, conditions, plan, after),
              conditions.query().direction) {}

bool HitStream::Next(Hit& hit) {
  if (!status_.ok() || out_of_budget_) return false;
  if (!started_) {
    started_ = true;
    stream_.Start();
    stats_.seeks += stream_.seeks();
  } else if (stream_.Valid()) {
    stream_.Next();
  }
  for (; stream_.Valid(); stream_.Next()) {
    if (!budget_.Spend()) {
      out_of_budget_ = true;
      return false;
    }
    ++stats_.examined;
    const std::string_view key = stream_.key();
    hit.id = IdOf(key);
    hit.expires_at = ExpiryOf(key);
    Match match = Match::kMalformed;
    if (ParseCover(stream_.value(), cover_)) {
      hit.created_at = cover_.created_at;
      if (budget_.IsLimited()) examined_ = hit.PositionIn(order_);
      match = conditions_.TestEntry(hit.expires_at, cover_, decided_);
    }
    if (match == Match::kNo) continue;
    if (match == Match::kMalformed) {
      status_ = absl::DataLossError(
          absl::StrCat("index entry ", Hex(key), " is malformed"));
      return false;
    }
    hit.decided = match == Match::kYes;
    hit.token.reset();
    return true;
  }
  status_ = stream_.status();
  return false;
}

absl::Status FetchRecords(const ReadView& view, const Conditions& conditions,
                          Need need, std::vector<Hit>& hits,
                          QueryStats& stats) {
  std::vector<std::string_view> keys;
  std::vector<size_t> wanted;
  for (size_t i = 0; i < hits.size(); ++i) {
    const bool ask = !hits[i].decided || need == Need::kTokens;
    if (!ask || hits[i].token != nullptr) continue;
    keys.push_back(hits[i].id.bytes());
    wanted.push_back(i);
  }
  if (keys.empty()) return absl::OkStatus();
  ValueBatch values;
  view.store.GetMany(&view.snapshot, Family::kToken, keys, values);
  stats.fetched += keys.size();

  std::vector<Token> tokens;
  tokens.reserve(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    const TokenId& id = hits[wanted[i]].id;
    ASSIGN_OR_RETURN(const auto value, values.Value(i));
    if (!value.has_value()) {
      return absl::DataLossError(
          absl::StrCat("token ", id.ToString(), " has no record"));
    }
    ASSIGN_OR_RETURN(Token token, DecodeRecord(id, *value));
    tokens.push_back(std::move(token));
  }
  HotRows rows(tokens.size());
  const bool overlay = NeedsHotRows(view, conditions, need);
  if (overlay) {
    ASSIGN_OR_RETURN(rows, OverlayAll(view, tokens));
  }
  // A token without its last use is not shown, but read again if it comes to
  // that.
  const bool keep = overlay || !view.store.MayHold(Family::kHot);

  std::vector<bool> remove(hits.size(), false);
  for (size_t i = 0; i < wanted.size(); ++i) {
    Hit& hit = hits[wanted[i]];
    if (conditions.TestRecord(tokens[i], RowAt(rows, i))) {
      hit.decided = true;
      if (keep) hit.token = std::make_unique<Token>(std::move(tokens[i]));
    } else if (hit.decided) {
      return absl::DataLossError(absl::StrCat("an index entry of token ",
                                              hit.id.ToString(),
                                              " contradicts its record"));
    } else {
      remove[wanted[i]] = true;
    }
  }
  size_t kept = 0;
  for (size_t i = 0; i < hits.size(); ++i) {
    if (remove[i]) continue;
    if (kept != i) hits[kept] = std::move(hits[i]);
    ++kept;
  }
  hits.resize(kept);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Hit>> ReadPoints(const ReadView& view,
                                            const Conditions& conditions,
                                            const Plan& plan,
                                            QueryStats& stats) {
  std::vector<TokenId> ids = conditions.query().ids;
  if (plan.chosen.driver == Driver::kDigest) {
    const Digest& digest = *conditions.query().digest;
    PinnedValue value;
    ASSIGN_OR_RETURN(
        const bool found,
        view.store.Get(&view.snapshot, Family::kDigest, digest.bytes(), value));
    ++stats.fetched;
    if (found) {
      ASSIGN_OR_RETURN(const DigestRow row,
                       ParseDigestRow(digest, value.view()));
      ids.push_back(row.id);
    }
  }
  std::vector<std::string_view> keys;
  keys.reserve(ids.size());
  for (const TokenId& id : ids) keys.push_back(id.bytes());
  ValueBatch values;
  view.store.GetMany(&view.snapshot, Family::kToken, keys, values);
  stats.fetched += keys.size();
  std::vector<Token> tokens;
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSIGN_OR_RETURN(const auto value, values.Value(i));
    if (!value.has_value()) continue;
    ASSIGN_OR_RETURN(Token token, DecodeRecord(ids[i], *value));
    tokens.push_back(std::move(token));
  }
  ASSIGN_OR_RETURN(const HotRows rows, OverlayAll(view, tokens));
  std::vector<Hit> hits;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (conditions.TestRecord(tokens[i], RowAt(rows, i))) {
      hits.push_back(HitOf(std::move(tokens[i])));
    }
  }
  return hits;
}

}  // namespace tokendb
