#include "src/storage/entry_merge.h"

namespace tokendb {
namespace {

bool IsBefore(const EntrySource* a, const EntrySource* b) {
  const int order = a->entry().key.compare(b->entry().key);
  return order != 0 ? order < 0 : a->entry().label < b->entry().label;
}

}  // namespace

bool MergedSource::Advance(EntrySource& source) {
  if (source.Next()) return true;
  if (status_.ok()) status_ = source.status();
  return false;
}

void MergedSource::SiftDown(size_t position) {
  EntrySource* const moved = heap_[position];
  while (true) {
    size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && IsBefore(heap_[child + 1], heap_[child])) {
      ++child;
    }
    if (!IsBefore(heap_[child], moved)) break;
    heap_[position] = heap_[child];
    position = child;
  }
  heap_[position] = moved;
}

bool MergedSource::Next() {
  if (!started_) {
    started_ = true;
    for (const auto& source : sources_) {
      if (Advance(*source)) heap_.push_back(source.get());
    }
    for (size_t i = heap_.size(); i-- > 0;) SiftDown(i);
  } else if (!heap_.empty()) {
    if (!Advance(*heap_.front())) {
      heap_.front() = heap_.back();
      heap_.pop_back();
    }
    if (!heap_.empty()) SiftDown(0);
  }
  if (!status_.ok() || heap_.empty()) return false;
  entry_ = heap_.front()->entry();
  return true;
}

}  // namespace tokendb
