#include "src/formats/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <sstream>

#include "absl/strings/str_cat.h"

namespace tokendb::testing {
namespace {

using ::testing::ElementsAre;

// Each record as its fields between bars, a bad one as line:column: message.
std::vector<std::string> Read(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in);
  std::vector<std::string> records;
  std::vector<CsvField> fields;
  InputError error;
  while (true) {
    const CsvReader::Result result = reader.Next(fields, error);
    if (result == CsvReader::Result::kEnd) return records;
    std::string record = "|";
    if (result == CsvReader::Result::kBad) {
      record = absl::StrCat(error.position.line, ":", error.position.column,
                            ": ", error.message);
    } else {
      for (const CsvField& field : fields) record += field.text + "|";
    }
    records.push_back(record);
  }
}

TEST(CsvTest, ReadsQuotesLineEndsAndABom) {
  EXPECT_THAT(Read(""), ElementsAre());
  EXPECT_THAT(Read("a,b"), ElementsAre("|a|b|"));
  EXPECT_THAT(Read("a,b\r\n\r\n\nc,\r\n"), ElementsAre("|a|b|", "|c||"));
  EXPECT_THAT(Read("\xEF\xBB\xBF\"a\",b\n"), ElementsAre("|a|b|"));
  EXPECT_THAT(Read("\"a,\"\"b\"\"\r\nc\",\"\"\n"),
              ElementsAre("|a,\"b\"\r\nc||"));
  EXPECT_THAT(Read("\"\"\n"), ElementsAre("||"));
  EXPECT_THAT(Read(",\n"), ElementsAre("|||"));
  EXPECT_THAT(Read("a\r"), ElementsAre("|a|"));
}

TEST(CsvTest, SaysWhereARecordIsBadAndReadsOn) {
  EXPECT_THAT(Read("a,\"b\nc\n"),
              ElementsAre("1:3: the quote is never closed"));
  EXPECT_THAT(
      Read("a,b\"c\nd,e\n"),
      ElementsAre(::testing::StartsWith("1:4: a quote inside"), "|d|e|"));
  EXPECT_THAT(Read("\"x\ny\"z,\n1\n"),
              ElementsAre(::testing::StartsWith("2:3: text after"), "|1|"));
  EXPECT_THAT(Read("a\rb\nc\n"),
              ElementsAre("1:2: a carriage return without a line feed", "|c|"));
  EXPECT_THAT(Read(std::string("a\0b\n", 4)),
              ElementsAre("1:2: a NUL byte: is the file UTF-16?"));
}

TEST(CsvTest, ColumnsCountCharacters) {
  EXPECT_THAT(Read("\xC3\xA9\xC3\xA9,b\"\n"),
              ElementsAre(::testing::StartsWith("1:5: ")));
}

TEST(CsvTest, ARecordThatIsTooLargeIsBadAndNotKept) {
  const std::string large(CsvReader::kMaxRecordBytes + 1, 'x');
  EXPECT_THAT(
      Read(large + "\nb\n"),
      ElementsAre(::testing::EndsWith("too large (limit 8 MiB)"), "|b|"));
  EXPECT_THAT(Read(std::string(CsvReader::kMaxFields, ',') + "\nb\n"),
              ElementsAre("1:1001: too many fields", "|b|"));
}

TEST(CsvTest, WhateverIsWrittenIsRead) {
  EXPECT_TRUE(rc::check("reading what was written", [] {
    const auto fields =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
            rc::gen::container<std::string>(rc::gen::oneOf(
                rc::gen::arbitrary<char>(),
                rc::gen::elementOf(std::string("\",\r\n\0 ", 6))))));
    // A first field that looks like a byte order mark would be one.
    RC_PRE(fields[0].find('\xEF') == std::string::npos);
    RC_PRE(fields.size() > 1 || !fields[0].empty());
    std::string line;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) line += ',';
      AppendCsvField(line, fields[i]);
    }
    std::istringstream in(line + "\n");
    CsvReader reader(in);
    std::vector<CsvField> read;
    InputError error;
    RC_ASSERT(reader.Next(read, error) == CsvReader::Result::kRecord);
    RC_ASSERT(read.size() == fields.size());
    for (size_t i = 0; i < fields.size(); ++i) {
      RC_ASSERT(read[i].text == fields[i]);
    }
    RC_ASSERT(reader.Next(read, error) == CsvReader::Result::kEnd);
  }));
}

}  // namespace
}  // namespace tokendb::testing
