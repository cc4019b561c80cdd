// Putting the tokens of files into an empty database at once.
#ifndef TOKENDB_SRC_FORMATS_BULK_IMPORT_H_
#define TOKENDB_SRC_FORMATS_BULK_IMPORT_H_

#include <cstdint>
#include <functional>
#include <istream>

#include "src/formats/file_format.h"
#include "src/formats/import.h"
#include "tokendb/bulk_load.h"

namespace tokendb {

struct BulkImportOptions {
  // Takes the good lines of a file that has bad ones.
  bool skip_bad = false;

  // The label of a line's token in the load.
  std::function<uint64_t(uint64_t line)> label;
};

// Adds the tokens of `in`, which is read once, to `loader`. In the report,
// `issued` counts those added, and the status is OK; InvalidArgument if lines
// are bad, after all of them were looked at (the load is of no use then, unless
// skip_bad is set and the rest of the file can be understood); or what the
// loader says.
//
// A line is bad if it cannot be read or the token it makes is not valid. An id
// or digest that comes twice, in whatever files, is an error of
// BulkLoader::Finish().
ImportReport AddToBulkLoad(BulkLoader& loader, FileFormat format,
                           std::istream& in, const BulkImportOptions& options);

}  // namespace tokendb

#endif  // TOKENDB_SRC_FORMATS_BULK_IMPORT_H_
