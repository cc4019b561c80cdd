#include "src/verify/verify_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "src/base/coding.h"
#include "src/base/crc32c.h"
#include "src/base/status_macros.h"
#include "src/index/keys.h"
#include "src/storage/status.h"

namespace tokendb {
namespace {

constexpr std::string_view kMagic = "tokendb verify 1";
constexpr size_t kBlockBytes = size_t{1} << 18;
constexpr size_t kBlockHeaderBytes = 2 * sizeof(uint32_t);
constexpr size_t kMaxBlockBytes = 2 * kBlockBytes;

constexpr size_t kFixedEntryBytes =
    Digest::kSize + TokenId::kSize + sizeof(uint64_t) + sizeof(uint8_t);

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

std::string PathOfUnfinished(const std::string& path) { return path + ".tmp"; }

// The first block: which state of which store this is.
std::string HeaderOf(const StoreState& state) {
  std::string header(kMagic);
  AppendBig64(header, state.sequence);
  header.append(state.identity);
  return header;
}

// A block: its length and checksum, and then its bytes. An empty one ends the
// file.
bool WriteBlock(std::FILE* file, std::string_view block) {
  std::string header;
  AppendBig32(header, static_cast<uint32_t>(block.size()));
  AppendBig32(header, ExtendCrc32c(0, block));
  return std::fwrite(header.data(), 1, header.size(), file) == header.size() &&
         std::fwrite(block.data(), 1, block.size(), file) == block.size();
}

absl::Status ReadBlock(std::FILE* file, std::string& block) {
  std::array<char, kBlockHeaderBytes> header;
  const auto damaged = [] {
    return absl::DataLossError("the kept verify index is damaged");
  };
  if (std::fread(header.data(), 1, header.size(), file) != header.size()) {
    return damaged();
  }
  const uint32_t bytes = LoadBig32(header.data());
  if (bytes > kMaxBlockBytes) return damaged();
  block.resize(bytes);
  if (std::fread(block.data(), 1, bytes, file) != bytes ||
      ExtendCrc32c(0, block) != LoadBig32(&header[sizeof(uint32_t)])) {
    return damaged();
  }
  return absl::OkStatus();
}

void AppendEntry(std::string& block, const Digest& digest,
                 const VerifyEntry& entry, const ScopeNumbers& scopes) {
  block.append(digest.bytes());
  block.append(entry.id.bytes());
  AppendBig64(block, OrderedMillis(entry.expires_at));
  block.push_back(static_cast<char>(VerifyStates::Of(entry)));
  AppendVarint(block, scopes.size());
  for (const uint32_t scope : scopes) AppendVarint(block, scope);
}

std::string_view Take(std::string_view& in, size_t bytes) {
  const std::string_view taken = in.substr(0, bytes);
  in.remove_prefix(bytes);
  return taken;
}

// The block's checksum was right: what does not parse was written wrongly.
absl::Status ParseBlock(std::string_view block, VerifyFile::Add add) {
  ScopeNumbers scopes;
  while (!block.empty()) {
    if (block.size() <= kFixedEntryBytes) {
      return absl::DataLossError("an entry of the verify index is cut off");
    }
    const Digest digest = DigestFromBytes(Take(block, Digest::kSize));
    VerifyEntry entry{.id = IdFromBytes(Take(block, TokenId::kSize))};
    ConsumeMillis(block, entry.expires_at);
    const auto flags = static_cast<uint8_t>(block.front());
    block.remove_prefix(1);
    VerifyStates::Set(flags, entry);
    uint64_t count = 0;
    bool whole = ConsumeVarint(block, count);
    scopes.clear();
    for (; whole && count > 0; --count) {
      uint64_t scope = 0;
      whole = ConsumeVarint(block, scope);
      scopes.push_back(static_cast<uint32_t>(scope));
    }
    if (!whole) {
      return absl::DataLossError("scopes of the verify index are cut off");
    }
    RETURN_IF_ERROR(add(digest, entry, scopes));
  }
  return absl::OkStatus();
}

bool WriteAll(std::FILE* file, const StoreState& state,
              const VerifyTable& table,
              absl::FunctionRef<ScopeNumbers(uint64_t)> scopes_of) {
  bool ok = WriteBlock(file, HeaderOf(state));
  std::string block;
  table.ForEach([&](const Digest& digest, const VerifyEntry& entry) {
    AppendEntry(block, digest, entry, scopes_of(entry.scopes));
    if (block.size() < kBlockBytes) return;
    ok = ok && WriteBlock(file, block);
    block.clear();
  });
  if (!block.empty()) ok = ok && WriteBlock(file, block);
  return ok && WriteBlock(file, "") && std::fflush(file) == 0 &&
         fsync(fileno(file)) == 0;
}

}  // namespace

absl::Status WriteVerifyFile(
    const std::string& path, const StoreState& state, const VerifyTable& table,
    absl::FunctionRef<ScopeNumbers(uint64_t)> scopes_of) {
  const std::string making = PathOfUnfinished(path);
  const int fd = open(making.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);
  if (fd < 0) return FromErrno("cannot create", making);
  const File file(fdopen(fd, "w"), &std::fclose);
  if (WriteAll(file.get(), state, table, scopes_of) &&
      rename(making.c_str(), path.c_str()) == 0) {
    return absl::OkStatus();
  }
  absl::Status status = FromErrno("cannot write", making);
  unlink(making.c_str());
  return status;
}

absl::StatusOr<VerifyFile> VerifyFile::Take(const std::string& path,
                                            const StoreState& state) {
  // One that was being written when the process was killed.
  unlink(PathOfUnfinished(path).c_str());
  VerifyFile taken(std::fopen(path.c_str(), "re"));
  if (taken.file_ == nullptr) {
    return errno == ENOENT ? absl::NotFoundError(absl::StrCat("no ", path))
                           : FromErrno("cannot open", path);
  }
  // Not read twice, whatever happens from now on.
  if (unlink(path.c_str()) != 0) return FromErrno("cannot remove", path);
  std::string header;
  RETURN_IF_ERROR(ReadBlock(taken.file_.get(), header));
  if (header != HeaderOf(state)) {
    return absl::FailedPreconditionError(
        "the kept verify index is of another state of the database");
  }
  return taken;
}

absl::Status VerifyFile::Read(Add add) {
  std::string block;
  while (true) {
    RETURN_IF_ERROR(ReadBlock(file_.get(), block));
    if (block.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(ParseBlock(block, add));
  }
}

}  // namespace tokendb
