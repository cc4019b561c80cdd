#include "src/formats/token_reader.h"

#include "src/formats/fd_stream.h"

namespace tokendb {

absl::Status ReadTokens(FileFormat format, std::istream& in, TokenSink& sink) {
  switch (format) {
    case FileFormat::kCsv:
      ReadCsvTokens(in, sink);
      break;
    case FileFormat::kJsonLines:
      ReadJsonLines(in, sink);
      break;
    case FileFormat::kGraphQl:
      ReadGraphQl(in, sink);
      break;
  }
  // Readers take bytes from the buffer itself, which shows a failure as an end.
  const auto* file = dynamic_cast<const FdStreambuf*>(in.rdbuf());
  if (in.bad() || (file != nullptr && file->failed())) {
    return absl::UnavailableError("cannot read the file");
  }
  return absl::OkStatus();
}

}  // namespace tokendb
