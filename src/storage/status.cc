#include "src/storage/status.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/base/text.h"

namespace tokendb {

absl::Status FromRocksDb(const rocksdb::Status& status,
                         std::string_view action) {
  if (status.ok()) return absl::OkStatus();
  const std::string message =
      absl::StrCat(AbslView(action), ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  if (status.IsNotFound()) return absl::NotFoundError(message);
  if (status.IsInvalidArgument()) return absl::InvalidArgumentError(message);
  return absl::InternalError(message);
}

absl::Status FromErrno(std::string_view action, const std::string& path) {
  const std::string message =
      absl::StrCat(AbslView(action), " ", path, ": ", std::strerror(errno));
  return errno == ENOSPC ? absl::ResourceExhaustedError(message)
                         : absl::InternalError(message);
}

}  // namespace tokendb
