#ifndef TOKENDB_SRC_STORAGE_ADD_OPERATOR_H_
#define TOKENDB_SRC_STORAGE_ADD_OPERATOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "rocksdb/merge_operator.h"

namespace tokendb {

// Adds numbers: what Batch::Add() does to a row, without reading it.
std::shared_ptr<rocksdb::MergeOperator> MakeAddOperator();

// A number as such a row holds it: 8 bytes, two's complement, big-endian.
std::string EncodeCount(int64_t count);
std::optional<int64_t> DecodeCount(std::string_view value);

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_ADD_OPERATOR_H_
