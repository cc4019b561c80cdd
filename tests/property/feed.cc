#include "tests/property/feed.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tokendb::testing {
namespace {

constexpr size_t kFollowers = 4;

std::string Text(const TokenChange& change) {
  return absl::StrCat(
      std::string(TokenChangeKindName(change.kind)), " ", change.id.ToString(),
      " v", change.version, " at ", absl::FormatTime(change.at),
      change.revoked_at ? " from " + absl::FormatTime(*change.revoked_at) : "");
}

}  // namespace

void Feed::SetRetention(absl::Duration retain) {
  const bool begins =
      retain_ == absl::ZeroDuration() && retain != absl::ZeroDuration();
  retain_ = retain;
  if (!begins) return;
  ++feed_;
  changes_.clear();
  total_ = 0;
}

void Feed::Record(const std::vector<TokenChange>& changes) {
  if (retain_ == absl::ZeroDuration()) return;
  for (const TokenChange& change : changes) {
    changes_[change.id].push_back({change});
    ++total_;
  }
}

void Feed::Forget(absl::Time now) {
  if (retain_ == absl::ZeroDuration()) return;
  for (auto& [id, changes] : changes_) {
    for (Recorded& recorded : changes) {
      recorded.gone |= recorded.change.at <= now - retain_;
    }
  }
}

Feed::Follower Feed::Begin(const Database& db, bool from_now,
                           std::string& difference) {
  Follower follower{.feed = feed_};
  for (const auto& [id, changes] : changes_) {
    for (const Recorded& recorded : changes) {
      if (!from_now && !recorded.gone) continue;
      ++follower.read[id];
      ++follower.total;
    }
  }
  if (!from_now) return follower;
  const auto continuation = db.ChangesFromNow();
  if (continuation.ok()) {
    follower.continuation = *continuation;
  } else {
    difference = "from now: " + continuation.status().ToString();
  }
  return follower;
}

bool Feed::HasMissed(const Follower& follower) const {
  if (follower.feed != feed_) return true;
  for (const auto& [id, changes] : changes_) {
    const auto it = follower.read.find(id);
    const size_t read = it == follower.read.end() ? 0 : it->second;
    if (read < changes.size() && changes[read].gone) return true;
  }
  return false;
}

std::string Feed::Deliver(const ChangePage& page, Follower& follower) const {
  for (const TokenChange& change : page.changes) {
    const auto it = changes_.find(change.id);
    size_t& read = follower.read[change.id];
    if (it == changes_.end() || read == it->second.size()) {
      return "a change that was not made: " + Text(change);
    }
    const TokenChange& expected = it->second[read].change;
    if (change != expected) {
      return absl::StrCat("the change ", Text(change), " instead of ",
                          Text(expected));
    }
    ++read;
    ++follower.total;
  }
  if (page.caught_up != (follower.total == total_)) {
    return absl::StrCat(follower.total, " of ", total_,
                        " changes, caught up: ", page.caught_up);
  }
  follower.continuation = page.continuation;
  return "";
}

std::string Feed::FollowOn(const Database& db, Generator& generator) {
  if (retain_ == absl::ZeroDuration()) {
    const absl::Status status = db.Changes().status();
    return absl::IsFailedPrecondition(status)
               ? ""
               : "a feed that is off: " + status.ToString();
  }
  std::string difference;
  if (followers_.size() < kFollowers) {
    followers_.push_back(Begin(db, generator.OneIn(2), difference));
    if (!difference.empty()) return difference;
  }
  const size_t index = generator.Below(followers_.size());
  Follower& follower = followers_[index];
  const size_t limit = 1 + generator.Below(generator.OneIn(2) ? 5 : 500);
  const bool missed = !follower.continuation.empty() && HasMissed(follower);
  if (follower.continuation.empty()) {
    // It begins wherever the feed begins by now.
    follower = Begin(db, false, difference);
  }
  const auto page = db.Changes(follower.continuation, limit);
  if (missed) {
    followers_.erase(followers_.begin() + static_cast<std::ptrdiff_t>(index));
    return absl::IsOutOfRange(page.status())
               ? ""
               : "changes that are gone: " + page.status().ToString();
  }
  if (!page.ok()) return "changes: " + page.status().ToString();
  if (page->changes.size() > limit) return "more changes than asked for";
  difference = Deliver(*page, follower);
  if (page->caught_up && generator.OneIn(4)) {
    followers_.erase(followers_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  return difference;
}

}  // namespace tokendb::testing
