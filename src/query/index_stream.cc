#include "src/query/index_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/text.h"
#include "src/index/keys.h"

namespace tokendb {

IndexStream::IndexStream(std::vector<Cursor> cursors, Direction direction)
    : cursors_(std::move(cursors)), direction_(direction) {}

bool IndexStream::ComesLater(const Cursor* a, const Cursor* b) const {
  const int order = TailOf(a->key()).compare(TailOf(b->key()));
  return direction_ == Direction::kAscending ? order > 0 : order < 0;
}

bool IndexStream::Check(Cursor& cursor) {
  if (!cursor.Valid()) {
    status_.Update(cursor.status());
    return false;
  }
  key_ = cursor.key();
  if (!IsIndexKey(key_)) {
    status_.Update(absl::DataLossError(
        absl::StrCat("index key ", Hex(key_), " is malformed")));
    return false;
  }
  return true;
}

bool IndexStream::Advance(Cursor& cursor) {
  if (direction_ == Direction::kAscending) {
    cursor.Next();
  } else {
    cursor.Prev();
  }
  return Check(cursor);
}

void IndexStream::Start() {
  const auto comes_later = [this](const Cursor* a, const Cursor* b) {
    return ComesLater(a, b);
  };
  for (Cursor& cursor : cursors_) {
    if (direction_ == Direction::kAscending) {
      cursor.SeekToFirst();
    } else {
      cursor.SeekToLast();
    }
    if (Check(cursor)) heap_.push_back(&cursor);
  }
  std::make_heap(heap_.begin(), heap_.end(), comes_later);
  TakeTop();
}

void IndexStream::TakeTop() {
  current_ = heap_.empty() || !status_.ok() ? nullptr : heap_.front();
  if (current_ != nullptr) key_ = current_->key();
}

void IndexStream::Next() {
  if (cursors_.size() == 1) {
    if (!Advance(*current_)) current_ = nullptr;
    return;
  }
  const auto comes_later = [this](const Cursor* a, const Cursor* b) {
    return ComesLater(a, b);
  };
  const std::string tail(TailOf(key_));
  do {
    std::pop_heap(heap_.begin(), heap_.end(), comes_later);
    if (Advance(*heap_.back())) {
      std::push_heap(heap_.begin(), heap_.end(), comes_later);
    } else {
      heap_.pop_back();
    }
    TakeTop();
  } while (current_ != nullptr && TailOf(key_) == tail);
}

}  // namespace tokendb
