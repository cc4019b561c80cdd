// Early return on errors. In sources only, never in a public header.
#ifndef TOKENDB_SRC_BASE_STATUS_MACROS_H_
#define TOKENDB_SRC_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define TOKENDB_CONCAT_INNER(a, b) a##b
#define TOKENDB_CONCAT(a, b) TOKENDB_CONCAT_INNER(a, b)

// Returns from the function if `expr`, an absl::Status, is an error.
#define RETURN_IF_ERROR(expr)                                     \
  do {                                                            \
    if (absl::Status macro_status = (expr); !macro_status.ok()) { \
      return macro_status;                                        \
    }                                                             \
  } while (false)

// Assigns the value of `expr`, an absl::StatusOr, or returns its error.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(TOKENDB_CONCAT(status_or_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL(status_or, lhs, expr) \
  auto status_or = (expr);                          \
  if (!status_or.ok()) return status_or.status();   \
  lhs = *std::move(status_or)

#endif  // TOKENDB_SRC_BASE_STATUS_MACROS_H_
