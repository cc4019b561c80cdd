#include "src/db/reclaimer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>
#include <vector>

#include "src/base/status_macros.h"
#include "src/index/entry_expiry.h"

namespace tokendb {
namespace {

// A file is worth rewriting from this part on. Since files with a little less
// together could still break the bound below, the worst of those are taken as
// well while the sum is above kMostResident.
constexpr double kWorthwhilePart = 0.25;
constexpr double kLeastPart = 0.05;

// Of live bytes; the promise is 0.3 at the end of a period.
constexpr double kMostResident = 0.2;

constexpr std::array kReclaimed = {Family::kToken, Family::kDigest,
                                   Family::kIndex, Family::kHot, Family::kStat};

bool TooMuchResident(uint64_t forgotten, uint64_t bytes) {
  return static_cast<double>(forgotten) >
         kMostResident * static_cast<double>(bytes - forgotten);
}

}  // namespace

Reclaimer::Reclaimer(Store& store, Retention& retention, MonotoneClock& clock,
                     const ScopeDictionary& scopes, IndexCatalog& indexes,
                     ChangeLog& changes, const ReclaimOptions& options)
    : store_(store),
      retention_(retention),
      clock_(clock),
      scopes_(scopes),
      indexes_(indexes),
      changes_(changes),
      options_(options) {
  if (options_.automatic) {
    thread_.Start(options_.period, [this] { Work(); });
  }
}

void Reclaimer::Pause() {
  const std::lock_guard lock(mutex_);
  paused_ = true;
}

void Reclaimer::Resume() {
  const std::lock_guard lock(mutex_);
  paused_ = false;
}

bool Reclaimer::MayGoOn() const {
  if (thread_.IsStopping()) return false;
  const std::lock_guard lock(mutex_);
  return !paused_;
}

void Reclaimer::Work() {
  if (!MayGoOn()) return;
  const std::lock_guard round(rounds_);
  const absl::Status status = Round(Pace::kLimited).status();
  const std::lock_guard lock(mutex_);
  last_error_ = status;  // Shown by Stats(); the next round tries again.
}

absl::StatusOr<ReclaimReport> Reclaimer::RunOnce() {
  const std::lock_guard round(rounds_);
  return Round(Pace::kFull);
}

absl::StatusOr<ReclaimReport> Reclaimer::Round(Pace pace) {
  // Entries in memory are in no file that could be rewritten. A busy database
  // flushes them itself.
  const bool quiet = store_.LastSequence() == quiet_sequence_;
  if ((quiet || pace == Pace::kFull) && store_.HasUnflushedEntries()) {
    RETURN_IF_ERROR(store_.Flush());
  }
  RETURN_IF_ERROR(retention_.Advance());
  RETURN_IF_ERROR(changes_.Advance());
  const Cutoff cutoff = retention_.kept();
  ReclaimReport report;
  RETURN_IF_ERROR(indexes_.ReclaimRetired());
  RETURN_IF_ERROR(DropIndexFiles(cutoff, report));
  RETURN_IF_ERROR(changes_.DropFiles(report));
  // Files that this round makes are not for this round: what a snapshot still
  // holds is in them again.
  ASSIGN_OR_RETURN(const Resident at_first, Look(cutoff, {}));
  std::set<std::string> eligible = at_first.names;
  while (pace == Pace::kFull || MayGoOn()) {
    ASSIGN_OR_RETURN(const Resident resident, Look(cutoff, eligible));
    if (!resident.best.has_value()) break;
    const auto& [family, file] = *resident.best;
    eligible.erase(file.name);
    const auto start = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(
        const bool rewritten,
        store_.RewriteFile(family, file, store_.LastLevel(family)));
    if (!rewritten) continue;
    ++report.files_rewritten;
    report.bytes_rewritten += file.bytes;
    report.bytes_reclaimed += file.forgotten_bytes();
    if (pace == Pace::kFull || options_.bytes_per_second == 0) continue;
    const absl::Duration due =
        absl::Seconds(static_cast<double>(file.bytes) /
                      static_cast<double>(options_.bytes_per_second));
    const absl::Duration taken =
        absl::FromChrono(std::chrono::steady_clock::now() - start);
    if (due > taken && !thread_.WaitFor(due - taken)) break;
  }
  quiet_sequence_ = store_.LastSequence();
  const std::lock_guard lock(mutex_);
  ++rounds_done_;
  total_.files_dropped += report.files_dropped;
  total_.files_rewritten += report.files_rewritten;
  total_.bytes_rewritten += report.bytes_rewritten;
  total_.bytes_reclaimed += report.bytes_reclaimed;
  return report;
}

absl::Status Reclaimer::DropIndexFiles(const Cutoff& cutoff,
                                       ReclaimReport& report) {
  if (cutoff.Earlier() == kAlways) return absl::OkStatus();
  const auto wholly_forgotten =
      [&]() -> absl::StatusOr<std::vector<Store::File>> {
    ASSIGN_OR_RETURN(std::vector<Store::File> files,
                     store_.Files(Family::kIndex, cutoff));
    std::erase_if(
        files, [](const Store::File& file) { return file.forgotten_part < 1; });
    return files;
  };
  ASSIGN_OR_RETURN(const std::vector<Store::File> before, wholly_forgotten());
  if (before.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(store_.DropFilesWithin(
      Family::kIndex, ForgottenRanges(cutoff, scopes_.size())));
  ASSIGN_OR_RETURN(const std::vector<Store::File> after, wholly_forgotten());
  for (const Store::File& file : before) {
    const bool dropped = std::none_of(
        after.begin(), after.end(),
        [&](const Store::File& left) { return left.name == file.name; });
    if (!dropped) continue;
    ++report.files_dropped;
    report.bytes_reclaimed += file.bytes;
  }
  return absl::OkStatus();
}

absl::StatusOr<Reclaimer::Resident> Reclaimer::Look(
    const Cutoff& cutoff, const std::set<std::string>& eligible) const {
  Resident resident;
  std::vector<Candidate> candidates;
  for (const Family family : kReclaimed) {
    ASSIGN_OR_RETURN(std::vector<Store::File> files,
                     store_.Files(family, cutoff));
    for (Store::File& file : files) {
      resident.names.insert(file.name);
      resident.bytes += file.bytes;
      resident.forgotten += file.forgotten_bytes();
      if (file.forgotten_part >= kLeastPart) {
        candidates.push_back({family, std::move(file)});
      }
    }
  }
  const bool too_much = TooMuchResident(resident.forgotten, resident.bytes);
  for (Candidate& candidate : candidates) {
    const double part = candidate.file.forgotten_part;
    if (part < kWorthwhilePart && !too_much) continue;
    ++resident.waiting;
    if (!eligible.contains(candidate.file.name)) continue;
    if (!resident.best.has_value() ||
        part > resident.best->file.forgotten_part) {
      resident.best = std::move(candidate);
    }
  }
  return resident;
}

absl::StatusOr<ReclaimStats> Reclaimer::Stats() const {
  const Cutoff cutoff = retention_.At(clock_.Now());
  ASSIGN_OR_RETURN(const Resident resident, Look(cutoff, {}));
  ReclaimStats stats{.retain_expired = retention_.retain_expired(),
                     .retain_revoked = retention_.retain_revoked(),
                     .forgotten_bytes = resident.forgotten,
                     .live_bytes = resident.bytes - resident.forgotten,
                     .files_waiting = resident.waiting};
  const std::lock_guard lock(mutex_);
  stats.total = total_;
  stats.rounds = rounds_done_;
  stats.paused = paused_;
  stats.last_error = last_error_;
  return stats;
}

}  // namespace tokendb
