#include "bench/peers/answers.h"

#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "bench/synthetic.h"
#include "src/index/scope_sets.h"

namespace tokendb::bench {
namespace {

constexpr uint64_t kQuestionSeed = 17;
constexpr size_t kOwners = 8;
constexpr size_t kScopes = 4;
constexpr size_t kDigests = 200;
constexpr size_t kPage = 20;
constexpr absl::Duration kLongest = absl::Hours(10 * 365 * 24);

size_t HashOf(const Answer& answer) {
  if (!answer.live) return 0;
  return absl::HashOf(answer.id, ScopeSets::NumbersOf(answer.scopes));
}

size_t HashOf(const std::vector<Token>& tokens) {
  size_t hash = tokens.size();
  for (const Token& token : tokens) {
    hash = absl::HashOf(hash, token.id, *token.digest, token.owner->id,
                        token.owner->email, token.description, token.scopes,
                        token.created_at,
                        token.expires_at.value_or(absl::InfiniteFuture()));
  }
  return hash;
}

}  // namespace

void AnswerBook::CompareOne(size_t answer, const std::string& name,
                            const std::string& question) {
  const auto [it, is_first] =
      answers_.try_emplace(question, std::make_pair(answer, name));
  if (is_first || it->second.first == answer) return;
  CheckOk(absl::InternalError(absl::StrCat(name, " answers otherwise than ",
                                           it->second.second, " did")),
          question);
}

void AnswerBook::Compare(Store& store, const std::string& name,
                         const std::string& stage) {
  const absl::Time now = clock_.Now();
  for (const absl::Duration span :
       {absl::Hours(1), absl::Hours(24), absl::Hours(30 * 24), kLongest}) {
    CompareOne(
        absl::HashOf(store.Expiring(now + span)), name,
        absl::StrCat(stage, ": expiring in ", absl::FormatDuration(span)));
  }
  Random random(kQuestionSeed);
  for (size_t i = 0; i < kOwners; ++i) {
    const Token token = tokens_.Make(random.Below(tokens_.count()));
    CompareOne(
        absl::HashOf(store.ExpiringOfOwner(token.owner->id, now + kLongest)),
        name, absl::StrCat(stage, ": expiring of ", token.owner->id));
    CompareOne(HashOf(store.LastOfOwner(token.owner->id, kPage)), name,
               absl::StrCat(stage, ": last of ", token.owner->id));
    const std::string& held = token.scopes.front();
    CompareOne(
        absl::HashOf(store.ExpiringOfOwnerWithScope(token.owner->id, held,
                                                    now + kLongest)),
        name,
        absl::StrCat(stage, ": expiring of ", token.owner->id, " with ", held));
  }
  const std::vector<std::string> scopes = AllScopes();
  for (size_t i = 0; i < kScopes; ++i) {
    const std::string& scope = scopes[random.Below(scopes.size())];
    CompareOne(
        absl::HashOf(store.ExpiringOfScope(scope, now + absl::Hours(30 * 24))),
        name, absl::StrCat(stage, ": expiring with ", scope));
  }
  const auto caller = store.NewCaller();
  std::vector<Digest> digests;
  for (size_t i = 0; i < kDigests; ++i) {
    const size_t position = random.Below(tokens_.count());
    digests.push_back(*tokens_.Make(position).digest);
    CompareOne(HashOf(caller->Lookup(digests.back())), name,
               absl::StrCat(stage, ": who is token ", position));
  }
  digests.emplace_back(std::array<char, Digest::kSize>{1});
  std::vector<Answer> answers(digests.size());
  caller->LookupMany(digests, absl::MakeSpan(answers));
  for (size_t i = 0; i < digests.size(); ++i) {
    if (HashOf(answers[i]) == HashOf(caller->Lookup(digests[i]))) continue;
    CheckOk(absl::InternalError("one and many look-ups differ"), name);
  }
  if (caller->IsLive(Digest(std::array<char, Digest::kSize>{}))) {
    CheckOk(absl::InternalError("an unknown token is live"), name);
  }
}

}  // namespace tokendb::bench
