#include "src/storage/run_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/storage/entry_merge.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Keys = std::vector<std::string>;

class RunFileTest : public ::testing::Test {
 protected:
  // Writes a run of sections of these keys. Values are far larger than the
  // buffer of 64 bytes now and then.
  SortedRun Write(const std::vector<Keys>& sections) {
    auto writer =
        RunWriter::Create(dir_ / absl::StrCat(files_++, ".run"), kBufferBytes);
    EXPECT_THAT(writer, IsOk());
    for (const Keys& keys : sections) {
      for (const std::string& key : keys) {
        const std::string value(key.size() * 37 % 500, 'v');
        EXPECT_THAT((*writer)->Append(LoadEntry{key, value, key.size()}),
                    IsOk());
      }
      EXPECT_THAT((*writer)->EndSection(), IsOk());
    }
    return (*writer)->run();
  }

  std::unique_ptr<EntrySource> Open(const SortedRun& run, size_t section) {
    auto source = RunSource::Open(run, section, kBufferBytes);
    EXPECT_THAT(source, IsOk());
    return *std::move(source);
  }

  static Keys KeysOf(EntrySource& source) {
    Keys keys;
    while (source.Next()) {
      const LoadEntry& entry = source.entry();
      EXPECT_EQ(entry.label, entry.key.size());
      EXPECT_EQ(entry.value.size(), entry.key.size() * 37 % 500);
      keys.emplace_back(entry.key);
    }
    return keys;
  }

  static constexpr size_t kBufferBytes = 64;

 private:
  TempDir dir_;
  int files_ = 0;
};

TEST_F(RunFileTest, EachSectionIsReadAsItWasWritten) {
  const std::string large(1000, 'k');
  const SortedRun run = Write({{"a", "bc", large, "z"}, {}, {"d"}});
  EXPECT_THAT(KeysOf(*Open(run, 0)), ElementsAre("a", "bc", large, "z"));
  EXPECT_THAT(KeysOf(*Open(run, 1)), IsEmpty());
  EXPECT_THAT(KeysOf(*Open(run, 2)), ElementsAre("d"));
  EXPECT_EQ(
      std::filesystem::status(run.path).permissions(),
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(RunFileTest, EveryChangedByteAndEveryTruncationIsFoundOut) {
  const SortedRun run = Write({{"a", "bc", "def"}});
  std::string bytes;
  {
    std::ifstream in(run.path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto write = [&](const std::string& text) {
    std::ofstream(run.path, std::ios::binary) << text;
  };
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x40);
    write(changed);
    const std::unique_ptr<EntrySource> source = Open(run, 0);
    while (source->Next()) {
    }
    EXPECT_THAT(source->status(), StatusIs(absl::StatusCode::kDataLoss)) << i;
    write(bytes.substr(0, i));
    const std::unique_ptr<EntrySource> short_source = Open(run, 0);
    while (short_source->Next()) {
    }
    EXPECT_THAT(short_source->status(), StatusIs(absl::StatusCode::kDataLoss))
        << i;
  }
}

TEST_F(RunFileTest, ManySourcesAreMergedInOrder) {
  Keys all;
  std::vector<std::unique_ptr<EntrySource>> sources;
  for (int run = 0; run < 9; ++run) {
    Keys keys;
    for (int i = run; i < 100; i += run + 1) {
      keys.push_back(absl::StrCat("key ", 1000 + i));
    }
    all.insert(all.end(), keys.begin(), keys.end());
    sources.push_back(Open(Write({keys}), 0));
  }
  sources.push_back(Open(Write({{}}), 0));
  std::sort(all.begin(), all.end());
  MergedSource merged(std::move(sources));
  EXPECT_EQ(KeysOf(merged), all);
  EXPECT_THAT(merged.status(), IsOk());
}

TEST_F(RunFileTest, AMergeEndsAtADamagedSource) {
  const SortedRun damaged = Write({{"a", "b"}});
  std::filesystem::resize_file(damaged.path, 20);
  std::vector<std::unique_ptr<EntrySource>> sources;
  sources.push_back(Open(Write({{"c"}}), 0));
  sources.push_back(Open(damaged, 0));
  MergedSource merged(std::move(sources));
  EXPECT_THAT(KeysOf(merged), IsEmpty());
  EXPECT_THAT(merged.status(), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace tokendb::testing
