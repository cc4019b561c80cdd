#include "src/formats/bulk_import.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/formats/token_reader.h"

namespace tokendb {
namespace {

class LoadSink : public TokenSink {
 public:
  LoadSink(BulkLoader& loader, const BulkImportOptions& options,
           ImportReport& report)
      : loader_(loader), options_(options), report_(report) {}

  bool OnToken(ImportedToken imported) override {
    const absl::Status status = Add(imported);
    if (absl::IsInvalidArgument(status)) {
      InputError error;
      error.position = imported.position;
      error.message = std::string(status.message());
      return OnError(std::move(error));
    }
    status_ = status;
    report_.issued += status.ok() ? 1 : 0;
    return status.ok();
  }

  bool OnError(InputError error) override {
    fatal_ = fatal_ || error.fatal;
    ++report_.bad_lines;
    if (report_.errors.size() < ImportReport::kMaxErrors) {
      report_.errors.push_back(std::move(error));
    }
    return !fatal_;
  }

  void OnMorePages() override { report_.more_pages = true; }

  // Of the load.
  const absl::Status& status() const { return status_; }
  bool fatal() const { return fatal_; }

 private:
  absl::Status Add(const ImportedToken& imported) {
    const absl::StatusOr<Token> token = NewToken(imported, loader_.Now());
    if (!token.ok()) return token.status();
    return loader_.Add(*token, options_.label(imported.position.line));
  }

  BulkLoader& loader_;
  const BulkImportOptions& options_;
  ImportReport& report_;
  absl::Status status_;
  bool fatal_ = false;
};

}  // namespace

ImportReport AddToBulkLoad(BulkLoader& loader, FileFormat format,
                           std::istream& in, const BulkImportOptions& options) {
  ImportReport report;
  in.clear();
  LoadSink sink(loader, options, report);
  const absl::Status read = ReadTokens(format, in, sink);
  report.status = sink.status().ok() ? read : sink.status();
  if (!report.status.ok()) return report;
  if (report.bad_lines > 0 && (sink.fatal() || !options.skip_bad)) {
    report.status = absl::InvalidArgumentError(absl::StrCat(
        report.bad_lines, report.bad_lines == 1 ? " bad line" : " bad lines",
        "; nothing was imported"));
    return report;
  }
  report.skipped = report.bad_lines;
  return report;
}

}  // namespace tokendb
