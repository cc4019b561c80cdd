// Reading token files.
#ifndef TOKENDB_SRC_FORMATS_TOKEN_READER_H_
#define TOKENDB_SRC_FORMATS_TOKEN_READER_H_

#include <istream>

#include "absl/status/status.h"
#include "src/formats/file_format.h"
#include "src/formats/imported_token.h"
#include "src/formats/position.h"

namespace tokendb {

// What a file is read into, in the file's order. Both functions return false
// to stop reading.
class TokenSink {
 public:
  virtual ~TokenSink() = default;

  // `token` has an id.
  virtual bool OnToken(ImportedToken token) = 0;
  virtual bool OnError(InputError error) = 0;

  // The response says that there are more pages of it.
  virtual void OnMorePages() {}
};

// Reads all tokens of `in`, in memory for one token (of up to 8 MiB of text).
// Errors in the input go to the sink; returns Unavailable if reading fails.
absl::Status ReadTokens(FileFormat format, std::istream& in, TokenSink& sink);

// The three formats. csv_tokens.cc, json_lines.cc and graphql.cc say what each
// takes.
void ReadCsvTokens(std::istream& in, TokenSink& sink);
void ReadJsonLines(std::istream& in, TokenSink& sink);
void ReadGraphQl(std::istream& in, TokenSink& sink);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_TOKEN_READER_H_
