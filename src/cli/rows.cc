#include "src/cli/rows.h"

#include <iostream>
#include <utility>
#include <vector>

#include "src/cli/support.h"
#include "src/formats/export.h"
#include "src/formats/list_text.h"
#include "src/formats/time_text.h"

namespace tokendb::cli {
namespace {

constexpr size_t kOwnerWidth = 40;
constexpr size_t kScopesWidth = 56;
constexpr size_t kDescriptionWidth = 40;

void PrintJson(const Page& page) {
  std::cout << "{\"tokens\": [";
  const char* separator = "\n";
  for (const Token& token : page.tokens) {
    std::cout << std::exchange(separator, ",\n")
              << TokenToJson(token, {.with_version = true});
  }
  // Continuations are made of plain letters.
  std::cout << "\n], \"continuation\": ";
  if (page.continuation.empty()) {
    std::cout << "null}\n";
  } else {
    std::cout << '"' << page.continuation << "\"}\n";
  }
}

std::vector<std::string> Row(const Token& token, absl::Time now,
                             const RowOptions& options) {
  const auto width = [&options](size_t most) {
    return options.wide ? size_t{0} : most;
  };
  std::vector<std::string> row = {
      token.id.ToString(), std::string(TokenStateName(StateOf(token, now))),
      token.expires_at.has_value() ? Rfc3339(*token.expires_at) : "never"};
  if (options.remaining) {
    const std::optional<absl::Duration> left = RemainingLifetime(token, now);
    row.push_back(left.has_value() ? FormatSpan(*left) : "never");
  }
  row.push_back(token.owner.has_value()
                    ? Printable(token.owner->id, width(kOwnerWidth))
                    : "-");
  row.push_back(Printable(FormatListText(token.scopes), width(kScopesWidth)));
  row.push_back(Printable(token.description, width(kDescriptionWidth)));
  return row;
}

}  // namespace

void PrintPage(const Page& page, absl::Time now, const RowOptions& options) {
  if (options.json) {
    PrintJson(page);
    return;
  }
  if (!page.tokens.empty()) {
    std::vector<std::string> header = {"UUID", "STATE", "EXPIRES"};
    if (options.remaining) header.emplace_back("REMAINING");
    header.insert(header.end(), {"OWNER", "SCOPES", "DESCRIPTION"});
    Table table(std::move(header));
    for (const Token& token : page.tokens) table.Add(Row(token, now, options));
    table.Print();
  }
  if (!page.continuation.empty()) {
    std::cout << "more: --continuation " << page.continuation << '\n';
  }
}

}  // namespace tokendb::cli
