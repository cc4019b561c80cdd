// Reading token files in tests.
#ifndef TOKENDB_TESTS_FORMATS_READ_TOKENS_H_
#define TOKENDB_TESTS_FORMATS_READ_TOKENS_H_

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/formats/token_reader.h"

namespace tokendb::testing {

inline std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline std::string DataFile(const std::string& name) {
  return std::string(TOKENDB_TEST_DATA_DIR) + "/" + name;
}

inline std::string ErrorText(const InputError& error) {
  return absl::StrCat(error.position.line, ":", error.position.column, ": ",
                      error.message);
}

class CollectingSink : public TokenSink {
 public:
  bool OnToken(ImportedToken token) override {
    tokens.push_back(std::move(token));
    return true;
  }
  bool OnError(InputError error) override {
    errors.push_back(ErrorText(error));
    fatal = fatal || error.fatal;
    return true;
  }
  void OnMorePages() override { more_pages = true; }

  std::vector<ImportedToken> tokens;
  std::vector<std::string> errors;
  bool fatal = false;
  bool more_pages = false;
};

inline CollectingSink ReadAll(FileFormat format, const std::string& text) {
  std::istringstream in(text);
  CollectingSink sink;
  EXPECT_TRUE(ReadTokens(format, in, sink).ok());
  return sink;
}

}  // namespace tokendb::testing

#endif  // TOKENDB_TESTS_FORMATS_READ_TOKENS_H_
