#include "tests/property/compare.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tokendb::testing {
namespace {

std::string IdsOf(const std::vector<Token>& tokens) {
  return absl::StrJoin(tokens, " ", [](std::string* out, const Token& token) {
    *out += token.id.ToString();
  });
}

// The fields that differ most often, for a failure's message.
std::string Fields(const Token& token) {
  const auto time = [](const std::optional<absl::Time>& value) {
    return value ? absl::FormatTime(*value) : std::string("-");
  };
  return absl::StrCat(
      "\n  ", token.id.ToString(), " version ", token.version, " owner ",
      token.owner ? absl::CEscape(token.owner->id) : "-", " created ",
      absl::FormatTime(token.created_at), " expires ", time(token.expires_at),
      " revoked ", time(token.revoked_at), " ", token.revoked_reason,
      " accessed ", time(token.last_accessed_at), " not before ",
      time(token.not_before), " scopes ",
      absl::CEscape(absl::StrJoin(token.scopes, "|")), " digest ",
      token.digest.has_value(), " description ",
      absl::CEscape(token.description));
}

std::string Differ(const char* what, const std::vector<Token>& actual,
                   const std::vector<Token>& expected) {
  if (actual == expected) return "";
  for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    if (actual[i] != expected[i] && actual[i].id == expected[i].id) {
      return absl::StrCat(what, ": the database has", Fields(actual[i]),
                          "\nthe model", Fields(expected[i]));
    }
  }
  return absl::StrCat(what, ": the database has ", actual.size(),
                      " tokens: ", IdsOf(actual), "\nthe model ",
                      expected.size(), ": ", IdsOf(expected));
}

std::string DifferIds(const char* what, const std::vector<TokenId>& actual,
                      const std::vector<Token>& expected) {
  std::vector<TokenId> ids;
  for (const Token& token : expected) ids.push_back(token.id);
  if (ids == actual) return "";
  return absl::StrCat(what, ": the database has ", actual.size(),
                      " ids, the model ", ids.size());
}

// All pages, each of at most `limit` tokens, bounded by `steps`: a page that
// gets no further would never end.
std::string ReadPages(const Database& db, Query query, size_t steps,
                      std::vector<Token>& tokens, std::vector<TokenId>& ids) {
  for (size_t i = 0; i < steps; ++i) {
    const auto page = db.List(query);
    if (!page.ok()) return "List: " + page.status().ToString();
    const auto id_page = db.ListIds(query);
    if (!id_page.ok()) return "ListIds: " + id_page.status().ToString();
    if (page->tokens.size() > query.limit) return "a page is too long";
    const bool bounded =
        query.max_examined != std::numeric_limits<uint64_t>::max() ||
        query.max_time != absl::InfiniteDuration();
    if (!bounded && !page->continuation.empty() &&
        page->tokens.size() != query.limit) {
      return "a page that goes on is too short";
    }
    tokens.insert(tokens.end(), page->tokens.begin(), page->tokens.end());
    ids.insert(ids.end(), id_page->ids.begin(), id_page->ids.end());
    // Bounds may cut the two differently: by time, or because a compaction
    // dropped entries in between. Go on with the one of tokens.
    if (id_page->continuation != page->continuation) {
      if (!bounded) {
        return "List and ListIds go on differently";
      }
      ids.clear();
      for (const Token& token : tokens) ids.push_back(token.id);
    }
    query.continuation = page->continuation;
    if (query.continuation.empty()) return "";
  }
  return "paging does not end";
}

// Reads all, and all after the first page.
std::string CompareRead(const Database& db, Query query,
                        const std::vector<Token>& expected) {
  const auto reader = db.Read(query);
  if (!reader.ok()) return "Read: " + reader.status().ToString();
  std::string difference = CompareReader(**reader, expected);
  if (!difference.empty()) return difference;
  const auto page = db.List(query);
  if (!page.ok()) return "List: " + page.status().ToString();
  if (page->continuation.empty()) return "";
  query.continuation = page->continuation;
  const auto rest = db.Read(query);
  if (!rest.ok()) return "Read on: " + rest.status().ToString();
  return CompareReader(
      **rest, {expected.begin() + page->tokens.size(), expected.end()});
}

std::string CompareCounts(const Database& db, const Model& model, Query query,
                          size_t expected, Generator& generator) {
  query.max_examined = std::numeric_limits<uint64_t>::max();
  query.max_time = absl::InfiniteDuration();
  const auto count = db.Count(query);
  if (!count.ok()) return "Count: " + count.status().ToString();
  if (count->count != expected || !count->complete) {
    return absl::StrCat("Count: ", count->count, ", the model ", expected);
  }
  const auto grouping = static_cast<Grouping>(generator.Below(5));
  const auto groups = db.CountBy(query, grouping);
  if (!groups.ok()) return "CountBy: " + groups.status().ToString();
  std::map<std::optional<std::string>, uint64_t> actual;
  for (const Group& group : groups->groups) actual[group.key] = group.count;
  if (actual.size() != groups->groups.size()) return "CountBy repeats a key";
  if (actual != model.Group(query, grouping)) {
    return absl::StrCat("CountBy(", static_cast<int>(grouping), ") differs");
  }
  return "";
}

// The short answer says the same as the long one, alone and among others.
std::string CompareAuthentications(const Database& db, const Digest& digest,
                                   const Introspection& expected) {
  const auto one = db.Authenticate(digest);
  if (!one.ok()) return "Authenticate: " + one.status().ToString();
  const std::vector<Digest> digests(3, digest);
  std::vector<Authentication> answers(digests.size());
  const absl::Status many =
      db.AuthenticateMany(digests, absl::MakeSpan(answers));
  if (!many.ok()) return "AuthenticateMany: " + many.ToString();
  answers.push_back(*one);
  for (const Authentication& answer : answers) {
    const auto scopes = db.ScopeNames(answer.scopes);
    if (answer.state != expected.state || answer.id != expected.id ||
        answer.expires_at != expected.expires_at || !scopes.ok() ||
        *scopes != expected.scopes) {
      return absl::StrCat("Authenticate differs from Introspect: ",
                          std::string(TokenStateName(answer.state)), " and ",
                          std::string(TokenStateName(expected.state)));
    }
  }
  return "";
}

}  // namespace

std::string Describe(const Query& query) {
  const auto range = [](const char* name, const TimeRange& value) {
    if (!value.from && !value.before) return std::string();
    return absl::StrCat(
        " ", name, "=[", value.from ? absl::FormatTime(*value.from) : "", ",",
        value.before ? absl::FormatTime(*value.before) : "", ")");
  };
  const auto texts = [](const char* name,
                        const std::vector<std::string>& values) {
    if (values.empty()) return std::string();
    return absl::StrCat(" ", name, "=",
                        absl::CEscape(absl::StrJoin(values, "|")));
  };
  const auto span = [](const char* name,
                       const std::optional<absl::Duration>& value) {
    if (!value) return std::string();
    return absl::StrCat(" ", name, "=", absl::FormatDuration(*value));
  };
  std::string states;
  for (int i = 0; i < 5; ++i) {
    if (query.states.Contains(static_cast<TokenState>(i))) {
      absl::StrAppend(&states, i);
    }
  }
  return absl::StrCat(
      "ids=", query.ids.size(), " digest=", query.digest.has_value(),
      texts("owners", query.owners), " without_owner=", query.without_owner,
      texts("all", query.scopes.all_of), texts("any", query.scopes.any_of),
      texts("none", query.scopes.none_of), " exact=", query.scopes.exact,
      range("expires", query.expires), range("created", query.created),
      range("accessed", query.last_accessed),
      query.unused_since
          ? " unused_since=" + absl::FormatTime(*query.unused_since)
          : "",
      span("expires_within", query.expires_within),
      span("not_notified_within", query.not_notified_within),
      " lifetime=", static_cast<int>(query.lifetime), " states=", states,
      " text=", query.text, " org=", query.organization, " kind=", query.kind,
      " ip=", query.ip_address, " residual=", query.residual != nullptr,
      " order=", static_cast<int>(query.order),
      " direction=", static_cast<int>(query.direction), " limit=", query.limit,
      " max_examined=", query.max_examined);
}

std::string CompareLookUps(const Database& db, const Model& model) {
  std::vector<TokenId> ids;
  for (const auto& [id, token] : model.tokens()) {
    ids.push_back(id);
    const auto actual = db.Get(id);
    if (!actual.ok()) return "Get: " + actual.status().ToString();
    if (*actual != token) return "Get differs: " + id.ToString();
  }
  ids.push_back(*TokenId::Parse("ffffffff-ffff-7fff-bfff-ffffffffffff"));
  const auto many = db.GetMany(ids);
  if (!many.ok()) return "GetMany: " + many.status().ToString();
  for (size_t i = 0; i < model.tokens().size(); ++i) {
    if ((*many)[i] != *model.Find(ids[i])) return "GetMany differs";
  }
  if (many->back().has_value()) return "GetMany finds one";
  for (const Digest& digest : Generator::AllDigests()) {
    const Token* const expected = model.FindDigest(digest);
    const auto actual = db.GetByDigest(digest);
    const auto answer = db.Introspect(digest);
    if (!answer.ok()) return "Introspect: " + answer.status().ToString();
    if (std::string problem = CompareAuthentications(db, digest, *answer);
        !problem.empty()) {
      return problem;
    }
    if (expected == nullptr) {
      if (!absl::IsNotFound(actual.status())) return "GetByDigest finds one";
      if (answer->state != TokenState::kUnknown) return "Introspect knows it";
      continue;
    }
    if (!actual.ok() || *actual != *expected) return "GetByDigest differs";
    if (db.GetByDigest(digest, "access").ok() != (expected->kind == "access")) {
      return "GetByDigest of a kind differs";
    }
    if (answer->state != model.StateOf(*expected) ||
        answer->id != expected->id || answer->scopes != expected->scopes ||
        answer->expires_at != expected->expires_at ||
        answer->owner_id.has_value() != expected->owner.has_value() ||
        (answer->owner_id && *answer->owner_id != expected->owner->id)) {
      return "Introspect differs: " + expected->id.ToString();
    }
  }
  return "";
}

std::string CompareQuery(const Database& db, const Model& model,
                         const Query& query, Generator& generator) {
  const std::vector<Token> expected = model.Select(query);
  std::vector<Token> tokens;
  std::vector<TokenId> ids;
  // With one entry examined a page, there are up to as many pages as entries.
  const size_t steps = 100 + 100 * (model.tokens().size() + 1);
  std::string difference = ReadPages(db, query, steps, tokens, ids);
  if (difference.empty()) difference = Differ("List", tokens, expected);
  if (difference.empty()) difference = DifferIds("ListIds", ids, expected);
  if (difference.empty()) {
    difference = CompareCounts(db, model, query, expected.size(), generator);
  }
  if (difference.empty() && generator.OneIn(3)) {
    difference = CompareRead(db, query, expected);
  }
  return difference;
}

std::string CompareReader(TokenReader& reader,
                          const std::vector<Token>& expected) {
  std::vector<Token> tokens;
  while (true) {
    auto next = reader.Next();
    if (!next.ok()) return "Read: " + next.status().ToString();
    if (!next->has_value()) break;
    tokens.push_back(**std::move(next));
  }
  return Differ("Read", tokens, expected);
}

std::string CompareCheck(const Database& db, const Model& model) {
  const auto report = db.Check();
  if (!report.ok()) return "Check: " + report.status().ToString();
  if (report->problems_found != 0) {
    return absl::StrCat("Check: ", report->problems_found, " problems, first ",
                        report->problems.front().family, " ",
                        report->problems.front().key, " ",
                        report->problems.front().detail);
  }
  if (report->records != model.tokens().size()) {
    return absl::StrCat("Check: ", report->records, " records, the model ",
                        model.tokens().size());
  }
  return "";
}

}  // namespace tokendb::testing
