// Redis over a socket: a hash for each token, a text for each digest, and
// sorted sets by expiry of all tokens, of each owner and of each scope.
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bench/expiry/machine.h"
#include "bench/expiry/server_process.h"
#include "bench/expiry/sql.h"
#include "bench/expiry/store.h"
#include "hiredis/hiredis.h"

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

class RedisStore final : public Store {
 public:
  explicit RedisStore(const StoreOptions& options) : Store(options) {
    std::filesystem::create_directory(options.path);
    const std::string socket = options.path + "/socket";
    server_ = std::make_unique<ServerProcess>(
        std::vector<std::string>{kServer, "--port", "0", "--unixsocket", socket,
                                 "--dir", options.path, "--save", "",
                                 "--appendonly", "no"},
        options.path, "", options.path + "/log", SIGTERM);
    connection_ = std::make_unique<Connection>(socket);
  }

  double Load(const LoadInput& input) override {
    Stopwatch watch;
    input.tokens.ForEachChunk([&](absl::Span<const Token> chunk) {
      watch.Resume();
      Issue(chunk);
      watch.Pause();
    });
    watch.Resume();
    Flush();
    watch.Pause();
    return watch.Seconds();
  }

  std::string Settle() override { return "in memory; on disk a snapshot"; }

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

  bool IsLive(const Digest& digest) override {
    const Reply id = connection_->Execute({"GET", DigestKey(digest)});
    if (id->type != REDIS_REPLY_STRING) return false;
    const std::string key =
        std::string("t").append(id->str, static_cast<size_t>(id->len));
    const Reply expiry = connection_->Execute({"HGET", key, "expires_at"});
    return expiry->type == REDIS_REPLY_STRING &&
           std::strtod(expiry->str, nullptr) > static_cast<double>(NowMillis());
  }

  void Issue(absl::Span<const Token> tokens) override {
    for (size_t i = 0; i < tokens.size(); i += kPipelinedTokens) {
      const absl::Span<const Token> part = tokens.subspan(i, kPipelinedTokens);
      for (const Token& token : part) SendToken(token);
      connection_->ReceiveAll();
    }
  }

  void Flush() override { connection_->Execute({"SAVE"}); }

  void Touch(const TokenId& id, absl::Time time,
             const std::string& ip) override {
    connection_->Execute({"HSET", TokenKey(id), "last_used_at",
                          absl::StrCat(FloorToMillis(time)), "ip", ip});
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

 private:
  void SendToken(const Token& token) {
    const std::string_view id = token.id.bytes();
    const std::string score = Score(token);
    connection_->Send(
        {"HSET", TokenKey(token.id), "digest", token.digest->bytes(), "owner",
         token.owner->id, "email", token.owner->email, "description",
         token.description, "scopes", ScopesColumn(token), "created_at",
         absl::StrCat(FloorToMillis(token.created_at)), "expires_at", score});
    connection_->Send({"SET", DigestKey(*token.digest), id});
    connection_->Send({"ZADD", kAllTokens, score, id});
    connection_->Send({"ZADD", OwnerKey(token.owner->id), score, id});
    for (const std::string& scope : token.scopes) {
      connection_->Send({"ZADD", ScopeSetKey(scope), score, id});
    }
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
