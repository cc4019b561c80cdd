#include "src/storage/store_loader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/status_macros.h"
#include "src/storage/add_operator.h"
#include "src/storage/entry_merge.h"

namespace tokendb {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr size_t kMinMemoryBytes = size_t{64} << 10;

// More runs than this are merged into fewer first.
constexpr size_t kMaxRuns = 64;
constexpr size_t kMaxFileBufferBytes = size_t{1} << 20;
constexpr size_t kMaxChunkBytes = size_t{1} << 20;

constexpr size_t kBuilders = 2;
constexpr std::chrono::milliseconds kProgressPeriod(100);
constexpr uint64_t kEntriesPerStopCheck = 1024;

size_t Memory(const StoreLoader::Options& options) {
  return std::max(options.memory_bytes, kMinMemoryBytes);
}

std::unique_ptr<EntryBuffer> MakeBuffer(size_t sections, size_t bytes) {
  return std::make_unique<EntryBuffer>(sections,
                                       std::min(bytes / 8, kMaxChunkBytes));
}

}  // namespace

// While entries come in, two buffers have half of the memory each. While they
// are merged, one does, and the buffers of files the other half: kMaxRuns for
// each builder.
StoreLoader::StoreLoader(Store& store, Options options)
    : store_(store),
      options_(std::move(options)),
      buffer_bytes_(Memory(options_) / 2),
      file_buffer_bytes_(std::min(Memory(options_) / (2 * kBuilders * kMaxRuns),
                                  kMaxFileBufferBytes)),
      filling_(MakeBuffer(options_.sections.size(), buffer_bytes_)) {}

StoreLoader::~StoreLoader() {
  if (spill_.valid()) spill_.wait();
  writers_.clear();
  // What cannot be removed is when the database is opened next.
  store_.RemoveLoadDirectory().IgnoreError();
}

absl::StatusOr<std::unique_ptr<StoreLoader>> StoreLoader::Create(
    Store& store, Options options) {
  RETURN_IF_ERROR(store.RemoveLoadDirectory());
  const std::string directory = store.LoadDirectory();
  if (mkdir(directory.c_str(), kDirectoryMode) != 0) {
    return FromErrno("cannot create", directory);
  }
  return std::unique_ptr<StoreLoader>(
      new StoreLoader(store, std::move(options)));
}

absl::Status StoreLoader::CheckStop() const {
  return options_.stop != nullptr && options_.stop->load()
             ? absl::CancelledError("the load was interrupted")
             : absl::OkStatus();
}

// --- Runs ---

absl::Status StoreLoader::Add(size_t section, const LoadEntry& entry) {
  filling_->Add(section, entry);
  return filling_->bytes() < buffer_bytes_ ? absl::OkStatus() : Spill();
}

std::string StoreLoader::NextRunPath() {
  return absl::StrCat(store_.LoadDirectory(), "/", runs_named_++, ".run");
}

absl::Status StoreLoader::Spill() {
  RETURN_IF_ERROR(CheckStop());
  RETURN_IF_ERROR(AwaitSpill());
  if (spilling_ == nullptr) {
    spilling_ = MakeBuffer(options_.sections.size(), buffer_bytes_);
  }
  std::swap(filling_, spilling_);
  spill_ = std::async(std::launch::async,
                      [this, buffer = spilling_.get(), path = NextRunPath()] {
                        return WriteRun(*buffer, path);
                      });
  return absl::OkStatus();
}

absl::Status StoreLoader::AwaitSpill() {
  if (!spill_.valid()) return absl::OkStatus();
  ASSIGN_OR_RETURN(SortedRun run, spill_.get());
  runs_.push_back(std::move(run));
  spilling_->Clear();
  return absl::OkStatus();
}

absl::StatusOr<SortedRun> StoreLoader::WriteRun(EntryBuffer& buffer,
                                                const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RunWriter> writer,
                   RunWriter::Create(path, file_buffer_bytes_));
  for (size_t section = 0; section < buffer.sections(); ++section) {
    buffer.Sort(section);
    for (size_t i = 0; i < buffer.size(section); ++i) {
      RETURN_IF_ERROR(writer->Append(buffer.EncodedAt(section, i)));
    }
    RETURN_IF_ERROR(writer->EndSection());
  }
  return writer->run();
}

absl::StatusOr<std::unique_ptr<EntrySource>> StoreLoader::SourceOf(
    size_t section, absl::Span<const SortedRun> runs,
    const EntryBuffer* buffer) {
  std::vector<std::unique_ptr<EntrySource>> sources;
  for (const SortedRun& run : runs) {
    ASSIGN_OR_RETURN(std::unique_ptr<EntrySource> source,
                     RunSource::Open(run, section, file_buffer_bytes_));
    sources.push_back(std::move(source));
  }
  if (buffer != nullptr) {
    sources.push_back(std::make_unique<BufferSource>(*buffer, section));
  }
  return std::make_unique<MergedSource>(std::move(sources));
}

absl::Status StoreLoader::MergeRuns() {
  while (runs_.size() > kMaxRuns) {
    const absl::Span<const SortedRun> merged(runs_.data(), kMaxRuns);
    ASSIGN_OR_RETURN(const std::unique_ptr<RunWriter> writer,
                     RunWriter::Create(NextRunPath(), file_buffer_bytes_));
    for (size_t section = 0; section < options_.sections.size(); ++section) {
      ASSIGN_OR_RETURN(const std::unique_ptr<EntrySource> source,
                       SourceOf(section, merged, nullptr));
      for (uint64_t i = 0; source->Next(); ++i) {
        if (i % kEntriesPerStopCheck == 0) RETURN_IF_ERROR(CheckStop());
        RETURN_IF_ERROR(writer->Append(source->entry()));
      }
      RETURN_IF_ERROR(source->status());
      RETURN_IF_ERROR(writer->EndSection());
    }
    // Space that is kept by mistake is freed with the directory.
    for (const SortedRun& run : merged) unlink(run.path.c_str());
    runs_.erase(runs_.begin(), runs_.begin() + kMaxRuns);
    runs_.push_back(writer->run());
  }
  return absl::OkStatus();
}

// --- Files ---

// The numbers of a key of the stat family are added up, which in others comes
// once.
absl::Status StoreLoader::Copy(EntrySource& source, TableWriter& writer) {
  const bool is_sum = writer.family() == Family::kStat;
  std::string key;
  int64_t sum = 0;
  uint64_t label = 0;
  bool first = true;
  for (uint64_t i = 0; source.Next(); ++i) {
    if (i % kEntriesPerStopCheck == 0) {
      RETURN_IF_ERROR(CheckStop());
      if (failed_) return absl::CancelledError("another section failed");
    }
    const LoadEntry& entry = source.entry();
    const bool same = !first && entry.key == key;
    if (same && !is_sum) {
      return options_.duplicate(writer.family(), key, label, entry.label);
    }
    if (is_sum) {
      if (!first && !same) RETURN_IF_ERROR(writer.Put(key, EncodeCount(sum)));
      sum = (same ? sum : 0) + DecodeCount(entry.value).value_or(0);
    } else {
      RETURN_IF_ERROR(writer.Put(entry.key, entry.value));
    }
    if (!same) {
      key.assign(entry.key);
      ++entries_;
    }
    label = entry.label;
    first = false;
  }
  RETURN_IF_ERROR(source.status());
  if (is_sum && !first) RETURN_IF_ERROR(writer.Put(key, EncodeCount(sum)));
  return writer.Finish();
}

absl::Status StoreLoader::Build(size_t section) {
  filling_->Sort(section);
  ASSIGN_OR_RETURN(const std::unique_ptr<EntrySource> source,
                   SourceOf(section, runs_, filling_.get()));
  return Copy(*source, *writers_[section]);
}

void StoreLoader::BuildSome() {
  for (size_t i = 0; (i = next_in_order_++) < order_.size();) {
    absl::Status& status = built_[order_[i]];
    status = Build(order_[i]);
    if (!status.ok()) failed_ = true;
  }
}

absl::Status StoreLoader::BuildAll(absl::FunctionRef<void(uint64_t)> progress) {
  const size_t sections = options_.sections.size();
  std::vector<uint64_t> sizes(sections);
  for (size_t section = 0; section < sections; ++section) {
    writers_.push_back(std::make_unique<TableWriter>(
        store_, options_.sections[section],
        absl::StrCat(store_.LoadDirectory(), "/", section, "-")));
    sizes[section] = filling_->size(section);
    for (const SortedRun& run : runs_) {
      sizes[section] += run.sections[section].end - run.sections[section].begin;
    }
  }
  built_.resize(sections);
  order_.resize(sections);
  std::iota(order_.begin(), order_.end(), size_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::vector<std::future<void>> builders;
  for (size_t i = 0; i < kBuilders; ++i) {
    builders.push_back(std::async(std::launch::async, [this] { BuildSome(); }));
  }
  for (const std::future<void>& builder : builders) {
    while (builder.wait_for(kProgressPeriod) == std::future_status::timeout) {
      progress(entries_);
    }
  }
  progress(entries_);
  // What failed first made others give up.
  absl::Status result;
  for (const absl::Status& status : built_) {
    if (!status.ok() && (result.ok() || absl::IsCancelled(result))) {
      result = status;
    }
  }
  return result;
}

absl::StatusOr<StoreLoader::Result> StoreLoader::Finish(
    absl::FunctionRef<void(uint64_t)> progress,
    absl::FunctionRef<void()> publish_begins) {
  RETURN_IF_ERROR(AwaitSpill());
  spilling_.reset();
  RETURN_IF_ERROR(MergeRuns());
  RETURN_IF_ERROR(BuildAll(progress));
  RETURN_IF_ERROR(CheckStop());
  Result result{.entries = entries_};
  std::vector<Store::Tables> tables;
  for (const auto& writer : writers_) {
    result.files += writer->files().size();
    result.bytes += writer->bytes();
    tables.push_back({writer->family(), writer->files()});
  }
  publish_begins();
  RETURN_IF_ERROR(store_.AddTables(tables));
  return result;
}

}  // namespace tokendb
