// One token as an input file describes it.
#ifndef TOKENDB_SRC_FORMATS_IMPORTED_TOKEN_H_
#define TOKENDB_SRC_FORMATS_IMPORTED_TOKEN_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/formats/position.h"
#include "tokendb/token.h"

namespace tokendb {

// Only what the file carries is set, so that a file without some field leaves
// it alone in tokens that exist.
struct ImportedToken {
  // Nil until CompleteId().
  TokenId id;

  // All but the owner.
  TokenPatch fields;

  // The owner's parts come one by one: a file with owner ids only must not
  // take away the names. A cleared id clears the owner.
  Change<std::string> owner_id;
  Change<std::string> owner_name;
  Change<std::string> owner_email;

  std::optional<absl::Time> created_at;

  // What the file calls its state, until Reconcile().
  std::optional<TokenState> state;

  // It is revoked, but the file does not say since when.
  bool revoked_at_unknown_time = false;

  // Where it begins.
  Position position;
};

// Gives a token without an id one made of what identifies it: its digest if
// it has one, else owner id, organization, kind, name, description and
// creation. The same content gives the same id, so that a file imported twice
// changes nothing; it is a UUIDv8 (RFC 9562 section 5.8) of a SHA-256.
void CompleteId(ImportedToken& token);

// Returns what `imported` changes in `current`, or sets in a new token if that
// is null.
//
// A token revoked at an unknown time keeps the time it has; else it counts as
// revoked since its creation, the earliest time possible, or since `now` if
// that is not known either. InvalidArgument if the file gives a name or email
// without an owner id to a token without an owner, or another creation time
// than the token has.
absl::StatusOr<TokenPatch> PatchFor(const ImportedToken& imported,
                                    const Token* current, absl::Time now);

// Returns the token that `imported` is if it does not exist yet. Errors as
// PatchFor().
absl::StatusOr<Token> NewToken(const ImportedToken& imported, absl::Time now);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_IMPORTED_TOKEN_H_
