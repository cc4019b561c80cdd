// Redis over a socket: a hash for each token, for each digest what
// authentication needs to know in one text, and sorted sets by expiry of all
// tokens, of each owner and of each scope.
#include <signal.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bench/peers/machine.h"
#include "bench/peers/server_process.h"
#include "bench/peers/sql.h"
#include "bench/peers/store.h"
#include "hiredis/hiredis.h"
#include "src/base/coding.h"
#include "src/index/scope_sets.h"

namespace tokendb::bench {
namespace {

constexpr char kServer[] = "/usr/bin/redis-server";
constexpr size_t kMostTokens = 1000000;
constexpr size_t kPipelinedTokens = 500;
constexpr int kConnectAttempts = 300;
constexpr auto kBetweenAttempts = std::chrono::milliseconds(100);
constexpr char kAllTokens[] = "e";

std::string TokenKey(const TokenId& id) {
  return std::string("t").append(id.bytes());
}
std::string DigestKey(const Digest& digest) {
  return std::string("d").append(digest.bytes());
}
std::string OwnerKey(std::string_view owner) {
  return std::string("o").append(owner);
}
std::string ScopeSetKey(std::string_view scope) {
  return std::string("s").append(scope);
}

// A score: milliseconds are exact in a double.
std::string Score(const Token& token) {
  return token.expires_at.has_value() ? absl::StrCat(ExpiryColumn(token))
                                      : "+inf";
}

class Reply {
 public:
  explicit Reply(redisReply* reply) : reply_(reply) {}
  ~Reply() { freeReplyObject(reply_); }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  const redisReply* operator->() const { return reply_; }
  const redisReply* get() const { return reply_; }

 private:
  redisReply* reply_;
};

class Connection {
 public:
  explicit Connection(const std::string& socket) {
    for (int attempt = 0; attempt < kConnectAttempts; ++attempt) {
      context_ = redisConnectUnix(socket.c_str());
      if (context_ != nullptr && context_->err == 0) return;
      if (context_ != nullptr && attempt + 1 < kConnectAttempts) {
        redisFree(context_);
        context_ = nullptr;
      }
      std::this_thread::sleep_for(kBetweenAttempts);
    }
    Check(false, "connecting");
  }
  ~Connection() { redisFree(context_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends a command, whose reply Receive() returns later.
  void Send(const std::vector<std::string_view>& words) {
    std::vector<const char*> data;
    std::vector<size_t> sizes;
    for (const std::string_view word : words) {
      data.push_back(word.data());
      sizes.push_back(word.size());
    }
    Check(redisAppendCommandArgv(context_, static_cast<int>(words.size()),
                                 data.data(), sizes.data()) == REDIS_OK,
          words[0]);
    ++sent_;
  }
  Reply Receive() {
    void* reply = nullptr;
    Check(redisGetReply(context_, &reply) == REDIS_OK, "reply");
    --sent_;
    auto* const typed = static_cast<redisReply*>(reply);
    if (typed->type == REDIS_REPLY_ERROR) {
      CheckOk(absl::InternalError(typed->str), "redis");
    }
    return Reply(typed);
  }
  Reply Execute(const std::vector<std::string_view>& words) {
    Send(words);
    return Receive();
  }
  void ReceiveAll() {
    while (sent_ > 0) Receive();
  }

 private:
  void Check(bool ok, std::string_view what) const {
    if (ok) return;
    CheckOk(absl::InternalError(context_ == nullptr ? "no memory"
                                                    : context_->errstr),
            std::string("redis: ").append(what));
  }

  redisContext* context_ = nullptr;
  size_t sent_ = 0;
};

// What is kept of a digest: id, expiry and revocation as be64, scopes.
std::string DigestValue(std::string_view id, int64_t expires_at,
                        int64_t revoked_at, std::string_view scopes) {
  std::string value(id);
  AppendBig64(value, static_cast<uint64_t>(expires_at));
  AppendBig64(value, static_cast<uint64_t>(revoked_at));
  value.append(scopes);
  return value;
}

Answer AnswerOfValue(std::string_view value, int64_t now) {
  const char* const times = value.data() + TokenId::kSize;
  if (static_cast<int64_t>(LoadBig64(times)) <= now ||
      static_cast<int64_t>(LoadBig64(times + sizeof(uint64_t))) <= now) {
    return {};
  }
  return {.live = true,
          .id = IdFromBytes(value.substr(0, TokenId::kSize)),
          .scopes = ScopeSets::MakeSet(ScopesOfColumn(
              value.substr(TokenId::kSize + 2 * sizeof(uint64_t))))};
}

std::string_view View(const redisReply* reply) {
  return reply->type == REDIS_REPLY_STRING
             ? std::string_view(reply->str, static_cast<size_t>(reply->len))
             : std::string_view();
}

class RedisCaller final : public Caller {
 public:
  RedisCaller(const std::string& socket, const Clock& clock,
              const EntrySource& entries)
      : connection_(socket), clock_(clock), entries_(entries) {}

  Answer Lookup(const Digest& digest) override {
    const Reply reply = connection_.Execute({"GET", DigestKey(digest)});
    return AnswerOf(reply.get());
  }

  // One command for all, which takes less than as many in a pipeline.
  void LookupMany(absl::Span<const Digest> digests,
                  absl::Span<Answer> answers) override {
    std::vector<std::string> keys;
    for (const Digest& digest : digests) keys.push_back(DigestKey(digest));
    std::vector<std::string_view> words = {"MGET"};
    words.insert(words.end(), keys.begin(), keys.end());
    const Reply reply = connection_.Execute(words);
    for (size_t i = 0; i < digests.size(); ++i) {
      answers[i] = AnswerOf(reply->element[i]);
    }
  }

  void Issue(absl::Span<const Token> tokens) override {
    for (size_t i = 0; i < tokens.size(); i += kPipelinedTokens) {
      connection_.Send({"MULTI"});
      for (const Token& token : tokens.subspan(i, kPipelinedTokens)) {
        SendToken(token);
      }
      connection_.Send({"EXEC"});
      connection_.ReceiveAll();
    }
  }

  void Revoke(const TokenId& id) override {
    const std::string key = TokenKey(id);
    const Reply token = connection_.Execute(
        {"HMGET", key, "digest", "owner", "scopes", "expires_at"});
    const std::string_view scopes = View(token->element[2]);
    const double score = std::strtod(token->element[3]->str, nullptr);
    const int64_t expires_at =
        std::isinf(score) ? kNever : static_cast<int64_t>(score);
    const int64_t now = FloorToMillis(clock_.Now());
    const std::string digest_key =
        std::string("d").append(View(token->element[0]));
    connection_.Send({"MULTI"});
    connection_.Send({"HSET", key, "revoked_at", absl::StrCat(now)});
    connection_.Send(
        {"SET", digest_key, DigestValue(id.bytes(), expires_at, now, scopes)});
    connection_.Send({"ZREM", kAllTokens, id.bytes()});
    connection_.Send({"ZREM", OwnerKey(View(token->element[1])), id.bytes()});
    for (const std::string& scope : entries_.NamesOf(ScopesOfColumn(scopes))) {
      connection_.Send({"ZREM", ScopeSetKey(scope), id.bytes()});
    }
    connection_.Send({"EXEC"});
    connection_.ReceiveAll();
  }

  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    connection_.Execute({"HSET", TokenKey(id), "last_used_at",
                         absl::StrCat(FloorToMillis(time)), "ip", ip});
  }

 private:
  Answer AnswerOf(const redisReply* reply) const {
    const std::string_view value = View(reply);
    return value.empty() ? Answer()
                         : AnswerOfValue(value, FloorToMillis(clock_.Now()));
  }

  void SendToken(const Token& token) {
    const std::string_view id = token.id.bytes();
    const std::string score = Score(token);
    const std::string scopes = ScopesColumn(entries_.NumbersOf(token));
    connection_.Send(
        {"HSET", TokenKey(token.id), "digest", token.digest->bytes(), "owner",
         token.owner->id, "email", token.owner->email, "description",
         token.description, "scopes", scopes, "created_at",
         absl::StrCat(FloorToMillis(token.created_at)), "expires_at", score});
    connection_.Send({"SET", DigestKey(*token.digest),
                      DigestValue(id, ExpiryColumn(token), kNever, scopes)});
    connection_.Send({"ZADD", kAllTokens, score, id});
    connection_.Send({"ZADD", OwnerKey(token.owner->id), score, id});
    for (const std::string& scope : token.scopes) {
      connection_.Send({"ZADD", ScopeSetKey(scope), score, id});
    }
  }

  Connection connection_;
  const Clock& clock_;
  const EntrySource& entries_;
};

class RedisStore final : public Store {
 public:
  explicit RedisStore(const StoreOptions& options)
      : Store(options),
        socket_(options.path + "/socket"),
        has_log_(std::filesystem::exists(options.path + "/appendonlydir")),
        entries_(options.entries) {
    std::filesystem::create_directory(options.path);
    server_ = std::make_unique<ServerProcess>(
        std::vector<std::string>{
            kServer, "--port", "0", "--unixsocket", socket_, "--dir",
            options.path, "--save", "", "--appendonly", has_log_ ? "yes" : "no",
            "--appendfsync",
            options.writes == Surviving::kPower ? "always" : "everysec"},
        options.path, "", options.path + "/log", SIGTERM);
    connection_ = std::make_unique<Connection>(socket_);
    AwaitInfo("\nloading:0");  // Another line ends so.
  }

  double Load(const LoadInput& input) override {
    entries_ = input.entries;
    Stopwatch watch;
    const auto caller = NewCaller();
    input.tokens.ForEachChunk([&](absl::Span<const Token> chunk) {
      watch.Resume();
      caller->Issue(chunk);
      watch.Pause();
    });
    watch.Resume();
    Flush();
    watch.Pause();
    return watch.Seconds();
  }

  // From now on writes go to a log before they are acknowledged.
  std::string Settle() override {
    connection_->Execute({"CONFIG", "SET", "appendonly", "yes"});
    has_log_ = true;
    AwaitRewrite();
    std::filesystem::remove(options().path + "/dump.rdb");
    return "in memory; on disk a snapshot, and a log of what follows";
  }

  std::vector<TokenId> Expiring(absl::Time before) override {
    return Ids(kAllTokens, before);
  }
  std::vector<TokenId> ExpiringOfOwner(const std::string& owner,
                                       absl::Time before) override {
    return Ids(OwnerKey(owner), before);
  }
  std::vector<TokenId> ExpiringOfScope(const std::string& scope,
                                       absl::Time before) override {
    return Ids(ScopeSetKey(scope), before);
  }

  std::vector<TokenId> ExpiringOfOwnerWithScope(const std::string& owner,
                                                const std::string& scope,
                                                absl::Time before) override {
    const std::vector<TokenId> ids = ExpiringOfOwner(owner, before);
    if (ids.empty()) return {};
    const std::string scope_key = ScopeSetKey(scope);
    std::vector<std::string_view> words = {"ZMSCORE", scope_key};
    for (const TokenId& id : ids) words.push_back(id.bytes());
    const Reply scores = connection_->Execute(words);
    std::vector<TokenId> found;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (scores->element[i]->type != REDIS_REPLY_NIL) found.push_back(ids[i]);
    }
    return found;
  }

  std::vector<Token> LastOfOwner(const std::string& owner,
                                 size_t limit) override {
    const Reply ids = connection_->Execute(
        {"ZREVRANGEBYSCORE", OwnerKey(owner), "+inf",
         absl::StrCat("(", NowMillis()), "LIMIT", "0", absl::StrCat(limit)});
    std::vector<Token> tokens;
    for (size_t i = 0; i < ids->elements; ++i) {
      tokens.emplace_back().id = IdFromBytes(View(ids->element[i]));
      connection_->Send({"HMGET", TokenKey(tokens.back().id), "digest", "owner",
                         "email", "description", "scopes", "created_at",
                         "expires_at"});
    }
    for (Token& token : tokens) {
      const Reply fields = connection_->Receive();
      const auto field = [&](size_t i) { return View(fields->element[i]); };
      token.digest = DigestFromBytes(field(0));
      token.owner =
          Owner{.id = std::string(field(1)), .email = std::string(field(2))};
      token.description = field(3);
      token.scopes = entries_->NamesOf(ScopesOfColumn(field(4)));
      token.created_at =
          FromMillis(std::strtoll(fields->element[5]->str, nullptr, 10));
      if (field(6) != "+inf" && field(6) != "inf") {
        token.expires_at =
            FromMillis(std::strtoll(fields->element[6]->str, nullptr, 10));
      }
    }
    return tokens;
  }

  std::unique_ptr<Caller> NewCaller() override {
    return std::make_unique<RedisCaller>(socket_, *options().clock, *entries_);
  }

  void Flush() override {
    if (!has_log_) {
      connection_->Execute({"SAVE"});
      return;
    }
    connection_->Execute({"BGREWRITEAOF"});
    AwaitRewrite();
  }

  std::optional<absl::Time> LastUse(const TokenId& id) override {
    const Reply reply =
        connection_->Execute({"HGET", TokenKey(id), "last_used_at"});
    if (reply->type != REDIS_REPLY_STRING) return std::nullopt;
    return FromMillis(std::strtoll(reply->str, nullptr, 10));
  }

  uint64_t BytesWritten() override {
    return ProcessTreeBytesWritten(server_->pid());
  }
  double ServerSeconds() override { return ProcessTreeSeconds(server_->pid()); }

 private:
  // Waits until the server says `line` of itself.
  void AwaitInfo(std::string_view line) {
    while (
        View(connection_->Execute({"INFO", "persistence"}).get()).find(line) ==
        std::string_view::npos) {
      std::this_thread::sleep_for(kBetweenAttempts);
    }
  }
  void AwaitRewrite() {
    AwaitInfo("aof_rewrite_scheduled:0");
    AwaitInfo("aof_rewrite_in_progress:0");
  }

  std::vector<TokenId> Ids(const std::string& key, absl::Time before) {
    const Reply reply = connection_->Execute(
        {"ZRANGEBYSCORE", key, absl::StrCat("(", NowMillis()),
         absl::StrCat("(", FloorToMillis(before))});
    std::vector<TokenId> ids;
    ids.reserve(reply->elements);
    for (size_t i = 0; i < reply->elements; ++i) {
      ids.push_back(IdFromBytes({reply->element[i]->str,
                                 static_cast<size_t>(reply->element[i]->len)}));
    }
    return ids;
  }

  const std::string socket_;
  bool has_log_;
  const EntrySource* entries_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

StoreKind RedisKind(size_t tokens) {
  StoreKind kind{
      .name = "redis",
      .version = FirstLineOf(absl::StrCat(kServer, " --version 2>/dev/null")),
      .is_server = true,
      .make = [](const StoreOptions& options) -> std::unique_ptr<Store> {
        return std::make_unique<RedisStore>(options);
      }};
  if (kind.version.empty()) {
    kind.why_not = absl::StrCat("no server ", kServer);
  } else if (tokens > kMostTokens) {
    kind.why_not =
        absl::StrCat("keeps all in memory: up to ", kMostTokens, " tokens");
  }
  return kind;
}

}  // namespace tokendb::bench
