#ifndef TOKENDB_SRC_STORAGE_SLICE_H_
#define TOKENDB_SRC_STORAGE_SLICE_H_

#include <string_view>

#include "rocksdb/slice.h"

namespace tokendb {

inline std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}
inline rocksdb::Slice ToSlice(std::string_view view) {
  return {view.data(), view.size()};
}

}  // namespace tokendb

#endif  // TOKENDB_SRC_STORAGE_SLICE_H_
