#include <utility>

#include "tokendb/token.h"

namespace tokendb {
namespace {

// A field that always has a value: clearing gives it `cleared`.
template <typename T>
void ApplyTo(const Change<T>& change, T& field, T cleared = T()) {
  if (change.IsKeep()) return;
  field = change.IsClear() ? std::move(cleared) : *change.value();
}

template <typename T>
void ApplyTo(const Change<T>& change, std::optional<T>& field) {
  if (!change.IsKeep()) field = change.value();
}

}  // namespace

Token Apply(const TokenPatch& patch, Token token) {
  ApplyTo(patch.node_id, token.node_id);
  ApplyTo(patch.digest, token.digest);
  ApplyTo(patch.owner, token.owner);
  ApplyTo(patch.description, token.description);
  ApplyTo(patch.scopes, token.scopes);
  ApplyTo(patch.expires_at, token.expires_at);
  ApplyTo(patch.last_accessed_at, token.last_accessed_at);
  ApplyTo(patch.ip_address, token.ip_address);
  ApplyTo(patch.organization, token.organization);
  ApplyTo(patch.kind, token.kind);
  ApplyTo(patch.name, token.name);
  ApplyTo(patch.not_before, token.not_before);
  ApplyTo(patch.revoked_at, token.revoked_at);
  ApplyTo(patch.revoked_reason, token.revoked_reason);
  ApplyTo(patch.enabled, token.enabled, true);
  ApplyTo(patch.family_id, token.family_id);
  ApplyTo(patch.parent_id, token.parent_id);
  ApplyTo(patch.created_by, token.created_by);
  ApplyTo(patch.allowed_cidrs, token.allowed_cidrs);
  ApplyTo(patch.pepper_version, token.pepper_version);
  ApplyTo(patch.metadata, token.metadata);
  return token;
}

}  // namespace tokendb
